"""Fitting the gain: equal signed weights to start with, corrected by outcomes, never against a known sign."""

import numpy as np
import pytest

from adaptive_reasoner.training.triage.examples import TriageExample
from adaptive_reasoner.training.triage.fitting import (
    Outcomes,
    Recipe,
    choose_recipe,
    fit_estimator,
    fit_line,
    outcomes_of,
    predict_left_out,
)

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(400, 3))
GAINS = 0.1 + 0.2 * FEATURES[:, 0] - 0.1 * FEATURES[:, 1]


def test_without_a_ridge_free_weights_are_those_of_least_squares():
    line = fit_line(FEATURES, GAINS, np.zeros(3), ridge=1e-9)
    assert line.weights == pytest.approx([0.2, -0.1, 0.0], abs=1e-6)
    assert line.bias == pytest.approx(0.1, abs=1e-6)
    assert line.predict(FEATURES) == pytest.approx(GAINS, abs=1e-6)


def test_no_weight_crosses_zero_against_its_sign():
    line = fit_line(FEATURES, GAINS, np.array([1.0, 1.0, -1.0]), ridge=1e-9)
    assert line.weights[0] == pytest.approx(0.2, abs=0.02)
    assert line.weights[1] == 0.0
    assert line.weights[2] <= 0.0


def test_a_strong_ridge_leaves_equal_weights_of_the_known_signs():
    line = fit_line(FEATURES, GAINS, np.array([1.0, -1.0, 0.0]), ridge=1e9)
    in_spreads = line.weights * FEATURES.std(axis=0)
    assert in_spreads[0] == pytest.approx(-in_spreads[1])
    assert in_spreads[0] > 0
    assert in_spreads[2] == pytest.approx(0.0, abs=1e-6)


def test_a_feature_that_never_varies_gets_no_weight():
    constant = np.column_stack((FEATURES, np.ones(400)))
    line = fit_line(constant, GAINS, np.array([1.0, -1.0, 0.0, 1.0]), ridge=0.1)
    assert line.weights[3] == 0.0
    assert np.isfinite(line.weights).all()


def test_groups_are_predicted_by_the_others():
    groups = ["a"] * 200 + ["b"] * 200
    outcomes = Outcomes(np.zeros((400, 24)), np.r_[np.ones(200), np.zeros(200)], np.zeros(400), groups)
    predicted = predict_left_out(outcomes, Recipe("cues", 1.0))
    assert predicted[:200].tolist() == [0.0] * 200  # all that the others know: nothing is gained
    assert predicted[200:] == pytest.approx(np.ones(200))


def test_an_estimator_predicts_what_its_line_does():
    examples = [
        TriageExample(text, fast_correct=index % 3 > 0, deep_correct=True, group=str(index % 4))
        for index, text in enumerate(f"Which is more, {n} or 3? {'If so, ' * (n % 5)}why?" for n in range(60))
    ]
    outcomes = outcomes_of(examples, "cues")
    recipe, tried = choose_recipe({"cues": outcomes}, [Recipe("cues", ridge) for ridge in (0.1, 1.0)])
    assert recipe in tried
    line = fit_line(outcomes.features, outcomes.gains, recipe.signs, recipe.ridge)
    estimator = fit_estimator(outcomes, "mine", recipe)
    predicted = [estimator.estimate_text(one.question)["gain"] for one in examples]
    assert predicted == pytest.approx(line.predict(outcomes.features).clip(-1, 1).tolist())
    assert (estimator.pair, estimator.think_at_gain) == ("mine", None)
