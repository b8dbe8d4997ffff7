"""Servers that lose log probabilities, through ChatOpenAI and the whole graph: none is ever taken for confidence."""

import pytest
from langchain_core.messages import ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from adaptive_reasoner import ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.testing import Defect, Reply, ScriptedChatModel
from adaptive_reasoner.uncertainty.agreement import SampleAgreement

ANSWER = Reply(tokens=[("It", 0.99), (" is", 0.98), (" 4", 0.97), ("2", 0.96)])
STREAMING = {
    "stream messages",
    "astream messages",
    "stream messages v2",
    "stream_events v3",
    "astream_events v3",
    "astream_events v2",
}


@pytest.fixture(params=["chat completions", "responses"])
def served(request, serve):
    """A function from defects to a graph on a server that has them, once by each API."""

    def make(*defects):
        endpoint = serve(ScriptedChatModel([ANSWER], cycle=True), defects=defects)
        settings = {"use_responses_api": request.param == "responses", "max_retries": 0}
        return build_reasoning_graph(
            ChatOpenAI(model="any", base_url=endpoint.base_url, api_key="x", **settings)
        )

    return make


def test_a_sound_server_is_measured_on_all_its_tokens(ask, served):
    run = ask(served())
    assert run.steps == [("fast_answer", "accept")]
    assert run.report["signal"]["kind"] == "logprobs"
    assert run.report["signal"]["min_probability"] == pytest.approx(0.96)
    assert run.report["usage"]["output_tokens"] == 4
    assert "usage_estimated" not in run.report["rounds"][0]


def test_a_server_that_sends_the_last_token_s_alone_is_never_believed(ask, served):
    assert_unknown(ask(served(Defect.ONLY_THE_LAST)), "do not add up")


@pytest.mark.parametrize(
    ("defect", "said"),
    [(Defect.NEVER_SENDS, "no log probabilities arrived"), (Defect.PLACEHOLDERS, "placeholder")],
)
def test_a_server_without_real_ones_is_never_believed(ask_few, served, defect, said):
    assert_unknown(ask_few(served(defect)), said)


def assert_unknown(run, said):
    assert run.steps == [("fast_answer", "escalate"), ("deep_think", "give_up")]
    signals = [one["signal"] for one in run.report["rounds"]]
    assert {signal["kind"] for signal in signals} == {"unknown"}
    assert all(said in signal["reason"] for signal in signals)
    assert run.answer == "It is 42"


def test_what_is_lost_in_streams_counts_only_where_there_are_streams(ask, served):
    run = ask(served(Defect.LOST_IN_STREAMS))
    kinds = {one["signal"]["kind"] for one in run.report["rounds"]}
    assert kinds == ({"unknown"} if ask.way in STREAMING else {"logprobs"})
    assert run.steps[-1][1] == ("give_up" if ask.way in STREAMING else "accept")


def test_gpt_6_is_measured_where_tools_send_it_to_the_responses_api(ask_few, serve):
    @tool
    def weather(city: str) -> str:
        """Forecast for a city."""
        return city

    endpoint = serve(ScriptedChatModel([ANSWER]))
    model = ChatOpenAI(model="gpt-6-luna", base_url=endpoint.base_url, api_key="x", max_retries=0)
    run = ask_few(build_reasoning_graph(model, tools=[weather]))
    assert run.steps == [("fast_answer", "accept")]
    assert run.report["signal"]["min_probability"] == pytest.approx(0.96)
    assert "input" in endpoint.requests[0]


@pytest.mark.parametrize("api", ["chat completions", "responses"])
def test_a_tool_call_that_loses_them_is_believed_where_samples_agree(ask_few, serve, api):
    @tool
    def weather(city: str) -> str:
        """Forecast for a city."""
        return city

    def step(call):
        is_answered = isinstance(call.messages[-1], ToolMessage)
        return ANSWER if is_answered else Reply(tool_calls=[{"name": "weather", "args": {"city": "Rome"}}])

    defects = [Defect.LOST_WITH_TOOLS] if api == "chat completions" else []
    endpoint = serve(ScriptedChatModel([step], cycle=True), defects=defects)
    model = ChatOpenAI(
        model="any", base_url=endpoint.base_url, api_key="x", use_responses_api=api == "responses"
    )
    config = ReasonerConfig(fallback_signals=(SampleAgreement(),))
    run = ask_few(build_reasoning_graph(model, tools=[weather], config=config))
    assert [one["signal"]["kind"] for one in run.report["rounds"]] == ["agreement", "logprobs"]
    assert run.steps == [("fast_answer", "accept"), ("fast_answer", "accept")]


def test_a_list_that_is_repeated_at_the_end_counts_once(ask_few, served):
    run = ask_few(served(Defect.REPEATED_AT_THE_END))
    assert run.steps == [("fast_answer", "accept")]
    assert run.report["signal"]["min_probability"] == pytest.approx(0.96)


def test_a_server_that_refuses_the_question_fails_and_says_so(ask_few, served):
    run = ask_few(served(Defect.REFUSES))
    assert [one.get("error") for one in run.report["rounds"]] == ["model_failed", "model_failed"]
    assert "does not support logprobs" in run.report["rounds"][0]["signal"]["reason"]
