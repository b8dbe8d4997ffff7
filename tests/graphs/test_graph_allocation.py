"""A budget that is kept on average: triage, the gate and the report know its price, and every query counts."""

import pytest
from graph_ways import disbelieved, sure
from langgraph.checkpoint.memory import InMemorySaver

from adaptive_reasoner import ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.budget import ThinkingShare, TokensPerQuery
from adaptive_reasoner.budget.dual_price import Steps
from adaptive_reasoner.config import Spending
from adaptive_reasoner.testing import ScriptedChatModel


class Foreseeing:
    """An estimator that predicts the same gain for every question."""

    think_at_gain = 0.2

    def __init__(self, gain: float) -> None:
        self.gain = gain

    def estimate(self, messages):
        return {"gain": self.gain, "difficulty": 0.5, "source": "fixed", "reason": "fixed"}


def thinking(allocation, **fields):
    return ReasonerConfig(allocation=allocation, max_refinements=0, **fields)


def test_a_price_keeps_a_doubted_answer_from_thinking(ask, build):
    graph = build(disbelieved("41"), config=thinking(ThinkingShare(0.3, start_price=0.9)))

    run = ask(graph)

    assert run.steps == [("fast_answer", "give_up")]  # handed on as unsure, not as sure
    assert "at this price: thinking costs 0.900" in run.report["rounds"][0]["reason"]
    assert run.report["allocation"]["queries"] == 1
    assert run.report["allocation"]["share"] == 0.0


def test_without_a_price_to_pay_it_thinks(ask_few, build):
    run = ask_few(build(disbelieved("41"), sure("42"), config=thinking(ThinkingShare(0.3))))

    assert run.steps == [("fast_answer", "escalate"), ("deep_think", "accept")]
    assert run.report["allocation"]["share"] == 1.0
    assert run.report["allocation"]["price_per_thinking_query"] > 0


@pytest.mark.parametrize(("price", "route"), [(0.1, "deep"), (0.5, "fast")])
def test_triage_thinks_at_once_only_where_the_gain_reaches_the_price(build, price, route):
    allocation = ThinkingShare(0.3, start_price=price)
    graph = build(sure("42"), config=thinking(allocation, triage=Foreseeing(0.3)))

    report = graph.invoke({"messages": "How?"})["reasoning"]

    assert report["route"] == route
    if route == "fast":
        assert report["triage"]["reason"] == "fixed; predicted gain 0.30 < 0.50, the price of thinking"


def test_important_questions_think_at_any_price_and_count(build):
    allocation = ThinkingShare(0.3, start_price=1.0)
    graph = build(sure("42"), config=thinking(allocation))

    graph.invoke({"messages": "How?"}, context={"importance": "high"})

    assert allocation.report()["share"] == 1.0


def test_the_share_is_held_over_many_queries():
    fast = ScriptedChatModel([disbelieved("41")], cycle=True)
    allocation = ThinkingShare(0.3, steps=Steps(first=0.2, last=0.02))
    graph = build_reasoning_graph(
        fast, ScriptedChatModel([sure("42")], cycle=True), config=thinking(allocation)
    )

    nodes = [len(graph.invoke({"messages": "How?"})["reasoning"]["rounds"]) - 1 for _ in range(300)]

    # all answers are alike, so the price ends where thinking is as dear as what it may gain
    assert sum(nodes) / 300 == pytest.approx(0.3, abs=0.05)


def test_tokens_of_all_calls_count(build):
    allocation = TokensPerQuery(50)
    graph = build(disbelieved("41"), sure("42"), config=thinking(allocation))

    report = graph.invoke({"messages": "How?"})["reasoning"]

    assert report["allocation"]["tokens_a_query"] == report["usage"]["total_tokens"]
    assert report["allocation"]["tokens_a_thinking_call"] == report["rounds"][1]["usage"]["total_tokens"]


def test_each_tenant_may_have_its_own_price(build):
    allocation = ThinkingShare(0.3, per="tenant")
    for _ in range(100):
        allocation.observe(Spending(thinking_calls=1, thinking_tokens=10, tokens=10), "busy")
    graph = build(disbelieved("41"), disbelieved("41"), sure("42"), config=thinking(allocation))

    busy = graph.invoke({"messages": "How?"}, context={"tenant": "busy"})["reasoning"]
    quiet = graph.invoke({"messages": "How?"}, context={"tenant": "quiet"})["reasoning"]

    assert [one["node"] for one in busy["rounds"]] == ["fast_answer"]
    assert [one["node"] for one in quiet["rounds"]] == ["fast_answer", "deep_think"]


def test_the_report_of_an_allocation_survives_a_strict_checkpointer(build, monkeypatch):
    monkeypatch.setenv("LANGGRAPH_STRICT_MSGPACK", "true")
    graph = build(sure("42"), config=thinking(ThinkingShare(0.3)), checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}

    graph.invoke({"messages": "How?"}, config)

    assert graph.get_state(config).values["reasoning"]["allocation"]["most"] == 0.3
