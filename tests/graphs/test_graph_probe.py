"""Triage by a probe: its call is paid, counted and kept out of the stream."""

import asyncio

import pytest
from graph_ways import sure
from langgraph.checkpoint.memory import InMemorySaver

from adaptive_reasoner import Budget, ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.errors import ModelError
from adaptive_reasoner.testing import Reply, ScriptedChatModel
from adaptive_reasoner.triage import ProbeEstimator

QUESTION = {"messages": "How much is 6 * 7?"}
DOUBTED, CLEAR = Reply(text="41", probability=0.3), Reply(text="42", probability=0.95)


def graph_of(*steps, checkpointer=None, **settings):
    model = ScriptedChatModel(steps)
    config = ReasonerConfig(triage=ProbeEstimator(model), **settings)
    return build_reasoning_graph(model, config=config, checkpointer=checkpointer), model


@pytest.mark.parametrize(("probe", "route"), [(DOUBTED, "deep"), (CLEAR, "fast")])
def test_a_doubted_bare_answer_thinks_at_once(probe, route):
    graph, model = graph_of(probe, sure("42"))
    report = graph.invoke(QUESTION)["reasoning"]
    assert (report["route"], report["triage"]["source"]) == (route, "probe")
    assert len(model.calls) == 2


def test_the_probe_counts_in_usage_and_in_the_thread():
    graph, _ = graph_of(CLEAR, sure("42"), CLEAR, sure("43"), checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}
    report = graph.invoke(QUESTION, thread)["reasoning"]
    probe, answer = report["triage"]["usage"], report["rounds"][0]["usage"]
    assert probe["total_tokens"] > 0
    assert report["usage"]["total_tokens"] == probe["total_tokens"] + answer["total_tokens"]
    totals = graph.get_state(thread).values["thread_totals"]
    assert (totals["model_calls"], totals["tokens"]) == (2, report["usage"]["total_tokens"])
    graph.invoke({"messages": "How much is 7 * 8?"}, thread)
    assert graph.get_state(thread).values["thread_totals"]["model_calls"] == 4


def test_a_budget_that_has_room_for_one_call_may_spend_it_on_the_probe_alone():
    graph, model = graph_of(CLEAR, sure("42"), budget=Budget(max_model_calls=2))
    assert graph.invoke(QUESTION)["reasoning"]["budget"]["used_model_calls"] == 2
    assert len(model.calls) == 2


def test_a_budget_that_cannot_pay_for_the_probe_goes_without():
    graph, model = graph_of(sure("42"), budget=Budget(max_tokens=1))
    report = graph.invoke(QUESTION)["reasoning"]
    assert model.calls == []
    assert "usage" not in report["triage"]
    assert "budget per query" in report["triage"]["reason"]


def test_no_probe_is_made_where_a_rule_decides():
    graph, model = graph_of(sure("42"), never_think=("much",))
    graph.invoke(QUESTION)
    assert len(model.calls) == 1


def test_a_probe_that_fails_leaves_the_choice_to_the_gate():
    graph, _ = graph_of(ModelError("gone"), sure("42"))
    result = graph.invoke(QUESTION)
    assert result["messages"][-1].text == "42"
    assert "not answered" in result["reasoning"]["triage"]["reason"]


def test_the_probes_answer_is_not_streamed_and_async_runs_alike():
    graph, _ = graph_of(CLEAR, sure("42 it is"))
    streamed = "".join(chunk.text for chunk, _ in graph.stream(QUESTION, stream_mode="messages"))
    assert "42 it is" in streamed
    assert streamed.count("42") == 1
    graph, _ = graph_of(CLEAR, sure("42"))
    assert asyncio.run(graph.ainvoke(QUESTION))["reasoning"]["triage"]["source"] == "probe"
