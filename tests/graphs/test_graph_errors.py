"""A model that fails in whatever way: one clear outcome, a code in its round, the conversation kept."""

import asyncio
import subprocess
import sys
import textwrap
import time

import openai
import pytest
from graph_ways import disbelieved, doubted, sure
from langchain_core.exceptions import ContextOverflowError
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.checkpoint.memory import InMemorySaver

from adaptive_reasoner import ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.testing import EndpointError, Reply

THREAD = {"configurable": {"thread_id": "1"}}


class OddError(Exception):
    """What some SDK raises; its text cannot even be printed plainly."""


class APITimeoutError(Exception):
    """A timeout as SDKs have it: no base class in common with anybody's."""


class PromptFilteredError(Exception):
    """What Azure answers a filtered prompt with."""

    code = "content_filter"


FAILURES = {
    "odd": (OddError("{}% \N{PILE OF POO}"), "model_failed"),
    "key error": (KeyError("choices"), "model_failed"),
    "os error": (ConnectionResetError("reset"), "model_failed"),
    "assertion": (AssertionError(), "model_failed"),
    "timeout": (TimeoutError("slow"), "model_timeout"),
    "sdk's timeout": (APITimeoutError("slow"), "model_timeout"),
    "too long": (ContextOverflowError("too long"), "context_window_exceeded"),
    "filtered prompt": (PromptFilteredError("no"), "refusal"),
    "nothing": (Reply(text=""), "empty_answer"),
    "white space": (Reply(text=" \n"), "empty_answer"),
    "only thoughts": (Reply(text="", reasoning="hm"), "empty_answer"),
    "refusal": (Reply(text="", refusal="I won't."), "refusal"),
    "filter": (Reply(text="The", finish_reason="content_filter"), "refusal"),
    "tool out of nowhere": (Reply(text="", tool_calls=[{"name": "search", "args": {}}]), "model_failed"),
}
FINAL = {"refusal"}


@pytest.mark.parametrize("failure", FAILURES)
def test_each_failure_is_one_outcome_and_the_thread_goes_on(ask_few, build, failure):
    step, code = FAILURES[failure]
    graph = build(step, step, sure("42"), checkpointer=InMemorySaver())
    first = ask_few(graph, config=THREAD)
    rounds = first.report["rounds"]
    assert {one["error"] for one in rounds} == {code}
    assert (
        [one["node"] for one in rounds] == ["fast_answer"] if code in FINAL else ["fast_answer", "deep_think"]
    )
    assert rounds[-1]["verdict"] == "give_up"
    assert first.report["accepted_round"] == -1
    assert first.report["signal"]["kind"] == "unknown"
    assert first.answer.startswith("No answer: ") or first.answer == "The"
    if code in FINAL:
        graph = build(sure("42"), checkpointer=graph.checkpointer)
    second = ask_few(graph, "And now?", config=THREAD)
    assert second.answer == "42"
    assert [message.type for message in second.state["messages"]] == ["human", "ai", "human", "ai"]
    assert second.report["rounds"][0]["verdict"] == "accept"


def test_a_deep_answer_covers_for_a_fast_one_that_failed(ask, build):
    run = ask(build(OddError("no"), sure("42")))
    assert run.steps == [("fast_answer", "escalate"), ("deep_think", "accept")]
    assert run.report["rounds"][0]["error"] == "model_failed"
    assert "OddError: no" in run.report["rounds"][0]["signal"]["reason"]
    assert run.answer == "42"


def test_a_doubted_fast_answer_is_kept_where_the_deep_model_fails(ask_few, build):
    run = ask_few(build(disbelieved("41"), OddError("no")))
    assert run.steps == [("fast_answer", "escalate"), ("deep_think", "give_up")]
    assert (run.answer, run.report["accepted_round"]) == ("41", 0)
    assert run.report["signal"]["min_probability"] == pytest.approx(0.3)


def test_the_first_answer_is_kept_where_refining_fails(ask_few, build):
    run = ask_few(build(doubted("41"), OddError("no"), Reply(text="")))
    assert run.steps == [("fast_answer", "refine"), ("refine", "escalate"), ("deep_think", "give_up")]
    assert run.answer == "41"


def test_an_answer_that_was_cut_off_is_never_accepted(ask_few, build):
    cut = Reply(text="It is 12", probability=0.99, finish_reason="length")
    run = ask_few(build(cut, cut, config=ReasonerConfig(accept_unknown=True)))
    assert run.steps == [("fast_answer", "escalate"), ("deep_think", "give_up")]
    assert "cut off" in run.report["signal"]["reason"]
    assert run.answer == "It is 12"


