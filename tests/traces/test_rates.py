"""Rates with intervals, and predicted risks against what came, by hand and by simulation."""

import random

import pytest

from adaptive_reasoner.traces.rates import check_risks, rate


def test_an_interval_is_wilsons():
    found = rate([True] * 2 + [False] * 8)
    assert (found.events, found.trials, found.mean) == (2, 10, 0.2)
    assert found.low == pytest.approx(0.0567, abs=1e-4)
    assert found.high == pytest.approx(0.5098, abs=1e-4)


def test_nothing_seen_is_unknown_and_not_zero():
    assert rate([]).mean is None
    assert (rate([]).low, rate([]).high) == (0.0, 1.0)
    assert check_risks([], []) == "unknown"


def draw(shift: float, count: int, seed: int) -> tuple[list[float], list[bool]]:
    """Risks, mostly small, and answers that are wrong more often by `shift` than they say."""
    source = random.Random(seed)
    risks = [source.random() ** 3 for _ in range(count)]
    return risks, [source.random() < risk + shift for risk in risks]


def test_right_risks_are_rarely_doubted_however_often_one_looks():
    doubted = sum(check_risks(*draw(0.0, 500, seed)) != "not contradicted" for seed in range(200))
    assert doubted <= 6  # each way 1 % at the most


def test_risks_within_the_slack_are_rarely_doubted():
    assert sum(check_risks(*draw(0.02, 500, seed)) == "too low" for seed in range(200)) <= 6


@pytest.mark.parametrize(("shift", "status"), [(0.2, "too low"), (-0.3, "too high")])
def test_wrong_risks_are_found(shift, status):
    found = [check_risks(*draw(shift, 300, seed)) for seed in range(50)]
    assert found.count(status) >= 45


def test_sure_answers_that_are_right_contradict_nothing():
    assert check_risks([0.0] * 50_000, [False] * 50_000) == "not contradicted"
    assert check_risks([1.0] * 1000, [True] * 1000) == "not contradicted"


def test_a_few_wrong_answers_contradict_a_risk_of_zero():
    assert check_risks([0.0] * 20, [True] * 4 + [False] * 16) == "too low"
