"""How policies under a thinking share are judged, with hand-computed numbers."""

import numpy as np
import pytest
from measuring.thinking_share import (
    Answered,
    bootstrap_gap,
    cut,
    gap_closed,
    oracle,
    paired_lead,
    share_interval,
)

# four problems: both right, only deep right, only fast right, none right
FOUR = Answered(
    fast=np.array([True, False, True, False]),
    deep=np.array([True, True, False, False]),
    fast_tokens=np.array([5.0, 5.0, 6.0, 6.0]),
    deep_tokens=np.array([50.0, 60.0, 70.0, 80.0]),
    think_logits=np.array([-1.0, 2.0, 0.5, -3.0]),
)


def test_each_problem_counts_in_its_chosen_mode() -> None:
    thinks = np.array([False, True, True, False])
    assert FOUR.right(thinks).tolist() == [1.0, 1.0, 0.0, 0.0]
    assert FOUR.tokens(thinks).tolist() == [5.0, 60.0, 70.0, 6.0]


def test_random_choice_counts_in_expectation() -> None:
    right, tokens = FOUR.random(0.25)
    assert right.tolist() == [1.0, 0.25, 0.75, 0.0]
    assert tokens[0] == pytest.approx(0.25 * 50 + 0.75 * 5)


def test_a_cut_takes_the_highest_scores_and_earlier_ties() -> None:
    assert cut(np.array([1.0, 3.0, 1.0, 0.0]), 2).tolist() == [True, True, False, False]
    assert not cut(np.array([1.0, 3.0]), 0).any()


def test_the_oracle_thinks_where_only_thinking_is_right() -> None:
    assert oracle(FOUR, 1).tolist() == [False, True, False, False]
    assert oracle(FOUR, 3).tolist() == [True, True, False, True]  # never where thinking breaks the answer


def test_the_gap_is_measured_from_random_to_the_oracle() -> None:
    random, best = np.array([0.5, 0.5]), np.array([1.0, 1.0])
    assert gap_closed(np.array([1.0, 0.6]), random, best) == pytest.approx(0.6)


def test_the_interval_of_a_gap_that_is_the_same_everywhere_is_a_point() -> None:
    ones = np.ones(50)
    assert bootstrap_gap(0.75 * ones, 0.5 * ones, ones, 20) == pytest.approx([0.5, 0.5])


def test_a_lead_is_paired() -> None:
    lead, interval = paired_lead(np.array([1.0, 1.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0, 1.0]))
    assert lead == 0.25
    assert interval == pytest.approx([0.25 - 0.49, 0.25 + 0.49])  # 1.96 * .5 / 2


def test_a_shares_interval_holds_it() -> None:
    low, high = share_interval(np.array([True] * 50 + [False] * 50))
    assert (low, high) == pytest.approx((0.4038, 0.5962), abs=1e-4)
