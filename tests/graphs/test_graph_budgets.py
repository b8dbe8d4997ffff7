"""Hard limits: never exceeded, best so far on exhaustion, and the report says which one it was."""

import time

import pytest
from graph_ways import disbelieved, doubted, sure
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver

from adaptive_reasoner import Budget, ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.testing import Reply, ScriptedChatModel

THREAD = {"configurable": {"thread_id": "1"}}
CAREFUL = ReasonerConfig(max_refinements=3)


def obedient(call):
    """Writes as many tokens as it may: the worst case that a budget must reckon with."""
    most = call.kwargs.get("max_tokens", 500)
    spent = sum(len(str(message.text)) // 4 + 3 for message in call.messages)
    usage = {"input_tokens": spent, "output_tokens": most, "total_tokens": spent + most}
    return Reply(text=f"Perhaps {len(call.messages)}", probability=0.6, usage=usage)


@pytest.mark.parametrize("limit", [10, 40, 100, 250, 600, 1500])
def test_a_query_never_uses_more_tokens_than_its_budget(build, limit):
    config = ReasonerConfig(budget=Budget(max_tokens=limit), max_refinements=3)
    report = build(*[obedient] * 8, config=config).invoke({"messages": "How much is it?"})["reasoning"]
    assert report["usage"]["total_tokens"] <= limit
    assert report["budget"]["used_tokens"] == report["usage"]["total_tokens"]
    assert f"of {limit} tokens are used" in report["budget"]["exhausted"]


@pytest.mark.parametrize("limit", [100, 600, 1500])
def test_a_thread_never_uses_more_tokens_than_its_budget(build, limit):
    config = ReasonerConfig(budget=Budget(max_tokens=limit, per="thread"), max_output_tokens=200)
    graph = build(*[obedient] * 40, config=config, checkpointer=InMemorySaver())
    reports = [graph.invoke({"messages": f"Question {n}?"}, THREAD)["reasoning"] for n in range(8)]
    used = sum(report["usage"]["total_tokens"] for report in reports)
    assert limit - 200 < used <= limit
    assert "budget per thread" in reports[-1]["budget"]["exhausted"]
    assert graph.get_state(THREAD).values["thread_totals"]["tokens"] == used


def test_what_is_left_of_the_budget_caps_the_answer(build):
    graph = build(sure("42"), config=ReasonerConfig(budget=Budget(max_tokens=100)))
    graph.invoke({"messages": "How much is it?"})
    assert 8 <= graph.model.calls[0].kwargs["max_tokens"] < 100


@pytest.mark.parametrize(
    ("fields", "config", "expected"),
    [
        ({}, {}, None),
        ({}, {"max_output_tokens": 50}, 50),
        ({"max_tokens": 20}, {"budget": Budget(max_tokens=100_000)}, 20),
        ({"max_tokens": 20}, {"budget": Budget(max_tokens=100_000), "max_output_tokens": 50}, 20),
        ({"profile": {"max_output_tokens": 30}}, {"budget": Budget(max_tokens=100_000)}, 30),
        ({}, {"budget": Budget(max_tokens=100_000)}, 4096),
        ({}, {"budget": Budget(max_model_calls=3)}, None),
    ],
)
def test_a_large_budget_asks_for_no_more_than_the_model_can_write(scripted, fields, config, expected):
    model = scripted(sure("42"), **fields)
    build_reasoning_graph(model, config=ReasonerConfig(**config)).invoke({"messages": "How much?"})
    assert model.calls[0].kwargs.get("max_tokens") == expected


def test_the_best_so_far_is_handed_on_when_tokens_run_out(ask, build):
    graph = build(doubted("It is 41"), sure("42"), config=ReasonerConfig(budget=Budget(max_tokens=60)))
    run = ask(graph)
    assert run.steps == [("fast_answer", "give_up")]
    assert (run.answer, run.report["accepted_round"]) == ("It is 41", 0)
    assert run.report["budget"]["limits"] == [{"max_tokens": 60, "per": "query"}]
    assert run.report["budget"]["exhausted"].startswith("budget per query: ")
    assert run.report["budget"]["exhausted"] in run.report["rounds"][0]["reason"]


def test_a_budget_that_pays_for_nothing_says_so(ask_few, build):
    graph = build(sure("42"), config=ReasonerConfig(budget=Budget(max_tokens=5)))
    run = ask_few(graph)
    assert run.report["rounds"][0]["error"] == "budget_exhausted"
    assert (run.report["usage"]["total_tokens"], run.report["budget"]["used_model_calls"]) == (0, 0)
    assert "0 of 5 tokens are used" in run.report["budget"]["exhausted"]
    assert "0 of 5 tokens are used" in run.answer
    assert graph.model.calls == []


@pytest.mark.parametrize(("calls", "nodes"), [(1, 1), (2, 2), (3, 3)])
def test_calls_are_counted(ask_few, build, calls, nodes):
    graph = build(
        doubted("41"),
        doubted("42"),
        doubted("43"),
        config=ReasonerConfig(budget=Budget(max_model_calls=calls)),
    )
    run = ask_few(graph)
    assert len(run.report["rounds"]) == nodes
    assert run.report["budget"]["used_model_calls"] == calls
    if calls < 3:
        assert f"{calls} of {calls} model calls are used" in run.report["budget"]["exhausted"]


def test_failed_calls_count(build):
    graph = build(ValueError("no"), sure("42"), config=ReasonerConfig(budget=Budget(max_model_calls=1)))
    report = graph.invoke({"messages": "How much?"})["reasoning"]
    assert [one["verdict"] for one in report["rounds"]] == ["give_up"]
    assert report["budget"]["used_model_calls"] == 1


def test_max_model_calls_is_a_hard_cap_beside_any_budget(build):
    graph = build(
        *[doubted(str(n)) for n in range(9)], config=ReasonerConfig(max_refinements=10, max_model_calls=4)
    )
    report = graph.invoke({"messages": "How much?"})["reasoning"]
    assert len(report["rounds"]) == 4
    assert report["budget"]["exhausted"] == "max_model_calls: 4 of 4 model calls are used"


def test_seconds_end_a_call_that_takes_longer(ask_few, build):
    slow = Reply(text="late", delay_seconds=10)
    graph = build(slow, slow, config=ReasonerConfig(budget=Budget(max_seconds=0.2)))
    started = time.monotonic()
    run = ask_few(graph)
    assert time.monotonic() - started < 5
    assert run.steps == [("fast_answer", "give_up")]
    assert run.report["rounds"][0]["error"] == "model_timeout"
    assert "of 0.2 seconds are used" in run.report["budget"]["exhausted"]


def test_seconds_stop_the_next_call(build):
    graph = build(
        doubted("41", delay_seconds=0.15), sure("42"), config=ReasonerConfig(budget=Budget(max_seconds=0.15))
    )
    report = graph.invoke({"messages": "How much?"})["reasoning"]
    assert len(report["rounds"]) == 1
    assert "0.15 seconds are used" in report["budget"]["exhausted"]


def test_money_of_an_unknown_price_is_not_spent(ask_few, build):
    graph = build(sure("42"), config=ReasonerConfig(budget=Budget(max_usd=1.0)))
    run = ask_few(graph)
    assert graph.model.calls == []
    assert "price is unknown" in run.report["budget"]["exhausted"]


def test_a_free_fast_model_answers_under_a_money_budget_where_the_deep_price_is_unknown():
    free = ScriptedChatModel([disbelieved("41")], model_name="adaptive-reasoner-embedded")
    paid = ScriptedChatModel([sure("42")], model_name="large")
    graph = build_reasoning_graph(
        free, paid, config=ReasonerConfig(budget=Budget(max_usd=0.01), max_refinements=0, triage="off")
    )
    state = graph.invoke({"messages": "How much?"})
    assert state["messages"][-1].text == "41"
    assert state["reasoning"]["usage"]["cost_usd"] == 0.0
    assert "price is unknown" in state["reasoning"]["budget"]["exhausted"]
    assert paid.calls == []


def test_several_budgets_all_hold(build):
    budgets = (Budget(max_tokens=100_000), Budget(max_model_calls=1))
    graph = build(doubted("41"), config=ReasonerConfig(budget=budgets))
    report = graph.invoke({"messages": "How much?"}, context={"budget": {"max_tokens": 90_000}})["reasoning"]
    assert len(report["budget"]["limits"]) == 3
    assert "1 of 1 model calls" in report["budget"]["exhausted"]


@pytest.mark.parametrize("given", ["context", "configurable"])
@pytest.mark.parametrize(
    "budget", [Budget(max_model_calls=1), {"max_model_calls": 1}, [{"max_model_calls": 1}]]
)
def test_a_call_may_bring_its_own_budget(ask_few, build, given, budget):
    graph = build(doubted("41"))
    options = (
        {"context": {"budget": budget}}
        if given == "context"
        else {"config": {"configurable": {"budget": budget}}}
    )
    run = ask_few(graph, **options)
    assert run.steps == [("fast_answer", "give_up")]
    assert run.report["budget"]["limits"] == [{"max_model_calls": 1, "per": "query"}]


def test_a_query_that_cannot_pay_for_thinking_starts_fast(build):
    graph = build(sure("42"), config=ReasonerConfig(budget=Budget(max_tokens=3000)))
    config = ReasonerConfig(always_think=("how",), max_output_tokens=100, budget=Budget(max_tokens=12))
    graph = build(sure("42"), config=config)
    report = graph.invoke({"messages": "How much is it all together, please?"})["reasoning"]
    assert report["route"] == "fast"
    assert "but starts fast" in report["triage"]["reason"]


def test_a_model_whose_output_cannot_be_capped_is_called_only_if_its_worst_case_fits():
    def model():
        return GenericFakeChatModel(messages=iter([AIMessage("42")]))

    small = build_reasoning_graph(model(), config=ReasonerConfig(budget=Budget(max_tokens=1000)))
    assert small.invoke({"messages": "How much?"})["reasoning"]["usage"]["total_tokens"] == 0
    stated = build_reasoning_graph(
        model(), config=ReasonerConfig(budget=Budget(max_tokens=1000), max_output_tokens=300)
    )
    report = stated.invoke({"messages": "How much?"})["reasoning"]
    assert report["rounds"][0]["usage_estimated"]
    assert 0 < report["usage"]["total_tokens"] <= 1000


def test_a_turn_that_was_left_hanging_counts_for_its_thread(build):
    config = ReasonerConfig(budget=Budget(max_model_calls=3, per="thread"))
    graph = build(
        disbelieved("41"),
        KeyboardInterrupt(),
        sure("43"),
        sure("44"),
        config=config,
        checkpointer=InMemorySaver(),
    )
    with pytest.raises(KeyboardInterrupt):
        graph.invoke({"messages": "How much?"}, THREAD)
    graph.invoke({"messages": "Another question?"}, THREAD)
    assert graph.get_state(THREAD).values["thread_totals"]["model_calls"] == 2


def test_tools_count_as_input(build):
    from langchain_core.tools import tool

    @tool
    def search(query: str) -> str:
        """Search for it. This description is long enough to matter to a small budget, and is sent each time."""
        return "nothing"

    config = ReasonerConfig(budget=Budget(max_tokens=60))
    assert build(sure("42"), config=config).invoke({"messages": "Hi?"})["messages"][-1].text == "42"
    report = build(sure("42"), tools=[search], config=config).invoke({"messages": "Hi?"})["reasoning"]
    assert report["rounds"][0]["error"] == "budget_exhausted"


def test_no_budget_leaves_the_report_without_one(ask_few, build):
    assert ask_few(build(sure("42"))).report["budget"] is None