def test_a_malformed_tool_call_is_a_failure_and_leaves_no_trace_in_the_thread(build):
    broken = AIMessage(
        "",
        invalid_tool_calls=[
            {"name": "search", "args": "{", "id": "1", "error": "no JSON", "type": "invalid_tool_call"}
        ],
    )
    graph = build_reasoning_graph(Echo(message=broken))
    state = graph.invoke({"messages": "Search!"})
    assert state["reasoning"]["rounds"][0]["error"] == "model_failed"
    assert "search" in state["messages"][-1].text
    assert not state["messages"][-1].invalid_tool_calls


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_the_users_ctrl_c_goes_through(build, stop):
    with pytest.raises(stop):
        build(stop()).invoke({"messages": "How much?"})


def test_a_model_that_is_too_slow_is_given_up_on_in_time(ask_few, build):
    slow = Reply(text="late", delay_seconds=5)
    graph = build(slow, sure("42"), config=ReasonerConfig(model_timeout_seconds=0.1))
    started = time.monotonic()
    run = ask_few(graph)
    assert time.monotonic() - started < 3
    first = run.report["rounds"][0]
    assert (first["error"], first["verdict"]) == ("model_timeout", "escalate")
    assert 0.1 <= first["latency_seconds"] < 2
    assert first["usage"]["input_tokens"] > 0  # it was sent, so it is likely to be paid for
    assert first["usage_estimated"]
    assert run.answer == "42"


def test_a_hanging_model_does_not_keep_the_program_from_ending():
    program = """
        import asyncio, time
        from langchain_core.language_models import BaseChatModel
        from adaptive_reasoner import ReasonerConfig, build_reasoning_graph

        class Hanging(BaseChatModel):
            @property
            def _llm_type(self):
                return "hanging"

            def _generate(self, messages, stop=None, run_manager=None, **kwargs):
                time.sleep(60)

            def _stream(self, messages, stop=None, run_manager=None, **kwargs):
                time.sleep(60)
                yield

        graph = build_reasoning_graph(Hanging(), config=ReasonerConfig(model_timeout_seconds=0.1))
        asked = {"messages": "How much?"}
        assert graph.invoke(asked)["reasoning"]["rounds"][0]["error"] == "model_timeout"
        assert asyncio.run(graph.ainvoke(asked))["reasoning"]["rounds"][1]["error"] == "model_timeout"

        async def watch():
            return [part async for part in graph.astream(asked, stream_mode=["messages", "values"])]

        assert asyncio.run(watch())[-1][1]["reasoning"]["rounds"][1]["error"] == "model_timeout"
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        timeout=50,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


async def test_cancelling_the_caller_cancels_the_model(build):
    graph = build(Reply(text="late", delay_seconds=30))
    task = asyncio.create_task(graph.ainvoke({"messages": "How much?"}))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (
            EndpointError("Slow down.", status_code=429, error_code="rate_limit_exceeded"),
            "model_rate_limited",
        ),
        (
            EndpointError("Too long.", status_code=400, error_code="context_length_exceeded"),
            "context_window_exceeded",
        ),
        (EndpointError("Filtered.", status_code=400, error_code="content_filter"), "refusal"),
        (EndpointError("Broken.", status_code=503), "model_failed"),
    ],
)
def test_an_endpoints_errors_have_their_codes(chat_openai, scripted, failure, code):
    graph = build_reasoning_graph(chat_openai(scripted(failure, failure)))
    report = graph.invoke({"messages": "How much?"})["reasoning"]
    assert {one["error"] for one in report["rounds"]} == {code}


def test_an_unreachable_endpoint_is_a_failure(free_port):
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(model="gone", base_url=f"http://127.0.0.1:{free_port}/v1", api_key="x", max_retries=0)
    state = build_reasoning_graph(model).invoke({"messages": "How much?"})
    assert [one["error"] for one in state["reasoning"]["rounds"]] == ["model_failed", "model_failed"]
    assert (
        openai.APIConnectionError.__name__ in state["messages"][-1].text
        or "Connection" in state["messages"][-1].text
    )


@pytest.fixture
def free_port():
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Echo(BaseChatModel):
    """Returns one message, whatever is asked; no streaming, no fields."""

    message: AIMessage

    @property
    def _llm_type(self):
        return "echo"

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        return ChatResult(generations=[ChatGeneration(message=self.message.model_copy())])
