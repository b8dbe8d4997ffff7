import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adaptive_reasoner.budget import solve_price
from adaptive_reasoner.errors import ConfigurationError, InvalidInputError


def test_what_gains_most_for_its_cost_is_taken_first():
    # gain a token: .5/100 = .005, .3/100 = .003, .4/200 = .002; 250 tokens end within the third
    solution = solve_price([0.4, 0.5, 0.3], [200, 100, 100], budget=250)

    assert solution.price == pytest.approx(0.002)
    assert solution.taken.tolist() == pytest.approx([0.25, 1.0, 1.0])
    assert solution.gain == pytest.approx(0.5 + 0.3 + 0.25 * 0.4)
    assert solution.spent == pytest.approx(250)


def test_above_the_price_everything_is_taken_and_below_it_nothing():
    solution = solve_price([0.4, 0.5, 0.3, 0.1], [1, 1, 1, 1], budget=2)

    assert solution.price == pytest.approx(0.3)
    assert solution.taken.tolist() == [1.0, 1.0, 0.0, 0.0]


def test_a_budget_that_does_not_bind_has_no_price_and_never_pays_for_a_loss():
    solution = solve_price([0.4, -0.1, 0.0, 0.2], [1, 1, 1, 1], budget=10)

    assert solution.price == 0.0
    assert solution.taken.tolist() == [1.0, 0.0, 0.0, 1.0]
    assert solution.spent == 2


def test_what_costs_nothing_is_taken_whatever_the_budget():
    solution = solve_price([0.1, 0.4], [0, 5], budget=0)

    assert solution.taken.tolist() == [1.0, 0.0]
    assert solution.price == pytest.approx(0.08)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(0.01, 9)), min_size=1, max_size=30), st.floats(0, 40))
def test_no_other_choice_of_the_same_cost_gains_more(items: list[tuple[float, float]], budget: float):
    gains, costs = (np.array(column) for column in zip(*items, strict=True))

    solution = solve_price(gains, costs, budget)

    # weak duality: lambda * budget + sum of what each question gains beyond its price bounds every choice
    bound = solution.price * budget + np.maximum(gains - solution.price * costs, 0).sum()
    assert solution.gain == pytest.approx(bound, abs=1e-6)
    assert solution.spent <= budget + 1e-6
    assert ((solution.taken > 0) & (solution.taken < 1)).sum() <= 1


@pytest.mark.parametrize(
    ("gains", "costs", "words"),
    [
        ([0.1, math.nan], [1, 1], r"gains has a value at \[1\] that is no finite number"),
        ([0.1], [math.inf], "costs has a value"),
        ([0.1], [-2.0], "cost must be 0 or more"),
        ([], [], "gains are empty"),
        ([0.1, 0.2], [1.0], "one cost for each gain"),
        (["much"], [1.0], "gains must be numbers"),
        ([[0.1]], [[1.0]], "must have 1 dimension"),
    ],
)
def test_traces_that_cannot_be_used_are_refused(gains: list[float], costs: list[float], words: str):
    with pytest.raises(InvalidInputError, match=words):
        solve_price(gains, costs, 1.0)


@pytest.mark.parametrize("budget", [-1.0, math.nan, math.inf, True])
def test_a_budget_that_is_no_amount_is_refused(budget: float):
    with pytest.raises(ConfigurationError, match="finite number, 0 or more"):
        solve_price([0.1], [1.0], budget)
