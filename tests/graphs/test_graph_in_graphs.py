"""The compiled graph inside others, and what is plugged into it: recorders, stores, parents."""

from typing import Annotated, TypedDict

import pytest
from graph_ways import disbelieved, doubted, sure
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import InjectedStore
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command

from adaptive_reasoner import ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.testing import Reply

THREAD = {"configurable": {"thread_id": "1"}}


class Parent(TypedDict, total=False):
    messages: Annotated[list, add_messages]
    reasoning: dict
    checked: str


@pytest.fixture
def inside():
    """A function from a graph to a parent that runs it as a node and then reads its report."""

    def make(graph, **options):
        def check(state):
            return {"checked": f"{state['messages'][-1].text} by {state['reasoning']['rounds'][-1]['node']}"}

        parent = StateGraph(Parent)
        parent.add_node("reasoner", graph)
        parent.add_node("check", check)
        parent.add_edge(START, "reasoner")
        parent.add_edge("reasoner", "check")
        parent.add_edge("check", END)
        return parent.compile(**options)

    return make


def test_runs_as_a_node_of_another_graph(ask, build, inside):
    run = ask(inside(build(disbelieved("41"), sure("42"))))
    assert run.state["checked"] == "42 by deep_think"


def test_a_review_surfaces_in_the_parent_and_resumes_there(ask_few, build, inside):
    config = ReasonerConfig(review="low_confidence", max_refinements=0)
    parent = inside(build(disbelieved("41"), doubted("42"), config=config), checkpointer=InMemorySaver())
    waiting = ask_few(parent, config=THREAD)
    assert waiting.interrupts[0].value["kind"] == "review"
    run = ask_few(parent, Command(resume="approve"), config=THREAD)
    assert run.state["checked"] == "42 by deep_think"


def test_turns_of_a_parents_thread_follow_each_other(ask_few, build, inside):
    parent = inside(build(sure("42"), sure("43")), checkpointer=InMemorySaver())
    ask_few(parent, config=THREAD)
    run = ask_few(parent, "And then?", config=THREAD)
    assert [str(message.text) for message in run.state["messages"]] == [
        "How much is it?",
        "42",
        "And then?",
        "43",
    ]


@pytest.fixture
def recorder():
    class Keeping:
        def __init__(self):
            self.records = []

        def record(self, record):
            self.records.append(record)

    return Keeping()


def test_a_recorder_gets_one_record_a_run(ask, build, recorder):
    graph = build(doubted("41"), sure("42"), recorder=recorder)
    run = ask(graph, context={"tenant": "Ada"})
    [record] = recorder.records
    assert record["question"] == "How much is it?"
    assert record["answer"] == "42"
    assert record["report"] == run.report
    assert record["tenant"] == "Ada"
    assert record["thread_id"] is None


def test_a_recorder_gets_one_record_a_reviewed_run(ask_few, build, recorder):
    config = ReasonerConfig(review="low_confidence", max_refinements=0)
    graph = build(
        disbelieved("41"), doubted("42"), recorder=recorder, config=config, checkpointer=InMemorySaver()
    )
    ask_few(graph, config=THREAD)
    assert recorder.records == []
    ask_few(graph, Command(resume="approve"), config=THREAD)
    [record] = recorder.records
    assert record["thread_id"] == "1"
    assert record["report"]["review"] == {"action": "approve"}


def test_tools_reach_the_store(scripted):
    @tool
    def remember(fact: str, store: Annotated[object, InjectedStore()]) -> str:
        """Keep a fact."""
        store.put(("facts",), "1", {"fact": fact})
        return "kept"

    store = InMemoryStore()
    call = Reply(tool_calls=[{"name": "remember", "args": {"fact": "42"}}])
    graph = build_reasoning_graph(scripted(call, sure("Kept.")), tools=[remember], store=store)
    assert graph.invoke({"messages": "Remember 42."})["messages"][-1].text == "Kept."
    assert store.get(("facts",), "1").value == {"fact": "42"}


def test_the_drawing_names_the_rooms_of_the_house(build):
    nodes = set(build(sure("42")).get_graph().nodes)
    rooms = {"triage", "fast_answer", "deep_think", "confidence_gate", "refine", "review", "hand_off"}
    assert nodes == {"__start__", *rooms, "__end__"}


def test_settings_reach_the_graph_as_configurable_of_a_parent(ask_few, build, inside):
    parent = inside(build(sure("42")))
    run = ask_few(parent, config={"configurable": {"thinking": "on"}})
    assert run.state["checked"] == "42 by deep_think"
