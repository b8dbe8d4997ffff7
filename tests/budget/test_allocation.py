import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from adaptive_reasoner.budget import ThinkingShare, TokensPerQuery, solve_price
from adaptive_reasoner.budget.dual_price import DualPrice, Steps
from adaptive_reasoner.config import Allocation, ReasonerConfig, Spending
from adaptive_reasoner.errors import ConfigurationError

FAST = Spending(thinking_calls=0, thinking_tokens=0, tokens=100)
THOUGHT = Spending(thinking_calls=1, thinking_tokens=300, tokens=400)


def run(allocation: Allocation, gains: NDArray[np.float64]) -> tuple[float, float]:
    """Share of thinking and mean tokens where a query thinks if its gain exceeds the price of a call."""
    thought = []
    for gain in gains:
        thinks = gain > allocation.price().of_a_call
        allocation.observe(THOUGHT if thinks else FAST)
        thought.append(thinks)
    share = float(np.mean(thought))
    return share, 100 + 300 * share


def test_overspending_makes_thinking_dearer_and_underspending_cheaper():
    price = DualPrice(start=0.1, steps=Steps(first=0.2, last=0.05))

    price.observe(1.0, 0.3)  # .7 too much, of which the next 500 queries pay back .0014 each
    assert price.value == pytest.approx(0.1 + 0.2 * (0.7 + 0.0014))
    price.observe(0.0, 0.3)  # .3 too little: .4 are left to pay back
    assert price.value == pytest.approx(0.1 + 0.2 * 0.7014 + 0.2 / 2**0.5 * (-0.3 + 0.0008))
    assert price.mean_spent == 0.5


def test_the_price_is_for_a_unit():
    price = DualPrice(start=0.1, steps=Steps(first=0.1, last=0.1))

    price.observe(500, 200, unit=300)

    assert price.value == pytest.approx(0.1 + 0.1 * (300 + 300 / 500) / 300)


def test_a_debt_takes_at_most_half_of_the_next_budgets():
    price = DualPrice(steps=Steps(first=0.001, last=0.001))
    for _ in range(1000):
        price.observe(1.0, 0.2)  # 800 too much
    before = price.value

    price.observe(0.1, 0.2)  # half of the budget is what is left of it

    assert price.value == pytest.approx(before, abs=1e-6)


def test_unspent_budget_is_left_where_nothing_gains():
    assert run(ThinkingShare(0.3), np.full(500, -0.01))[0] == 0.0


def test_a_least_share_is_reached_even_where_nothing_gains():
    share, _ = run(ThinkingShare(0.3, least=0.2), np.random.default_rng(0).normal(-0.1, 0.05, 4000))

    assert share == pytest.approx(0.2, abs=0.01)


def test_between_least_and_most_thinking_is_free():
    gains = np.where(np.random.default_rng(0).random(3000) < 0.25, 0.1, -0.1)

    share, _ = run(ThinkingShare(0.4, least=0.1), gains)

    assert share == pytest.approx(np.mean(gains > 0), abs=0.01)


@pytest.mark.parametrize("target", [0.1, 0.2, 0.3, 0.5])
def test_a_shuffled_stream_thinks_the_share_within_a_point(target: float):
    gains = np.random.default_rng(1).beta(1, 4, 3000)

    assert run(ThinkingShare(target), gains)[0] == pytest.approx(target, abs=0.01)


@pytest.mark.parametrize("target", [0.1, 0.3, 0.5])
def test_a_stream_that_grows_harder_thinks_the_share_within_three_points(target: float):
    gains = np.sort(np.random.default_rng(2).beta(1, 4, 3000))

    assert run(ThinkingShare(target), gains)[0] == pytest.approx(target, abs=0.03)


def test_tokens_a_query_are_kept_on_average_without_knowing_what_a_call_takes():
    gains = np.random.default_rng(3).beta(1, 4, 3000)
    allocation = TokensPerQuery(190)  # 30 % of thinking calls

    _, tokens = run(allocation, gains)

    assert tokens == pytest.approx(190, rel=0.02)
    assert allocation.report()["tokens_a_thinking_call"] == pytest.approx(300)


