import math

import numpy as np
import pytest

from adaptive_reasoner.gate.statistics import (
    auroc,
    auroc_lower_bound,
    binomial_tail,
    fit_logistic,
    sigmoid,
    upper_bound,
)


def test_the_binomial_tail_is_exact():
    # P(X <= 1) of 3 tosses: (1 + 3) / 8
    assert binomial_tail(1, 3, 0.5) == pytest.approx(0.5)
    assert binomial_tail(0, 45, 0.05) == pytest.approx(0.95**45)
    assert binomial_tail(3, 3, 0.5) == 1.0


def test_the_binomial_tail_of_many_trials_does_not_underflow():
    assert binomial_tail(900, 10_000, 0.1) == pytest.approx(0.00038, rel=0.05)


def test_the_upper_bound_of_no_events_is_the_rule_of_three():
    assert upper_bound(0, 60, 0.95) == pytest.approx(1 - 0.05 ** (1 / 60), abs=1e-9)
    assert upper_bound(5, 5, 0.9) == 1.0


def test_the_upper_bound_is_where_the_tail_is_the_doubt():
    assert binomial_tail(7, 100, upper_bound(7, 100, 0.9)) == pytest.approx(0.1, abs=1e-6)


def test_auroc_counts_pairs_and_halves_ties():
    # pairs (wrong, right): .9 > .1, .9 > .5, .5 > .1 and .5 = .5
    scores, wrong = np.array([0.9, 0.5, 0.5, 0.1]), np.array([True, True, False, False])

    assert auroc(scores, wrong) == pytest.approx(3.5 / 4)
    assert auroc(scores, np.array([True] * 4)) == 0.5


def test_the_lower_bound_tightens_with_more_answers():
    scores, wrong = np.array([0.9, 0.5, 0.6, 0.1]), np.array([True, True, False, False])

    few = auroc_lower_bound(scores, wrong, 0.9)
    many = auroc_lower_bound(np.tile(scores, 50), np.tile(wrong, 50), 0.9)

    assert few < many < auroc(scores, wrong)
    assert auroc_lower_bound(scores, np.array([False] * 4), 0.9) == 0.0


def test_logistic_regression_recovers_its_own_model():
    generator = np.random.default_rng(0)
    features = generator.normal(size=(20_000, 2))
    outcomes = generator.random(20_000) < sigmoid(features @ np.array([1.5, -0.5]) - 1.0)

    weights, bias = fit_logistic(features, outcomes.astype(float))

    assert weights == pytest.approx([1.5, -0.5], abs=0.08)
    assert bias == pytest.approx(-1.0, abs=0.08)


def test_separable_and_one_sided_outcomes_stay_finite():
    features = np.linspace(-1, 1, 40)[:, None]

    weights, bias = fit_logistic(features, (features[:, 0] > 0).astype(float))
    flat, low = fit_logistic(features, np.zeros(40))

    assert 0 < weights[0] < 50
    assert math.isfinite(bias)
    assert flat[0] == pytest.approx(0.0, abs=1e-6)
    # two half right, half wrong pseudo-answers beside 40 right ones: about 1 / 84
    assert -6 < low < -3


def test_a_constant_feature_gets_no_weight():
    features = np.column_stack((np.ones(50), np.linspace(-1, 1, 50)))

    weights, _ = fit_logistic(features, (features[:, 1] > 0.2).astype(float))

    assert weights[0] == pytest.approx(0.0)
