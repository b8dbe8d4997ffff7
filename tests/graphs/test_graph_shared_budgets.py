"""Budgets that several runs share: they hold under concurrency, and the loop takes what they leave."""

import asyncio
import threading
import time

import pytest
from budget_runs import ACME, PRICES, USAGE, plainly, used
from graph_ways import disbelieved, doubted, sure
from langgraph.checkpoint.memory import InMemorySaver

from adaptive_reasoner import Budget, ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.budget import Price, PriceTable, Spent
from adaptive_reasoner.budget.accounts import day_account, tenant_account, thread_account
from adaptive_reasoner.testing import Reply, ScriptedChatModel

pytest.importorskip("sqlalchemy", reason="the extra `budgets` is not installed")


def test_200_requests_of_20_tasks_never_overspend_and_come_close(shared, ledger):
    graph = shared(Budget(max_tokens=3000, per="tenant"))

    async def ask_all():
        turnstile = asyncio.Semaphore(20)

        async def ask(n):
            async with turnstile:
                return (await graph.ainvoke({"messages": f"Question {n:05}?"}, context=ACME))["reasoning"]

        return await asyncio.gather(*(ask(n) for n in range(200)))

    reports = asyncio.run(ask_all())
    spent = sum(report["usage"]["total_tokens"] for report in reports)
    assert 3000 - 30 < spent <= 3000
    assert (used(ledger).settled.tokens, used(ledger).held) == (spent, Spent())
    refused = [report for report in reports if report["rounds"][0].get("error") == "budget_exhausted"]
    assert len(refused) == 200 - len(graph.model.calls)
    assert "budget per tenant: " in refused[-1]["budget"]["exhausted"]


def test_a_tenants_budget_outlasts_graphs_and_is_the_tenants_alone(ask_few, shared, ledger):
    budget = Budget(max_model_calls=2, per="tenant")
    for _ in range(2):
        assert ask_few(shared(budget), context=ACME).answer == "42"
    run = ask_few(shared(budget), context=ACME)
    assert run.report["rounds"][0]["error"] == "budget_exhausted"
    assert run.report["budget"]["accounts"]["tenant:acme"]["model_calls"] == 2
    assert ask_few(shared(budget), context={"tenant": "other"}).answer == "42"


def test_a_day_is_the_tenants_or_that_of_all_calls_without_one(shared, ledger):
    graph = shared(Budget(max_model_calls=1, per="day"))
    for context in ({}, ACME):
        assert graph.invoke({"messages": "How?"}, context=context)["messages"][-1].text == "42"
        report = graph.invoke({"messages": "How?"}, context=context)["reasoning"]
        assert "budget per day: 1 of 1 model calls" in report["budget"]["exhausted"]
    assert used(ledger, day_account()).settled.model_calls == 1
    assert used(ledger, day_account(tenant="acme")).settled.model_calls == 1


def test_concurrent_runs_of_one_thread_hold_its_budget_together(shared, ledger):
    graph = shared(Budget(max_tokens=100, per="thread"), checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "7"}}
    # As long as the 10 tokens that each call says it read: a shorter one would be reserved for less than it is charged.
    asked = [{"messages": f"Question {n:05}?"} for n in range(8)]
    runs = [threading.Thread(target=graph.invoke, args=(one, config)) for one in asked]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    account = used(ledger, thread_account("7"))
    assert 70 <= account.settled.tokens <= 100
    assert account.settled.tokens == sum(10 + min(20, one.kwargs["max_tokens"]) for one in graph.model.calls)


def test_money_is_counted_by_the_table(ask_few, shared, ledger):
    graph = shared(Budget(max_usd=0.012, per="tenant"), prices=PRICES)
    run = ask_few(graph, context=ACME)
    assert run.report["usage"]["cost_usd"] == pytest.approx(0.005)  # 10 * .0001 + 20 * .0002
    assert run.report["budget"]["used_usd"] == pytest.approx(0.005)
    assert used(ledger).settled.cost_usd == pytest.approx(0.005)
    graph.invoke({"messages": "How?"}, context=ACME)
    report = graph.invoke({"messages": "How much?"}, context=ACME)["reasoning"]
    assert "of 0.012 USD are used" in report["budget"]["exhausted"]


def test_what_the_providers_cache_gave_out_is_cheaper(scripted):
    prices = PriceTable({"scripted": Price(input=100.0, output=200.0, cached_input=10.0)})
    usage = {**USAGE, "input_token_details": {"cache_read": 4}}
    model = scripted(sure("42", usage=usage))
    report = build_reasoning_graph(model, config=plainly(prices=prices)).invoke({"messages": "How?"})[
        "reasoning"
    ]
    assert report["usage"]["cost_usd"] == pytest.approx(0.0006 + 0.00004 + 0.004)


def test_the_best_so_far_is_handed_on_when_the_tenants_budget_runs_out(ask_few, scripted, ledger):
    config = ReasonerConfig(ledger=ledger, budget=Budget(max_model_calls=1, per="tenant"), triage="off")
    graph = build_reasoning_graph(scripted(doubted("It is 41"), sure("42")), config=config)
    run = ask_few(graph, context=ACME)
    assert run.steps == [("fast_answer", "give_up")]
    assert run.answer == "It is 41"
    assert run.report["budget"]["exhausted"].startswith("budget per tenant: 1 of 1 model calls")


