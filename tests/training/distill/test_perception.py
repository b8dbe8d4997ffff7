"""The perception module on questions whose outcomes are known."""

import numpy as np
import pytest

from adaptive_reasoner.training.distill.perception import (
    Outcomes,
    Perception,
    Recipe,
    choose_point,
    fit_perception,
    oracle_order,
    threshold_of,
)

HARD = np.arange(200) % 2 == 1
OUTCOMES = Outcomes(
    answer_right=~HARD,
    think_right=np.ones(200, dtype=np.bool_),
    answer_tokens=np.full(200, 5.0),
    think_tokens=np.full(200, 50.0),
)


def states(noise: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.column_stack([HARD + noise * rng.normal(size=200), rng.normal(size=200)])


def test_it_thinks_where_thinking_helps() -> None:
    fitted = fit_perception(states(0.05), OUTCOMES, tolerance=0.0)
    assert ((fitted.logits(states(0.05)) >= 0) == HARD).all()
    assert fitted.share == pytest.approx(0.5)
    assert fitted.figures["accuracy"] == 1.0
    assert fitted.figures["tokens"] == pytest.approx(27.5)
    assert fitted.figures["auroc_thinking_helps"] == 1.0


def test_where_nothing_tells_it_thinks_as_much_as_the_tolerance_asks() -> None:
    blind = np.random.default_rng(1).normal(size=(200, 2))
    fitted = fit_perception(blind, OUTCOMES, tolerance=0.1)
    assert fitted.figures["accuracy"] >= 0.9
    assert 0.5 < fitted.share < 1.0


def test_utility_weighs_the_gain_against_the_tokens() -> None:
    assert OUTCOMES.utility(0.0)[:2].tolist() == [0.0, 1.0]
    assert OUTCOMES.utility(0.002)[:2].tolist() == pytest.approx([-0.09, 0.91])


def test_the_oracle_thinks_only_where_it_must() -> None:
    both_wrong = Outcomes(np.zeros(2, np.bool_), np.array([True, False]), np.ones(2), np.full(2, 9.0))
    assert oracle_order(both_wrong).tolist() == [True, False]
    assert both_wrong.accuracy(oracle_order(both_wrong)) == 0.5
    assert both_wrong.tokens(oracle_order(both_wrong)) == 5.0


def test_the_cheapest_point_within_the_tolerance_is_chosen() -> None:
    point = choose_point({Recipe(0.0): HARD.astype(np.float64)}, OUTCOMES, tolerance=0.0)
    assert (point.accuracy, point.tokens) == (1.0, 27.5)


def test_a_threshold_reaches_its_share() -> None:
    scores = np.arange(10.0)
    assert [(scores >= threshold_of(scores, share)).mean() for share in (0.0, 1.0)] == [0.0, 1.0]
    assert (scores >= threshold_of(scores, 0.3)).mean() == pytest.approx(0.3)


def test_a_perception_survives_json() -> None:
    fitted = fit_perception(states(0.05), OUTCOMES, tolerance=0.0)
    again = Perception.from_json(fitted.to_json())
    assert again.logits(states(0.05)).tolist() == fitted.logits(states(0.05)).tolist()