def test_the_price_of_traces_is_where_the_stream_ends_up():
    gains = np.random.default_rng(4).beta(1, 4, 4000)
    offline = solve_price(gains, np.ones(4000), 0.2 * 4000).price
    allocation = ThinkingShare(0.2, start_price=offline)

    assert run(allocation, gains)[0] == pytest.approx(0.2, abs=0.01)
    assert allocation.price().per_call == pytest.approx(offline, abs=0.08)


def test_tenants_may_have_a_price_each():
    allocation = ThinkingShare(0.3, per="tenant")

    for _ in range(50):
        allocation.observe(THOUGHT, "busy")
        allocation.observe(FAST, "quiet")

    assert allocation.price("busy").per_call > 0.1
    assert allocation.price("quiet").per_call == allocation.price("new").per_call == 0.0


@pytest.mark.parametrize("make", [lambda: ThinkingShare(0.3, per="tenant"), lambda: TokensPerQuery(150)])
def test_another_process_goes_on_from_the_state(make: Any):
    first = make()
    for spending in (THOUGHT, FAST, THOUGHT, THOUGHT):
        first.observe(spending, "a")

    second = make().restore(json.loads(json.dumps(first.state())))

    assert second.price("a") == first.price("a")
    assert second.report("a") == first.report("a")


@pytest.mark.parametrize(
    "state",
    [
        {},
        [],
        None,
        {"version": 1, "kind": "tokens_per_query", "prices": {}},
        {"version": 1, "kind": "thinking_share", "prices": []},
        {"version": 1, "kind": "thinking_share", "prices": {"": {"price": "dear"}}},
        {
            "version": 1,
            "kind": "thinking_share",
            "prices": {"": {"price": 7, "queries": 1, "spent": 1, "over": [0, 0]}},
        },
        {
            "version": 1,
            "kind": "thinking_share",
            "prices": {"": {"price": 0.1, "queries": -1, "spent": 1, "over": [0, 0]}},
        },
    ],
)
def test_a_corrupt_state_changes_nothing(state: Any):
    allocation = ThinkingShare(0.3)
    allocation.observe(THOUGHT)
    before = allocation.state()

    with pytest.raises(ConfigurationError):
        allocation.restore(state)

    assert allocation.state() == before


def test_a_state_of_tokens_without_its_unit_is_refused():
    state = {**TokensPerQuery(100).state(), "call_tokens": 0}

    with pytest.raises(ConfigurationError, match="no state of TokensPerQuery"):
        TokensPerQuery(100).restore(state)


def test_threads_lose_no_observation():
    allocation = ThinkingShare(0.3)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(allocation.observe, [THOUGHT, FAST] * 1000))

    assert allocation.report()["queries"] == 2000
    assert allocation.report()["share"] == 0.5


@pytest.mark.parametrize("share", [0, -0.1, 1.1, float("nan"), True, "0.3", None])
def test_a_share_that_is_none_is_refused(share: Any):
    with pytest.raises(ConfigurationError, match="give a share of the queries"):
        ThinkingShare(share)


@pytest.mark.parametrize("tokens", [0, -5, float("nan"), float("inf"), True, "many"])
def test_tokens_that_are_no_number_are_refused(tokens: Any):
    with pytest.raises(ConfigurationError, match="number of tokens greater than 0"):
        TokensPerQuery(tokens)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ThinkingShare(0.3, least=0.4),
        lambda: ThinkingShare(0.3, start_price=float("nan")),
        lambda: ThinkingShare(0.3, per="thread"),  # pyright: ignore[reportArgumentType]
        lambda: ThinkingShare(0.3, steps=Steps(first=0.01, last=0.1)),
        lambda: ReasonerConfig(allocation=0.3),  # pyright: ignore[reportArgumentType]
    ],
)
def test_other_settings_out_of_range_are_refused(make: Any):
    with pytest.raises(ConfigurationError):
        make()