def test_the_ledger_is_not_asked_in_the_event_loops_thread(shared, ledger, monkeypatch):
    threads = set()

    def watched(method):
        original = getattr(ledger, method)

        def call(*arguments):
            threads.add(threading.current_thread())
            return original(*arguments)

        monkeypatch.setattr(ledger, method, call)

    for method in ("reserve", "settle", "standings"):
        watched(method)
    asyncio.run(shared(Budget(max_tokens=900, per="tenant")).ainvoke({"messages": "How?"}, context=ACME))
    assert threads
    assert threading.main_thread() not in threads


def test_what_others_hold_is_waited_for(shared, ledger):
    slow = Reply(text="42", probability=0.999, delay_seconds=0.3, usage=USAGE)
    graph = shared(Budget(max_tokens=100, per="tenant"), model=ScriptedChatModel([slow] * 2, max_tokens=60))

    async def both():
        return await asyncio.gather(*(graph.ainvoke({"messages": "How?"}, context=ACME) for _ in range(2)))

    assert [state["messages"][-1].text for state in asyncio.run(both())] == ["42", "42"]
    assert used(ledger).settled.tokens == 60


def test_a_second_opinion_is_paid_like_any_call(scripted, ledger):
    from adaptive_reasoner.uncertainty.agreement import SampleAgreement

    config = plainly(
        ledger=ledger,
        budget=Budget(max_model_calls=3, per="tenant"),
        fallback_signals=(SampleAgreement(max_samples=4),),
    )
    texts = ("It is 42", "It is 41", "It is 40", "It is 7")
    model = ScriptedChatModel([Reply(text=text, drop_logprobs=True, usage=USAGE) for text in texts])
    report = build_reasoning_graph(model, config=config).invoke(
        {"messages": "How much?"}, context={**ACME, "thinking": "off"}
    )["reasoning"]
    assert len(model.calls) == used(ledger).settled.model_calls == 3
    assert used(ledger).settled.tokens == report["usage"]["total_tokens"] == 90


def test_a_budget_that_comes_with_the_call_opens_the_default_ledger(ask_few, scripted, tmp_path, monkeypatch):
    monkeypatch.setenv("ADAPTIVE_REASONER_LEDGER", str(tmp_path / "ledger.sqlite"))
    graph = build_reasoning_graph(scripted(sure("42")), config=plainly())
    assert not (tmp_path / "ledger.sqlite").exists()
    run = ask_few(graph, context={"budget": {"max_model_calls": 5, "per": "day"}})
    assert run.report["budget"]["accounts"][day_account()]["model_calls"] == 1


def test_each_known_tenant_has_budgets_of_its_own(shared):
    graph = shared(tenants={"acme": Budget(max_model_calls=1, per="tenant"), "free": ()})
    for tenant, limits in (("acme", 1), ("free", None)):
        report = graph.invoke({"messages": "How?"}, context={"tenant": tenant})["reasoning"]
        assert report["budget"] is None if limits is None else len(report["budget"]["limits"]) == limits


def test_a_shorter_thought_is_taken_where_the_budget_pays_for_no_longer_one(ledger):
    from adaptive_reasoner.thinking.switch import EMBEDDED_MODEL_NAME

    model = ScriptedChatModel([sure("42", usage=USAGE)] * 2, model_name=EMBEDDED_MODEL_NAME, max_tokens=400)
    config = ReasonerConfig(always_think=("how",), ledger=ledger, budget=Budget(max_tokens=140, per="tenant"))
    report = build_reasoning_graph(model, config=config).invoke({"messages": "How?"}, context=ACME)[
        "reasoning"
    ]
    most = model.calls[0].kwargs["max_tokens"]
    assert 48 <= most < 140
    assert model.calls[0].kwargs["thinking"] == {"budget_tokens": most - max(16, most // 4)}
    assert (report["rounds"][0]["node"], report["rounds"][0]["capped_to"]) == ("deep_think", most)


def test_a_tenant_that_cannot_pay_for_thinking_starts_fast(shared, ledger):
    graph = shared(Budget(max_tokens=70, per="tenant"))
    config = ReasonerConfig(always_think=("how",), ledger=ledger, budget=Budget(max_tokens=70, per="tenant"))
    graph = build_reasoning_graph(
        ScriptedChatModel([disbelieved("42", usage=USAGE)], max_tokens=60), config=config
    )
    graph.invoke({"messages": "How?"}, context=ACME)
    report = graph.invoke({"messages": "How?"}, context=ACME)["reasoning"]
    assert report["route"] == "fast"
    assert "but starts fast, budget per tenant: " in report["triage"]["reason"]


def test_accounts_are_named_so_that_none_is_anothers():
    names = {tenant_account("a"), thread_account("a"), day_account(), day_account(tenant="a")}
    assert len(names) == 4
    assert day_account().startswith(time.strftime("day:%Y-%m-", time.gmtime()))
