"""Threads: several turns, checkpoints that hold plain JSON, and processes that are killed."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest
from graph_ways import disbelieved, doubted, sure
from langchain_core.messages import BaseMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.types import Command

from adaptive_reasoner import Budget, ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.testing import Reply

THREAD = {"configurable": {"thread_id": "1"}}


@pytest.fixture
def strict(monkeypatch):
    """Savers that refuse every class but LangChain's own."""
    monkeypatch.setenv("LANGGRAPH_STRICT_MSGPACK", "true")


def test_turns_follow_each_other_with_fresh_reports(ask, build):
    graph = build(doubted("41"), sure("42"), sure("43"), checkpointer=InMemorySaver())
    first = ask(graph, config=THREAD)
    second = ask(graph, "And how much is that now?", config=THREAD)
    assert len(first.report["rounds"]) == 2
    assert len(second.report["rounds"]) == 1
    assert second.report["usage"]["total_tokens"] < first.report["usage"]["total_tokens"] + 60
    texts = [str(message.text) for message in second.state["messages"]]
    assert texts == ["How much is it?", "42", "And how much is that now?", "43"]
    assert [str(m.text) for m in graph.model.calls[2].messages] == texts[:3]
    kept = second.state["messages"][1].response_metadata["adaptive_reasoning"]
    assert kept == first.report
    assert len({message.id for message in second.state["messages"]}) == 4


def test_only_the_newest_answer_keeps_its_log_probabilities(ask_few, build):
    """Every checkpoint holds the whole thread, and they are a kilobyte a token."""
    graph = build(sure("42"), sure("43"), checkpointer=InMemorySaver())
    ask_few(graph, config=THREAD)
    run = ask_few(graph, "And how much is that now?", config=THREAD)
    kept = [bool(m.response_metadata.get("logprobs")) for m in run.state["messages"] if m.type == "ai"]
    assert kept == [False, True]
    assert all(m.response_metadata["adaptive_reasoning"] for m in run.state["messages"] if m.type == "ai")


def test_the_working_memory_is_emptied_after_a_turn(build):
    graph = build(doubted("41"), sure("42"), checkpointer=InMemorySaver())
    graph.invoke({"messages": "How much?"}, THREAD)
    values = graph.get_state(THREAD).values
    assert values["candidates"] == []
    assert values["turn"]["attempt"] is None
    assert graph.get_state(THREAD).next == ()


def plain(value):
    """Checks that a state value is JSON, and gives it back without its messages."""
    return json.loads(json.dumps(value, allow_nan=False))


@pytest.mark.parametrize("saver", ["memory", "sqlite"])
def test_every_checkpoint_is_plain_json_beside_its_messages(strict, build, tmp_path, saver):
    with SqliteSaver.from_conn_string(str(tmp_path / "threads")) as sqlite:
        graph = build(
            doubted("41"),
            disbelieved("東京🗼"),
            sure("42", reasoning="hm"),
            config=ReasonerConfig(budget=(Budget(max_tokens=9000), Budget(max_seconds=60.0, per="thread"))),
            checkpointer=sqlite if saver == "sqlite" else InMemorySaver(),
        )
        state = graph.invoke({"messages": "How much?"}, THREAD)
        history = list(graph.get_state_history(THREAD))
    assert history[0].values["reasoning"] == state["reasoning"]
    assert len(history) >= 9
    for snapshot in history:
        values = dict(snapshot.values)
        messages = [*values.pop("messages", []), *values.pop("candidates", [])]
        assert all(isinstance(message, BaseMessage) for message in messages)
        assert plain(values) == values


def test_a_thread_survives_in_sqlite_and_goes_on_with_another_graph(strict, build, tmp_path):
    for question, answer in (("How much?", "42"), ("And then?", "43")):
        with SqliteSaver.from_conn_string(str(tmp_path / "threads")) as saver:
            state = build(sure(answer), checkpointer=saver).invoke({"messages": question}, THREAD)
    assert [str(message.text) for message in state["messages"]] == ["How much?", "42", "And then?", "43"]
    assert isinstance(state["messages"][0], HumanMessage)
    assert state["messages"][1].response_metadata["adaptive_reasoning"]["rounds"]


async def test_a_thread_survives_in_async_sqlite(strict, build, tmp_path):
    for question, answer in (("How much?", "42"), ("And then?", "43")):
        async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "threads")) as saver:
            graph = build(doubted("41"), sure(answer), checkpointer=saver)
            state = await graph.ainvoke({"messages": question}, THREAD)
    assert [str(message.text) for message in state["messages"]] == ["How much?", "42", "And then?", "43"]


def test_a_review_survives_in_sqlite(strict, build, tmp_path):
    config = ReasonerConfig(review="low_confidence", max_refinements=0)
    with SqliteSaver.from_conn_string(str(tmp_path / "threads")) as saver:
        build(disbelieved("41"), doubted("42"), config=config, checkpointer=saver).invoke(
            {"messages": "How?"}, THREAD
        )
    with SqliteSaver.from_conn_string(str(tmp_path / "threads")) as saver:
        graph = build(config=config, checkpointer=saver)
        state = graph.invoke(Command(resume="approve"), THREAD)
    assert state["messages"][-1].text == "42"
    assert graph.model.calls == []


