"""Fast answers whose stream is cut: what is paid, reported and handed on, in every way to run the graph."""

import time

import pytest
from early_cuts import DRAFT, SURE, SlowChatModel, cutting, sure, worked
from graph_ways import WAYS
from langchain_core.caches import InMemoryCache
from langchain_core.tools import tool

from adaptive_reasoner import Budget, GateProfile, build_reasoning_graph
from adaptive_reasoner.budget import ThinkingShare
from adaptive_reasoner.testing import Reply, ScriptedChatModel


def test_a_doomed_draft_is_cut_and_thinking_answers(build, ask):
    graph = build(worked(), sure(), config=cutting())
    run = ask(graph)
    assert run.steps == [("fast_answer", "escalate"), ("deep_think", "accept")]
    assert run.answer == SURE
    draft, answer = run.report["rounds"]
    assert draft["cut"]["after_tokens"] == 3
    assert draft["usage"]["output_tokens"] == 3  # of ten
    assert draft["usage_estimated"] is True
    assert draft["usage"]["input_tokens"] > 0
    assert draft["signal"]["kind"] == "unknown"
    assert "the stream was cut after 3 tokens" in draft["reason"]
    assert "cut" not in answer
    assert run.report["accepted_round"] == 1
    total = sum(one["usage"]["total_tokens"] for one in run.report["rounds"])
    assert run.report["usage"]["total_tokens"] == total


def test_a_sure_draft_comes_to_its_end(build, ask_few):
    run = ask_few(build(worked(probability=0.9), config=cutting()))
    assert run.steps == [("fast_answer", "accept")]
    assert run.answer == DRAFT
    assert run.report["rounds"][0]["usage"]["output_tokens"] == 10
    assert "usage_estimated" not in run.report["rounds"][0]
    assert run.report["rounds"][0]["signal"]["token_count"] > 0


def test_without_a_rule_nothing_is_cut(build, ask_few):
    config = cutting(gate=GateProfile.default())
    run = ask_few(build(worked(), sure(), config=config))
    assert run.report["rounds"][0]["usage"]["output_tokens"] == 10
    assert "cut" not in run.report["rounds"][0]


@pytest.mark.parametrize(
    ("config", "options"),
    [
        (cutting(), {"context": {"thinking": "off"}}),
        (cutting(max_model_calls=1), {}),
        (cutting(budget=Budget(max_model_calls=1)), {}),
        (cutting(allocation=ThinkingShare(0.3)), {}),
    ],
    ids=["thinking off", "no further call", "no budget for another", "a price of thinking"],
)
def test_what_nothing_could_replace_is_not_cut(build, ask_few, config, options):
    run = ask_few(build(worked(), sure(), config=config), **options)
    assert "cut" not in run.report["rounds"][0]
    assert run.report["rounds"][0]["usage"]["output_tokens"] == 10


def test_a_token_budget_that_pays_for_both_lets_the_draft_be_cut(build, ask_few):
    run = ask_few(build(worked(), sure(), config=cutting(budget=Budget(max_tokens=5000))))
    assert run.report["rounds"][0]["cut"]["after_tokens"] == 3
    assert run.report["budget"]["used_tokens"] == run.report["usage"]["total_tokens"]


def test_a_cut_draft_is_not_accepted_where_unknown_answers_are(build, ask_few):
    run = ask_few(build(worked(), sure(), config=cutting(accept_unknown=True)))
    assert run.steps == [("fast_answer", "escalate"), ("deep_think", "accept")]
    assert run.answer == SURE


def test_an_offer_of_tools_is_not_watched(build, ask_few):
    @tool
    def weather(city: str) -> str:
        """Forecast."""
        return city

    run = ask_few(build(worked(), sure(), tools=[weather], config=cutting()))
    assert "cut" not in run.report["rounds"][0]


def test_the_ledger_counts_what_was_paid(shared, ledger):
    graph = shared(Budget(max_tokens=5000, per="tenant"), model=_model(worked(), sure()), gate=cutting().gate)
    state = graph.invoke({"messages": [("user", "How much is it?")]}, context={"tenant": "t"})
    assert state["reasoning"]["rounds"][0]["cut"]["after_tokens"] == 3
    [account] = state["reasoning"]["budget"]["accounts"].values()
    assert account["tokens"] == state["reasoning"]["usage"]["total_tokens"]


def _model(*replies):
    return ScriptedChatModel(replies, logprobs_in_chunks=True)


def test_a_cut_answer_from_the_cache_is_still_cut(scripted):
    cache = InMemoryCache()
    steps = []
    for replies in ((worked(), sure()), ()):
        graph = build_reasoning_graph(scripted(*replies, cache=cache), config=cutting())
        report = graph.invoke({"messages": [("user", "How much is it?")]})["reasoning"]
        steps.append([(one["node"], one["verdict"], "cut" in one) for one in report["rounds"]])
    assert steps[0] == steps[1] == [("fast_answer", "escalate", True), ("deep_think", "accept", False)]
    unwatched = build_reasoning_graph(
        scripted(worked(), cache=cache), config=cutting(gate=GateProfile.default())
    )
    state = unwatched.invoke({"messages": [("user", "How much is it?")]}, context={"thinking": "off"})
    assert state["messages"][-1].text == DRAFT


def test_a_cut_draft_is_never_the_answer_even_if_thinking_fails(build, ask_few):
    run = ask_few(build(worked(), Reply(text=""), config=cutting(max_refinements=0)))
    assert run.steps == [("fast_answer", "escalate"), ("deep_think", "give_up")]
    assert run.report["accepted_round"] == -1
    assert "41" not in run.answer


def test_chat_openai_is_cut_over_http(chat_openai, scripted, ask_few):
    model = scripted(worked(), sure())
    run = ask_few(build_reasoning_graph(chat_openai(model), config=cutting()))
    assert run.answer == SURE
    assert run.report["rounds"][0]["cut"]["after_tokens"] == 3
    assert run.report["rounds"][0]["usage"]["output_tokens"] == 3


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream messages", "astream messages"])
def test_the_provider_stops_generating(chat_openai, way):
    from adaptive_reasoner import build_reasoning_graph

    slow = SlowChatModel()
    deep = ScriptedChatModel([sure()], logprobs_in_chunks=True)
    run = WAYS[way](
        build_reasoning_graph(chat_openai(slow), deep, config=cutting()),
        {"messages": [("user", "How much is it?")]},
    )
    assert run.answer == SURE
    assert run.report["rounds"][0]["cut"]["after_tokens"] == 5
    generated = -1
    while generated != len(slow.generated):  # until it has stopped
        generated = len(slow.generated)
        time.sleep(0.1)
    assert generated < 60  # of 400; a few are on their way when the connection is closed
