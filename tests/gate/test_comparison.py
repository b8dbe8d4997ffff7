"""The accept-if-better step: what it decides, what it learns, and that it knows when it does not know."""

import json
import math

import numpy as np
import pytest
from signals import signal_of, unknown_signal

from adaptive_reasoner.errors import ProfileError
from adaptive_reasoner.gate import GateProfile
from adaptive_reasoner.gate.comparison import Comparison, comparison_from_json
from adaptive_reasoner.gate.comparison_fitting import fit_comparison, wrong_after
from adaptive_reasoner.gate.scored import Scored

BY_DOUBT = Comparison(features=("log_doubt",), fast_weights=(1.0,), deep_weights=(-1.0,))


def test_the_surer_answer_stands():
    # log odds of the deep answer: ln .1 - ln .2 < 0 < ln .3 - ln .2
    assert BY_DOUBT.log_odds(signal_of(0.9), signal_of(0.8)) == pytest.approx(math.log(0.1 / 0.2))
    assert BY_DOUBT.keeps_fast(signal_of(0.9), signal_of(0.8)) is True
    assert BY_DOUBT.keeps_fast(signal_of(0.7), signal_of(0.8)) is False


def test_without_weights_the_deep_answer_stands():
    assert Comparison().keeps_fast(signal_of(0.99), signal_of(0.5)) is False


def test_it_does_not_apply_where_nothing_is_measured():
    measured = {**signal_of(0.9), "risk": 0.1}

    assert BY_DOUBT.keeps_fast(unknown_signal(), signal_of(0.9)) is None
    assert BY_DOUBT.keeps_fast(measured, unknown_signal()) is None


@pytest.mark.parametrize(
    ("error", "risk", "keeps"), [(0.9, 0.3, True), (0.9, 0.95, False), (0.4, 0.1, False)]
)
def test_unmeasured_deep_answers_lose_only_where_they_are_mostly_wrong(error, risk, keeps):
    fast = {**signal_of(0.9), "risk": risk}

    assert Comparison(unmeasured_error=error).keeps_fast(fast, unknown_signal()) is keeps


def test_it_survives_its_profile(tmp_path):
    comparison = Comparison(
        features=("log_doubt",), fast_weights=(0.5,), deep_weights=(-0.1,), bias=0.2, unmeasured_error=0.9
    )
    profile = GateProfile(kind="calibrated", model="m", modes={}, comparison=comparison)
    profile.save(tmp_path / "profile.json")

    assert GateProfile.load(tmp_path / "profile.json") == profile
    assert "comparison" not in GateProfile.default().to_json()


@pytest.mark.parametrize(
    "broken",
    [
        [],
        {},
        {"features": ["log_doubt"], "fast_weights": [1], "deep_weights": [], "bias": 0},
        {"features": ["nonsense"], "fast_weights": [1], "deep_weights": [1], "bias": 0},
        {"features": [], "fast_weights": [], "deep_weights": [], "bias": math.inf},
        {"features": [], "fast_weights": [], "deep_weights": [], "bias": 0, "unmeasured_error": "much"},
    ],
)
def test_a_malformed_one_is_refused(broken):
    with pytest.raises(ProfileError):
        comparison_from_json(broken)


def answered(generator, *, telling: bool) -> Scored:
    """Both answers' probabilities; they say which one is right, or nothing."""
    p, q = generator.uniform(0.3, 0.99, size=2)
    deep_right = (
        generator.random() < (0.9 if (q > p) == telling else 0.1) if telling else generator.random() < 0.6
    )
    return Scored(signal_of(float(p)), bool(deep_right), signal_of(float(q)), not deep_right)


def test_it_learns_which_answer_to_keep():
    generator = np.random.default_rng(0)

    comparison, figures = fit_comparison([answered(generator, telling=True) for _ in range(400)], 0.9)

    assert figures["used"] is True
    assert (figures["pairs"], figures["differing"]) == (400, 400)
    assert (
        figures["gain"] > 0.2
    )  # keeping the fast answer is right nine times in ten where it is the surer one
    assert comparison.keeps_fast(signal_of(0.95), signal_of(0.4)) is True
    assert comparison.keeps_fast(signal_of(0.4), signal_of(0.95)) is False
    json.dumps(comparison.to_json())


def test_it_is_rarely_used_where_the_signals_say_nothing():
    generator = np.random.default_rng(1)

    used = [
        fit_comparison([answered(generator, telling=False) for _ in range(200)], 0.9)[1]["used"]
        for _ in range(40)
    ]

    assert sum(used) <= 4


def test_few_questions_teach_nothing():
    generator = np.random.default_rng(2)

    comparison, figures = fit_comparison([answered(generator, telling=True) for _ in range(49)], 0.9)

    assert (comparison, figures["used"]) == (Comparison(), False)


def test_the_error_of_unmeasured_answers_is_counted():
    given = [Scored(signal_of(0.9), fast_wrong=False, deep=None, deep_wrong=True)] * 8

    assert fit_comparison(given, 0.9)[0].unmeasured_error == pytest.approx(9 / 10)


def test_what_is_wrong_after_thinking_is_what_is_handed_on():
    kept = Scored(signal_of(0.9), fast_wrong=False, deep=signal_of(0.6), deep_wrong=True)
    thought = Scored(signal_of(0.5), fast_wrong=True, deep=signal_of(0.8), deep_wrong=False)
    unlabelled = Scored(signal_of(0.5), fast_wrong=True, deep=None, deep_wrong=None)

    assert wrong_after([kept, thought, unlabelled], BY_DOUBT) == [False, False, None]
    assert wrong_after([kept], Comparison()) == [True]
