"""A person's review inside a chat model: only within a graph that keeps the run until the person has decided."""

import asyncio

import pytest
from chat_model_ways import adaptive, call, disbelieved, report_of, scripted, sure
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command

from adaptive_reasoner import AdaptiveChatModel, ReasonerConfig
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.integrations.chat_model_answer import answer_of

REVIEWED = ReasonerConfig(review="low_confidence", max_refinements=0)
THREAD = {"configurable": {"thread_id": "1"}}


def around(model, checkpointer=None):
    """A graph with one node, which asks `model`."""

    def answer(state):
        return {"messages": [model.invoke(state["messages"])]}

    async def aanswer(state):
        return {"messages": [await model.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState).add_node("answer", RunnableLambda(answer, afunc=aanswer))
    return graph.add_edge(START, "answer").compile(checkpointer=checkpointer)


def doubtful(*more):
    return adaptive(disbelieved("41"), disbelieved("43"), *more, config=REVIEWED)


def test_without_a_graph_around_it_the_call_is_refused_before_it_costs():
    model = doubtful()
    with pytest.raises(ConfigurationError, match="within a graph or an agent that has a checkpointer"):
        model.invoke("How much?")
    assert model.fast.calls == []


def test_without_a_checkpointer_the_call_is_refused_before_it_costs():
    model = doubtful()
    with pytest.raises(ConfigurationError, match="has a checkpointer"):
        around(model).invoke({"messages": "How much?"})
    assert model.fast.calls == []


@pytest.mark.parametrize("run", ["invoke", "ainvoke"])
def test_in_a_graph_a_person_decides_and_no_call_is_made_twice(run):
    model = doubtful()
    graph = around(model, InMemorySaver())

    def go(given):
        if run == "invoke":
            return graph.invoke(given, THREAD)
        return asyncio.run(graph.ainvoke(given, THREAD))

    waiting = go({"messages": "How much?"})
    assert waiting["__interrupt__"][0].value["kind"] == "review"
    assert waiting["__interrupt__"][0].value["answer"] == "43"
    done = go(Command(resume={"action": "edit", "answer": "42"}))
    assert done["messages"][-1].text == "42"
    assert report_of(done["messages"][-1])["review"]["action"] == "edit"
    assert len(model.fast.calls) == 2


def test_the_next_turn_of_the_thread_is_a_run_of_its_own():
    model = doubtful(sure("Fine."))
    graph = around(model, InMemorySaver())
    graph.invoke({"messages": "How much?"}, THREAD)
    graph.invoke(Command(resume="approve"), THREAD)
    assert graph.invoke({"messages": "And how are you?"}, THREAD)["messages"][-1].text == "Fine."
    assert len(model.fast.calls) == 3


def test_an_agents_doubted_call_waits_for_a_person_and_runs_once():
    ran = []

    @tool
    def weather(city: str) -> str:
        """Forecast for a city."""
        ran.append(city)
        return f"{city}: sunny"

    model = AdaptiveChatModel(
        fast=scripted(call("Rom", 0.3), call("Rome", 0.5), sure("Sunny in Rome.")), config=REVIEWED
    )
    agent = create_agent(model, [weather], checkpointer=InMemorySaver())
    waiting = agent.invoke({"messages": "Weather in Rome?"}, THREAD)
    assert waiting["__interrupt__"][0].value["tool_calls"] == [{"name": "weather", "args": {"city": "Rome"}}]
    assert ran == []
    done = agent.invoke(Command(resume="approve"), THREAD)
    assert ran == ["Rome"]
    assert done["messages"][-1].text == "Sunny in Rome."


def test_a_rejected_call_is_not_run():
    ran = []

    @tool
    def weather(city: str) -> str:
        """Forecast for a city."""
        ran.append(city)
        return f"{city}: sunny"

    model = AdaptiveChatModel(fast=scripted(call("Rom", 0.3), call("Rome", 0.5)), config=REVIEWED)
    agent = create_agent(model, [weather], checkpointer=InMemorySaver())
    agent.invoke({"messages": "Weather in Rome?"}, THREAD)
    done = agent.invoke(Command(resume="reject"), THREAD)
    assert ran == []
    assert "withheld" in done["messages"][-1].text


def test_two_calls_one_after_the_other_in_a_node_are_resumed_in_their_order():
    model = AdaptiveChatModel(
        fast=scripted(sure("one"), disbelieved("2?"), disbelieved("3?")), config=REVIEWED
    )

    def answer(state):
        return {"messages": [model.invoke("First?"), model.invoke("Second?")]}

    graph = StateGraph(MessagesState).add_node("answer", answer).add_edge(START, "answer")
    kept = graph.compile(checkpointer=InMemorySaver())
    assert kept.invoke({"messages": "Go."}, THREAD)["__interrupt__"]
    done = kept.invoke(Command(resume={"action": "edit", "answer": "two"}), THREAD)
    assert [message.text for message in done["messages"][1:]] == ["one", "two"]
    assert len(model.fast.calls) == 3


def test_without_reviews_nothing_of_the_loop_is_kept_in_the_graphs_checkpoints():
    saver, model = InMemorySaver(), adaptive(disbelieved("41"), sure("42"))
    around(model, saver).invoke({"messages": "How much?"}, THREAD)
    assert {one.config["configurable"]["checkpoint_ns"] for one in saver.list(None)} == {""}


def test_another_calls_run_is_never_taken_for_this_ones():
    output = {"messages": [HumanMessage("First?"), AIMessage("one")], "reasoning": {}}
    with pytest.raises(ConfigurationError, match="answers other messages than these"):
        answer_of(output, [HumanMessage("Second?")])
