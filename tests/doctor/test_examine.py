"""The examination of servers with each defect: what is found, and that the advice mends it."""

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_openai import ChatOpenAI

from adaptive_reasoner.doctor import examine
from adaptive_reasoner.errors import ModelError, ModelTimeoutError
from adaptive_reasoner.testing import Defect, EndpointError, Reply, ScriptedChatModel

ANSWER = [("Answer:", 0.9, [("So", 0.05)]), (" 1", 0.9), ("0", 0.8, [("1", 0.1)])]
USED = "log probabilities"


def answer(call):
    """Three tokens; a tool call where tools are offered and the question is the tool's."""
    asked_for_tool = "tool" in call.messages[-1].text and call.kwargs.get("tools")
    if asked_for_tool:
        return Reply(tool_calls=[{"name": "get_weather", "args": {"city": "Rome"}}])
    thinks = call.kwargs.get("reasoning_effort", "none") != "none"
    return Reply(tokens=ANSWER, reasoning="12 - 5 = 7" if thinks else None)


@pytest.fixture
def patient(serve):
    """A function from defects to a ChatOpenAI at a server that has them; it keeps the endpoint as `.served`."""

    def make(*defects, **options):
        endpoint = serve(ScriptedChatModel([answer], cycle=True), defects=defects)
        make.served = endpoint
        return ChatOpenAI(model="any", base_url=endpoint.base_url, api_key="x", max_retries=0, **options)

    return make


def states(diagnosis, side="gate"):
    return {(one.way, one.thinking): getattr(one, side).state for one in diagnosis.findings}


def fast_states(diagnosis, side="gate"):
    return {one.way: getattr(one, side).state for one in diagnosis.findings if one.is_fast}


def settings(diagnosis):
    return [one.setting for one in diagnosis.advice]


def test_a_sound_server_brings_all_but_what_langchain_loses(patient):
    diagnosis = examine(patient())
    assert set(fast_states(diagnosis).values()) == {"whole"}
    assert fast_states(diagnosis, "langchain") == {
        "plain": "whole",
        "streamed": "whole",
        "events v3": "unusable",
        "tools": "whole",
        "tools streamed": "whole",
        "structured": "whole",
    }
    plain = diagnosis.findings[0]
    assert (plain.gate.tokens, plain.gate.alternatives, plain.reports_usage) == (3, 2, True)
    assert (diagnosis.api, diagnosis.profile, diagnosis.top_logprobs) == ("chat completions", "default", 20)
    assert [one.split("(")[0] for one in settings(diagnosis)] == [
        "ReasonerConfig",
        "nothing in the graph; disable_streaming=True where you call the model yourself",
    ]


def test_the_responses_api_brings_the_text_s_and_none_of_calls(patient):
    diagnosis = examine(patient(use_responses_api=True))
    assert set(fast_states(diagnosis, "langchain").values()) == {"failed"}
    assert fast_states(diagnosis) == {
        "plain": "whole",
        "streamed": "whole",
        "events v3": "whole",
        "tools": "missing",
        "tools streamed": "missing",
        "structured": "whole",
    }
    assert diagnosis.api == "responses"
    assert "TypeError" in diagnosis.findings[0].langchain.reason
    assert any("use_responses_api=False" in one for one in settings(diagnosis))
    assert any('review="low_confidence"' in one for one in settings(diagnosis))


@pytest.mark.parametrize(
    ("defect", "lost", "setting", "cure"),
    [
        (
            Defect.LOST_IN_STREAMS,
            {"streamed", "events v3", "tools streamed"},
            "disable_streaming=True on the model",
            {"disable_streaming": True},
        ),
        (
            Defect.REFUSES_STREAMED_TOOLS,
            {"tools streamed"},
            'disable_streaming="tool_calling" on the model',
            {"disable_streaming": "tool_calling"},
        ),
    ],
)
def test_what_streams_lose_the_advice_brings_back(patient, defect, lost, setting, cure):
    diagnosis = examine(patient(defect))
    found = fast_states(diagnosis)
    assert {way for way, state in found.items() if state != "whole"} == lost
    assert settings(diagnosis)[0] == setting
    assert set(fast_states(examine(patient(defect, **cure))).values()) == {"whole"}


@pytest.mark.parametrize(
    ("defect", "state", "reason"),
    [
        (Defect.NEVER_SENDS, "missing", "no log probabilities arrived"),
        (Defect.ONLY_THE_LAST, "unusable", "do not add up to the answer's text"),
        (Defect.PLACEHOLDERS, "unusable", "placeholder"),
        (Defect.REFUSES, "failed", "does not support logprobs"),
    ],
)
def test_a_server_without_usable_ones_is_not_for_fast_answers(patient, defect, state, reason):
    diagnosis = examine(patient(defect))
    assert {fast_states(diagnosis)[way] for way in ("plain", "streamed", "structured")} == {state}
    assert reason in diagnosis.findings[0].gate.reason
    assert settings(diagnosis)[0].startswith("another model or endpoint for fast answers")
    assert not any("calibrate" in one for one in settings(diagnosis))


