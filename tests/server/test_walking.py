"""A walk along the graph's edges gives what LangGraph's engine gives."""

import asyncio
import re

import pytest
from langchain_core.messages import HumanMessage
from langgraph.errors import GraphRecursionError

from adaptive_reasoner import Budget, ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.server.walking import Walk, can_walk
from adaptive_reasoner.testing import Reply, ScriptedChatModel
from adaptive_reasoner.uncertainty.agreement import SampleAgreement

SURE, DOUBTED = Reply(text="Answer: 42", probability=0.999), Reply(text="Answer: 41", probability=0.3)
USAGE = {"input_tokens": 10, "output_tokens": 20, "total_tokens": 30}
WAYS = {
    "accepted": [SURE],
    "refined": [DOUBTED, SURE],
    "escalated": [DOUBTED, DOUBTED, SURE],
    "given up": [DOUBTED],
    "failed": [ValueError("no")],
    "failed, then answered": [ValueError("no"), SURE],
    "called a tool": [Reply(text="", tool_calls=[{"name": "pay", "args": {"eur": 3}, "id": "1"}])],
}
CONFIG = {"recursion_limit": 60, "configurable": {"thread_id": "7"}}
TOOLS = {"tools": [{"type": "function", "function": {"name": "pay", "parameters": {"type": "object"}}}]}


def graph_of(steps, **settings):
    model = ScriptedChatModel(steps, cycle=True, usage=USAGE)
    return build_reasoning_graph(model, config=ReasonerConfig(**settings)), model


def plain(output):
    """The run without what two runs never share: ids, and times in seconds."""
    last = output["messages"][-1]
    report = {**output["reasoning"], "rounds": [_timeless(one) for one in output["reasoning"]["rounds"]]}
    report["budget"] = _timeless(report["budget"] or {})
    return last.content, last.tool_calls, len(output["messages"]), _without_seconds(str(report))


def _timeless(one):
    return {name: value for name, value in one.items() if "seconds" not in name}


def _without_seconds(text):
    return re.sub(r"[\d.]+ seconds|[\d.]+ s\b", "", text)


def both(steps, context=None, **settings):
    """The same run by LangGraph and by a walk, and the calls that each made."""
    seen = []
    for walks in (False, True):
        graph, model = graph_of(steps, **settings)
        question = [HumanMessage("How much is it?", id="q")]
        if walks:
            output = asyncio.run(Walk(graph).run(question, CONFIG, context or {}))
        else:
            output = asyncio.run(graph.ainvoke({"messages": question}, CONFIG, context=context or {}))
        seen.append((plain(output), [call.kwargs for call in model.calls]))
    return seen


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "context",
    [
        {},
        {"thinking": "on"},
        {"thinking": "off"},
        {"importance": "high"},
        {"model_kwargs": {"seed": 3, **TOOLS}},
    ],
    ids=str,
)
def test_answer_report_and_calls_are_those_of_langgraph(way, context):
    by_langgraph, by_walk = both(WAYS[way], context)
    assert by_walk == by_langgraph


@pytest.mark.parametrize("budget", [Budget(max_model_calls=1), Budget(max_tokens=70)])
def test_budgets_hold_as_they_do_under_langgraph(budget):
    by_langgraph, by_walk = both([DOUBTED], budget=budget)
    assert by_walk == by_langgraph
    assert len(by_walk[1]) < 3


def test_a_second_opinion_is_sought_on_the_way_to_the_gate():
    unknown = Reply(text="Answer: 42", drop_logprobs=True)
    by_langgraph, by_walk = both([unknown], fallback_signals=(SampleAgreement(max_samples=2),))
    assert by_walk == by_langgraph


def test_a_budget_of_a_ledger_is_spent_once_a_call(tmp_path):
    pytest.importorskip("sqlalchemy", reason="the extra `budgets` is not installed")
    url = f"sqlite:///{tmp_path / 'budgets.sqlite'}"
    graph, model = graph_of([SURE], budget=Budget(max_model_calls=2, per="tenant"), ledger=url)
    walk = Walk(graph)

    async def ask_three():
        return [await walk.run([HumanMessage(f"{n}?")], CONFIG, {"tenant": "acme"}) for n in range(3)]

    reports = [output["reasoning"] for output in asyncio.run(ask_three())]
    assert [one["rounds"][0].get("error") for one in reports] == [None, None, "budget_exhausted"]
    assert len(model.calls) == 2


def test_more_steps_than_the_limit_are_not_taken():
    graph, _ = graph_of([SURE])
    with pytest.raises(GraphRecursionError):
        asyncio.run(Walk(graph).run([HumanMessage("?")], {"recursion_limit": 2}, {}))


def test_whoever_reviews_or_looks_on_gets_langgraphs_run(monkeypatch):
    assert can_walk(ReasonerConfig())
    assert not can_walk(ReasonerConfig(review="low_confidence"))
    from langchain_core.globals import set_debug

    set_debug(True)
    try:
        assert not can_walk(ReasonerConfig())
    finally:
        set_debug(False)
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    monkeypatch.setenv("LANGSMITH_API_KEY", "none")
    from langsmith.utils import get_env_var

    get_env_var.cache_clear()
    try:
        assert not can_walk(ReasonerConfig())
    finally:
        monkeypatch.undo()
        get_env_var.cache_clear()
