"""Drift of a rate: found when it is there, and hardly ever when it is not."""

import numpy as np
import pytest

from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.gate import GateProfile
from adaptive_reasoner.gate.drift import DriftWatch, watch_errors, watch_escalations


def watched(rate: float, count: int, seed: int, expected: float = 0.2) -> DriftWatch:
    watch = DriftWatch(expected, 10_000)
    for event in np.random.default_rng(seed).random(count) < rate:
        watch.observe(event=bool(event))
    return watch


def test_nothing_is_known_before_the_first_answer():
    state = DriftWatch(0.2, 100).state()

    assert (state.observed, state.trials, state.is_drift) == (None, 0, False)


@pytest.mark.parametrize("rate", [0.05, 0.4])
def test_a_rate_that_doubled_or_fell_is_found_within_a_few_hundred_answers(rate):
    assert all(watched(rate, 400, seed).state().is_drift for seed in range(20))


def test_looking_after_every_answer_raises_hardly_any_false_alarm():
    alarms = sum(watched(0.2, 1000, seed).state().is_drift for seed in range(100))

    assert alarms <= 4  # 1 expected at the most, at alpha = .01


def test_drift_once_found_stays_reported():
    watch = watched(0.9, 100, 0)
    while watch.state().observed > 0.2:  # until the rate since the beginning is the expected one
        watch.observe(event=False)

    assert watch.state().evidence < 1
    assert watch.state().is_drift


def test_a_rate_that_was_seen_on_few_answers_is_not_held_too_exactly():
    few, many = DriftWatch(0.2, 30), DriftWatch(0.2, 100_000)
    for event in np.random.default_rng(3).random(500) < 0.3:
        few.observe(event=bool(event))
        many.observe(event=bool(event))

    assert not few.state().is_drift
    assert many.state().is_drift


def test_profiles_say_what_to_expect():
    seen = {"escalated": 0.3, "examples": 500, "fast": {"accepted": 100, "wrong": 4}}
    profile = GateProfile(kind="calibrated", model="", modes={}, provenance=seen)

    escalations, errors = watch_escalations(profile), watch_errors(profile)

    assert escalations is not None
    assert escalations.state().expected == 0.3
    assert errors is not None
    assert errors.state().expected == 0.04
    assert watch_escalations(GateProfile.default()) is watch_errors(GateProfile.default()) is None


@pytest.mark.parametrize(("rate", "count", "alpha"), [(1.1, 10, 0.01), (0.5, 0, 0.01), (0.5, 10, 0.0)])
def test_impossible_settings_are_refused(rate, count, alpha):
    with pytest.raises(ConfigurationError):
        DriftWatch(rate, count, alpha=alpha)
