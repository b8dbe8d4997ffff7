"""The worst case of the next call against every limit."""

import pytest

from adaptive_reasoner.budget import Allowance, Spent, allowance
from adaptive_reasoner.budget.limits import NextCall
from adaptive_reasoner.budget.prices import Price
from adaptive_reasoner.config import Budget

# 100 tokens of input and 50 of output cost .01 + .01 USD.
PRICE = Price(input=100.0, output=200.0)
CALL = NextCall(input_tokens=100, output_tokens=50, price=PRICE)
UNCAPPED = NextCall(input_tokens=100, output_tokens=50, price=PRICE, can_be_capped=False)
USED = Spent(tokens=400, model_calls=2, seconds=3.0, cost_usd=0.05)


def ask(*budgets, call=CALL, query=USED, thread=USED):
    return allowance(budgets, {"query": query, "thread": thread}, call)


def test_without_budgets_everything_is_allowed():
    assert ask() == Allowance()


@pytest.mark.parametrize(
    ("limit", "allowed"),
    [
        (507, None),  # 400 used, 100 of input, and 8 of output would be 508
        (508, 8),
        (540, 40),
        (550, 50),
        (9000, 50),
    ],
)
def test_tokens_leave_room_for_the_prompt_and_cap_the_rest(limit, allowed):
    answer = ask(Budget(max_tokens=limit))
    assert answer.max_output_tokens == allowed
    assert (answer.refusal is None) == (allowed is not None)


@pytest.mark.parametrize(("limit", "is_allowed"), [(549, False), (550, True)])
def test_a_model_that_cannot_be_capped_needs_room_for_all_it_may_write(limit, is_allowed):
    assert (ask(Budget(max_tokens=limit), call=UNCAPPED).refusal is None) is is_allowed


def test_a_refusal_says_what_is_used_and_what_is_needed():
    refusal = ask(Budget(max_tokens=450)).refusal
    assert refusal == "budget per query: 400 of 450 tokens are used, the next call needs 108"


@pytest.mark.parametrize(
    ("budget", "refusal"),
    [
        (Budget(max_model_calls=2), "2 of 2 model calls are used"),
        (Budget(max_model_calls=3), None),
        (Budget(max_seconds=3.0), "3.0 of 3 seconds are used"),
        (Budget(max_seconds=3.5), None),
        (Budget(max_usd=0.07), None),
        (Budget(max_usd=0.0616), None),
        (Budget(max_usd=0.0615), "0.0500 of 0.0615 USD are used and the next call may cost 0.0116"),
    ],
)
def test_calls_seconds_and_money_refuse_what_would_overspend(budget, refusal):
    expected = f"budget per query: {refusal}" if refusal else None
    assert ask(budget).refusal == expected


@pytest.mark.parametrize(
    ("limit", "allowed"), [(0.0616, 8), (0.0618, 8), (0.0619, 9), (0.07, 50), (0.0699, 49), (1.0, 50)]
)
def test_money_caps_the_output_too(limit, allowed):
    assert ask(Budget(max_usd=limit)).max_output_tokens == allowed


def test_money_does_not_cap_what_is_free():
    assert ask(Budget(max_usd=0.06), call=NextCall(100, 50, Price(0.0, 0.0))).max_output_tokens is None


def test_a_call_that_needs_more_than_a_few_tokens_is_refused_below_them():
    thought = NextCall(100, 500, PRICE, least_output_tokens=48)
    assert ask(Budget(max_tokens=547), call=thought).refusal
    assert ask(Budget(max_tokens=548), call=thought).max_output_tokens == 48


@pytest.mark.parametrize(
    ("allowed", "worst"),
    [
        (Allowance(), Spent(150, 1, 60.0, 0.02)),
        (Allowance(max_output_tokens=10, max_seconds=2.0), Spent(110, 1, 2.0, 0.012)),
    ],
)
def test_the_worst_case_is_what_the_call_may_take(allowed, worst):
    assert NextCall(100, 50, PRICE, seconds=60.0).worst_case(allowed) == worst


def test_the_seconds_that_are_left_limit_the_call():
    assert ask(Budget(max_seconds=3.5)).max_seconds == pytest.approx(0.5)
    assert ask(Budget(max_seconds=9.0), Budget(max_seconds=4.0)).max_seconds == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("call", "used"),
    [(NextCall(1, 1, None), USED), (CALL, Spent(cost_usd=None))],
)
def test_an_unknown_price_is_never_paid(call, used):
    assert "so money cannot be counted" in ask(Budget(max_usd=100.0), call=call, query=used).refusal


def test_each_scope_has_its_own_count():
    thread = Spent(tokens=2000)
    assert ask(Budget(max_tokens=1000, per="thread"), thread=thread).refusal.startswith("budget per thread")
    assert ask(Budget(max_tokens=1000), thread=thread).refusal is None


def test_the_tightest_of_several_decides():
    answer = ask(Budget(max_tokens=545), Budget(max_tokens=530, per="thread"))
    assert answer.max_output_tokens == 30
    assert ask(Budget(max_tokens=9000), Budget(max_model_calls=1)).refusal