def test_the_history_can_be_replayed_from_before_the_deep_answer(build):
    graph = build(disbelieved("41"), sure("42"), sure("43"), checkpointer=InMemorySaver())
    graph.invoke({"messages": "How much?"}, THREAD)
    before = next(s for s in graph.get_state_history(THREAD) if s.next == ("deep_think",))
    state = graph.invoke(None, before.config)
    assert state["messages"][-1].text == "43"
    assert [one["node"] for one in state["reasoning"]["rounds"]] == ["fast_answer", "deep_think"]


def test_settings_in_configurable_do_not_trouble_the_checkpointer(strict, build, tmp_path):
    config = {
        "configurable": {"thread_id": "1", "budget": Budget(max_tokens=900), "thinking": "off", "tenant": "a"}
    }
    with SqliteSaver.from_conn_string(str(tmp_path / "threads")) as saver:
        build(sure("42"), checkpointer=saver).invoke({"messages": "How much?"}, config)


PROGRAM = """
    import json, os, sys
    from langgraph.checkpoint.sqlite import SqliteSaver
    from adaptive_reasoner import build_reasoning_graph
    from adaptive_reasoner.testing import Reply, ScriptedChatModel

    folder, given, is_first = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3] == "first"

    def block(call):
        print("thinking", flush=True)
        import time
        time.sleep(60)

    fast = ScriptedChatModel([Reply(text="41", probability=0.3)] if is_first else [])
    deep = ScriptedChatModel([block] if is_first else ["42"], model_name="large")
    with SqliteSaver.from_conn_string(os.path.join(folder, "threads.sqlite")) as saver:
        graph = build_reasoning_graph(fast, deep, checkpointer=saver)
        state = graph.invoke(given, {"configurable": {"thread_id": "1"}}, durability="sync")
        rounds = [[one["node"], one["verdict"]] for one in state["reasoning"]["rounds"]]
        print(json.dumps([state["messages"][-1].text, rounds, len(fast.calls)]))
"""


def test_a_thread_goes_on_where_its_process_was_killed(tmp_path):
    def start(given, which):
        return subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(PROGRAM), str(tmp_path), json.dumps(given), which],
            env={**os.environ, "LANGGRAPH_STRICT_MSGPACK": "true"},
            stdout=subprocess.PIPE,
            text=True,
        )

    with start({"messages": "How much?"}, "first") as first:
        assert first.stdout.readline() == "thinking\n"
        first.send_signal(signal.SIGKILL)
    with start(None, "second") as second:
        answer, rounds, fast_calls = json.loads(second.stdout.read())
    assert (answer, fast_calls) == ("42", 0)
    assert rounds == [["fast_answer", "escalate"], ["deep_think", "accept"]]


def test_a_turn_broken_off_between_gate_and_tool_does_not_spoil_the_thread(build):
    from langchain_core.tools import tool

    @tool
    def weather(city: str) -> str:
        """Forecast."""
        raise KeyboardInterrupt

    call = Reply(tool_calls=[{"name": "weather", "args": {"city": "Rome"}}])
    graph = build(call, sure("Fine."), tools=[weather], checkpointer=InMemorySaver())
    with pytest.raises(KeyboardInterrupt):
        graph.invoke({"messages": "Weather?"}, THREAD)
    state = graph.invoke({"messages": "How are you?"}, THREAD)
    assert state["messages"][-1].text == "Fine."
    assert [message.type for message in graph.model.calls[1].messages] == ["human", "human"]


def test_threads_beside_each_other_do_not_mix(build):
    answers = {f"Question {n}?": f"Answer {n}" for n in range(8)}

    def step(call):
        return sure(answers[str(call.messages[-1].text)])

    graph = build(*[step] * 32, checkpointer=InMemorySaver())

    async def every_one():
        asked = [
            graph.ainvoke({"messages": question}, {"configurable": {"thread_id": question}})
            for question in answers
        ]
        return await asyncio.gather(*asked)

    assert [str(state["messages"][-1].text) for state in asyncio.run(every_one())] == list(answers.values())

    from concurrent.futures import ThreadPoolExecutor

    def one(question):
        state = graph.invoke({"messages": question}, {"configurable": {"thread_id": question}})
        return [str(message.text) for message in state["messages"]]

    with ThreadPoolExecutor(8) as pool:
        threads = list(pool.map(one, answers))
    assert threads == [[q, a, q, a] for q, a in answers.items()]


def test_one_graph_answers_many_at_once_without_a_checkpointer(build):
    def step(call):
        question = str(call.messages[-1].text)
        return sure(question.removesuffix("?")) if len(call.messages) == 2 else disbelieved("unsure")

    graph = build(*[step] * 80)
    questions = [f"Echo {n}?" for n in range(40)]
    states = graph.batch([{"messages": question} for question in questions])
    assert [f"{state['messages'][-1].text}?" for state in states] == questions
    assert build_reasoning_graph  # the graph itself keeps nothing of a run
