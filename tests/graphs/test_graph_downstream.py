"""downstream: called once with {answer, report}, after acceptance and not before."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest
from graph_ways import disbelieved, doubted, sure
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, interrupt

from adaptive_reasoner import ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.errors import ConfigurationError

THREAD = {"configurable": {"thread_id": "1"}}


@pytest.fixture
def delivered():
    return []


@pytest.fixture
def downstream(delivered):
    return RunnableLambda(delivered.append)


def test_an_accepted_answer_is_delivered_with_its_report(ask, build, downstream, delivered):
    run = ask(build(doubted("41"), sure("42"), downstream=downstream))
    [payload] = delivered
    assert payload["answer"] == "42"
    assert {**payload["report"], "delivery": "done"} == run.report
    assert run.report["delivery"] == "done"
    assert run.message.response_metadata["adaptive_reasoning"] == run.report
    assert [message.type for message in run.state["messages"]] == ["human", "ai"]


def test_an_unsure_answer_is_not_delivered(ask_few, build, downstream, delivered):
    run = ask_few(build(disbelieved("41"), doubted("42"), doubted("42"), downstream=downstream))
    assert run.report["rounds"][-1]["verdict"] == "give_up"
    assert delivered == []
    assert "delivery" not in run.report


def test_a_failed_answer_is_not_delivered(ask_few, build, downstream, delivered):
    ask_few(build(ValueError("no"), ValueError("no"), downstream=downstream))
    assert delivered == []


@pytest.mark.parametrize(
    ("reply", "answers"),
    [("approve", ["42"]), ("reject", []), ({"action": "edit", "answer": "43"}, ["43"])],
)
def test_a_reviewed_answer_is_delivered_as_the_person_decided(
    ask_few, build, downstream, delivered, reply, answers
):
    graph = build(
        disbelieved("41"),
        doubted("42"),
        downstream=downstream,
        config=ReasonerConfig(review="low_confidence", max_refinements=0),
        checkpointer=InMemorySaver(),
    )
    ask_few(graph, config=THREAD)
    assert delivered == []
    ask_few(graph, Command(resume=reply), config=THREAD)
    assert [payload["answer"] for payload in delivered] == answers


def test_what_downstream_raises_is_recorded_and_the_answer_kept(ask_few, build):
    def fail(payload):
        raise OSError("printer on fire")

    run = ask_few(build(sure("42"), downstream=RunnableLambda(fail)))
    assert run.report["delivery"] == "failed: OSError: printer on fire"
    assert run.answer == "42"


def test_each_turn_is_delivered_once(ask_few, build, downstream, delivered):
    graph = build(sure("42"), sure("43"), downstream=downstream, checkpointer=InMemorySaver())
    ask_few(graph, config=THREAD)
    ask_few(graph, "And now?", config=THREAD)
    assert [payload["answer"] for payload in delivered] == ["42", "43"]


def test_resuming_after_the_end_does_not_deliver_again(build, downstream, delivered):
    graph = build(sure("42"), downstream=downstream, checkpointer=InMemorySaver())
    graph.invoke({"messages": "How much?"}, THREAD)
    graph.invoke(None, THREAD)
    graph.invoke(Command(resume="approve"), THREAD)
    assert len(delivered) == 1


def test_a_delivery_that_was_broken_off_is_not_repeated_in_the_same_process(build):
    calls = []

    def interrupted(payload):
        calls.append(payload)
        raise KeyboardInterrupt

    graph = build(sure("42"), downstream=RunnableLambda(interrupted), checkpointer=InMemorySaver())
    with pytest.raises(KeyboardInterrupt):
        graph.invoke({"messages": "How much?"}, THREAD)
    report = graph.invoke(None, THREAD)["reasoning"]
    assert len(calls) == 1
    assert report["delivery"].startswith("unknown")


def test_downstream_may_ask_a_person_itself(build):
    sent = []

    def send(payload):
        sent.append((payload["answer"], interrupt("Send it?")))

    graph = build(sure("42"), downstream=RunnableLambda(send), checkpointer=InMemorySaver())
    state = graph.invoke({"messages": "How much?"}, THREAD)
    assert state["__interrupt__"][0].value == "Send it?"
    report = graph.invoke(Command(resume="yes"), THREAD)["reasoning"]
    assert (sent, report["delivery"]) == ([("42", "yes")], "done")


def test_downstream_cannot_change_the_report(build):
    def meddle(payload):
        payload["report"]["rounds"].clear()

    state = build(sure("42"), downstream=RunnableLambda(meddle)).invoke({"messages": "How much?"})
    assert len(state["reasoning"]["rounds"]) == 1


def test_a_tool_and_a_function_serve_as_well(ask_few, build):
    got = []

    @tool
    def file(answer: str, report: dict) -> str:
        """Keep an answer."""
        got.append((answer, len(report["rounds"])))
        return "kept"

    def function(payload):
        got.append((payload["answer"], len(payload["report"]["rounds"])))

    for downstream in (file, function):
        assert ask_few(build(sure("42"), downstream=downstream)).report["delivery"] == "done"
    assert got == [("42", 1), ("42", 1)]


def test_an_async_downstream_is_awaited(build):
    got = []

    async def send(payload):
        await asyncio.sleep(0)
        got.append(payload["answer"])

    graph = build(sure("42"), downstream=RunnableLambda(send))
    report = asyncio.run(graph.ainvoke({"messages": "How much?"}))["reasoning"]
    assert (got, report["delivery"]) == (["42"], "done")


def test_what_is_no_downstream_is_refused(scripted):
    with pytest.raises(ConfigurationError, match="downstream is 'print'"):
        build_reasoning_graph(scripted(), downstream="print")


PROGRAM = """
    import json, os, signal, sys
    from langgraph.checkpoint.sqlite import SqliteSaver
    from adaptive_reasoner import build_reasoning_graph
    from adaptive_reasoner.testing import Reply, ScriptedChatModel

    folder, given = sys.argv[1], json.loads(sys.argv[2])

    def downstream(payload):
        with open(os.path.join(folder, "delivered"), "a") as file:
            file.write(payload["answer"] + "\\n")
        os.kill(os.getpid(), signal.SIGKILL)

    with SqliteSaver.from_conn_string(os.path.join(folder, "threads.sqlite")) as saver:
        graph = build_reasoning_graph(
            ScriptedChatModel([Reply(text="42")] if given else []), downstream=downstream, checkpointer=saver
        )
        state = graph.invoke(given, {"configurable": {"thread_id": "1"}}, durability="sync")
        print(json.dumps([state["messages"][-1].text, state["reasoning"]["delivery"]]))
"""


def test_a_killed_process_does_not_deliver_twice(tmp_path):
    def run(given):
        return subprocess.run(
            [sys.executable, "-c", textwrap.dedent(PROGRAM), str(tmp_path), json.dumps(given)],
            env={**os.environ, "LANGGRAPH_STRICT_MSGPACK": "true"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    killed = run({"messages": "How much?"})
    assert killed.returncode == -signal.SIGKILL
    resumed = run(None)
    assert (resumed.returncode, resumed.stderr) == (0, "")
    answer, delivery = json.loads(resumed.stdout)
    assert answer == "42"
    assert delivery.startswith("unknown: the process that claimed the hand-off ended")
    assert (tmp_path / "delivered").read_text() == "42\n"