def test_a_list_that_is_repeated_at_the_end_counts_once(patient):
    diagnosis = examine(patient(Defect.REPEATED_AT_THE_END))
    assert {(one.gate.state, one.gate.tokens) for one in diagnosis.findings if "tools" not in one.way} == {
        ("whole", 3)
    }


def test_tool_calls_without_them_are_asked_for_again(patient):
    diagnosis = examine(patient(Defect.LOST_WITH_TOOLS))
    found = fast_states(diagnosis)
    assert {way for way, state in found.items() if state == "missing"} == {"tools", "tools streamed"}
    assert settings(diagnosis)[0].startswith("ReasonerConfig(fallback_signals=(SampleAgreement(),))")


def test_a_server_that_takes_few_alternatives_is_asked_for_fewer(patient):
    diagnosis = examine(patient(Defect.AT_MOST_FIVE))
    assert diagnosis.top_logprobs == 5
    assert set(fast_states(diagnosis).values()) == {"whole"}
    assert settings(diagnosis)[0] == "ReasonerConfig(top_logprobs=5)"


def test_a_server_that_is_full_for_a_while_is_not_asked_for_fewer(chat_openai):
    full = EndpointError("Too many requests.", status_code=429)
    served = ScriptedChatModel([Reply(text="42"), full, *[Reply(text="42")] * 12])
    diagnosis = examine(chat_openai(served))
    assert diagnosis.top_logprobs == 20
    assert set(fast_states(diagnosis).values()) == {"whole"}


def test_each_effort_is_probed_and_asked_as_the_graph_asks(patient):
    model = patient(Defect.REFUSES_WHILE_THINKING)
    diagnosis = examine(model, efforts=["none", "low", "high"])
    assert {one.thinking for one in diagnosis.findings} == {"none", "low", "high"}
    assert states(diagnosis)["plain", "none"] == "whole"
    assert states(diagnosis, "langchain")["streamed", "high"] == "failed"
    assert {request["reasoning_effort"] for request in patient.served.requests} == {"none", "low", "high"}


def test_a_known_reasoning_model_gives_none_after_thinking(patient):
    model = patient(Defect.REFUSES_WHILE_THINKING).model_copy(
        update={"profile": {"reasoning_effort_levels": ["none", "low", "high"]}}
    )
    diagnosis = examine(model)
    assert states(diagnosis)["plain", "none"] == "whole"
    assert {states(diagnosis)[way, "high"] for way in ("plain", "streamed")} == {"missing"}
    assert states(diagnosis, "langchain")["plain", "low"] == "failed"
    assert settings(diagnosis)[0].startswith(
        "ReasonerConfig(fallback_signals=(Verifier(), SampleAgreement()))"
    )


def test_a_model_that_cannot_be_asked_has_none():
    diagnosis = examine(FakeListChatModel(responses=["42"]))
    assert fast_states(diagnosis) == {"plain": "missing", "streamed": "missing", "events v3": "missing"}
    assert diagnosis.top_logprobs is None
    assert any("counts no tokens" in one.why for one in diagnosis.advice)


def test_a_model_that_answers_a_tool_question_in_words_is_noted(chat_openai):
    diagnosis = examine(chat_openai(ScriptedChatModel(["Sunny."], cycle=True)))
    assert {one.note for one in diagnosis.findings if "tools" in one.way} == {"it answered in words"}


def test_a_model_that_does_not_answer_at_all_ends_the_examination(chat_openai):
    failing = ScriptedChatModel([EndpointError("Wrong key.", status_code=401)], cycle=True)
    with pytest.raises(ModelError, match=r"Wrong key\."):
        examine(chat_openai(failing))


def test_a_model_that_hangs_ends_the_examination():
    slow = ScriptedChatModel([Reply(text="42", delay_seconds=2)], cycle=True)
    with pytest.raises(ModelTimeoutError):
        examine(slow, timeout_seconds=0.05)


def test_the_diagnosis_is_plain_json(patient):
    found = examine(patient(Defect.REFUSES_STREAMED_TOOLS)).to_json()
    by_way = {one["way"]: one for one in found["findings"]}
    assert by_way["plain"]["gate_uses"] == USED
    assert by_way["tools streamed"]["gate_uses"] == "nothing: no answer"
    assert by_way["tools streamed"]["gate"]["state"] == "failed"
    assert found["advice"][0]["setting"] == 'disable_streaming="tool_calling" on the model'
    assert (found["model"], found["probed"]) == ("any", True)
