"""Answers that come before their rationale: both stand apart in every way to run the graph, and are compared."""

import asyncio

import pytest
from graph_ways import sure
from langchain_core.messages import AIMessage, AIMessageChunk

from adaptive_reasoner import ReasonerConfig
from adaptive_reasoner.prompts import ANSWER_FIRST
from adaptive_reasoner.testing import Reply

ASKED = {"messages": "How much is 6 times 7?"}
AGREES = sure("Answer: 42\nBecause: 6 * 7 = 42")
CONTRADICTS = sure("Answer: 41\nBecause: 6 * 7 = 42")
SAYS = sure("Answer: Paris\nBecause: the Seine is there.\nResult: Paris")


def first(**fields):
    return ReasonerConfig(**{"answer_order": "answer_first", "triage": "off", "max_refinements": 0, **fields})


def test_the_answer_comes_alone_and_its_rationale_beside_it(build, ask):
    run = ask(build(AGREES, config=first()))
    message = run.state["messages"][-1]
    assert str(message.text) == "Answer: 42"
    assert message.additional_kwargs["rationale"] == "6 * 7 = 42"
    report = run.state["reasoning"]
    assert report["rationale_agreement"] == 1.0
    [one] = report["rounds"]
    assert (one["verdict"], one["signal"]["kind"], one["signal"]["rationale_agreement"]) == (
        "accept",
        "logprobs",
        1.0,
    )
    assert one["usage"]["output_tokens"] == 8  # the rationale's, too


def test_a_contradiction_escalates_however_sure_the_tokens_are(build, ask):
    run = ask(build(CONTRADICTS, sure("Answer: 42"), config=first()))
    assert [one["verdict"] for one in run.state["reasoning"]["rounds"]] == ["escalate", "accept"]
    assert str(run.state["messages"][-1].text) == "Answer: 42"
    assert run.state["reasoning"]["rationale_agreement"] is None  # of the answer that is handed on


def test_any_model_is_asked_by_prompt_and_its_result_line_is_read(build):
    graph = build(SAYS, config=first())
    report = graph.invoke({"messages": "Where is the Seine?"})["reasoning"]
    assert report["rationale_agreement"] == 1.0
    assert ANSWER_FIRST in str(graph.model.calls[0].messages[0].content)


def test_without_log_probabilities_a_contradiction_is_known_and_an_agreement_is_not(build):
    silent = [Reply(text=one.visible_text, drop_logprobs=True) for one in (CONTRADICTS, AGREES)]
    kinds = []
    for reply in silent:
        graph = build(reply, sure("Answer: 42"), config=first())
        kinds.append(graph.invoke(ASKED)["reasoning"]["rounds"][0]["signal"]["kind"])
    assert kinds == ["agreement", "unknown"]


@pytest.mark.parametrize("is_async", [False, True])
def test_no_stream_mixes_answer_and_rationale(build, is_async):
    graph, parts = build(AGREES, config=first()), []
    modes = ["messages", "custom", "updates", "values"]

    async def collect():
        return [part async for part in graph.astream(ASKED, stream_mode=modes)]

    parts = asyncio.run(collect()) if is_async else list(graph.stream(ASKED, stream_mode=modes))
    chunks = [data[0] for mode, data in parts if mode == "messages" and isinstance(data[0], AIMessageChunk)]
    assert "".join(str(chunk.text) for chunk in chunks) == "Answer: 42"
    assert "".join(chunk.additional_kwargs.get("rationale", "") for chunk in chunks) == "6 * 7 = 42"
    [told] = [data for mode, data in parts if mode == "custom" and data["event"] == "round"]
    assert told["text"] == "Answer: 42"
    assert "".join(token for token, _ in told["tokens"]) == "Answer: 42"
    updates = [
        data["fast_answer"]["candidates"][0]
        for mode, data in parts
        if mode == "updates" and "fast_answer" in data
    ]
    assert [str(message.text) for message in updates] == ["Answer: 42"]


def test_a_share_of_the_questions_is_checked_and_pays_for_it(build):
    plain = build(sure("Answer: 42"), config=first(rationale_share=0.0))
    report = plain.invoke(ASKED)["reasoning"]
    assert report["rationale_agreement"] is None
    assert ANSWER_FIRST not in str(plain.model.calls[0].messages[0].content)


@pytest.mark.parametrize(("difficulty", "is_checked"), [(0.05, False), (0.4, True)])
def test_auto_checks_what_triage_expects_to_be_doubtful(build, difficulty, is_checked):
    class Expects:
        def estimate(self, _messages):
            return {"gain": 0.0, "difficulty": difficulty, "source": "test", "reason": "so it is"}

    graph = build(AGREES, config=first(answer_order="auto", triage=Expects()))
    report = graph.invoke(ASKED)["reasoning"]
    assert report["route"] == "fast"
    assert (ANSWER_FIRST in str(graph.model.calls[0].messages[0].content)) is is_checked


def test_a_rationale_that_was_cut_off_leaves_the_answer_whole(build):
    cut = Reply(text="Answer: 42\nBecause: 6 * 6 = 36 and", finish_reason="length", probability=0.99)
    [one] = build(cut, config=first()).invoke(ASKED)["reasoning"]["rounds"]
    assert (one["verdict"], one["signal"]["kind"]) == ("accept", "logprobs")
    assert "rationale_agreement" not in one["signal"]


@pytest.mark.parametrize(
    ("thoughts", "left"), [("drop", None), ("redact", "[redacted]"), (("6",), "[redacted] * 7 = 42")]
)
def test_the_policy_of_thoughts_holds_for_rationales(build, ask_few, thoughts, left):
    message = ask_few(build(AGREES, config=first(thoughts=thoughts))).state["messages"][-1]
    assert isinstance(message, AIMessage)
    assert message.additional_kwargs.get("rationale") == left
