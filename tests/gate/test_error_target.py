"""Promises about both modes at once."""

import numpy as np
import pytest
from signals import signal_of

from adaptive_reasoner.errors import CalibrationError
from adaptive_reasoner.gate.comparison import Comparison
from adaptive_reasoner.gate.error_target import for_error
from adaptive_reasoner.gate.scored import Scored


def answered(count: int, *, fast_wrong: float, deep_wrong: float, seed: int = 0) -> list[Scored]:
    """Answers whose doubt says whether they are wrong; wrong ones have p near .5, right ones near .95."""
    generator = np.random.default_rng(seed)
    made: list[Scored] = []
    for _ in range(count):
        wrong = generator.random(2) < (fast_wrong, deep_wrong)
        p = np.where(wrong, generator.uniform(0.4, 0.7, 2), generator.uniform(0.8, 0.99, 2))
        made.append(Scored(signal_of(float(p[0])), bool(wrong[0]), signal_of(float(p[1])), bool(wrong[1])))
    return made


def test_both_modes_accept_what_they_can_promise():
    modes, comparison, figures = for_error(answered(800, fast_wrong=0.3, deep_wrong=0.2), 0.05, 0.9)

    assert figures["fast"]["wrong"] <= 0.05 * figures["fast"]["accepted"]
    assert figures["fast"]["accepted"] >= 0.65 * figures["tested_on"]
    assert modes["fast"].risk(signal_of(0.5)) > modes["fast"].max_accepted_risk
    assert modes["deep"].risk(signal_of(0.95)) <= modes["deep"].max_accepted_risk
    assert comparison == Comparison()  # what was accepted is what is handed on


def test_where_no_fast_answer_can_be_promised_all_of_them_think():
    generator = np.random.default_rng(1)
    hopeless = [
        Scored(signal_of(0.8), bool(generator.random() < 0.5), one.deep, one.deep_wrong)
        for one in answered(800, fast_wrong=0.5, deep_wrong=0.1)
    ]

    modes, _, figures = for_error(hopeless, 0.05, 0.9)

    assert figures["fast"] is None
    assert figures["escalated"] == 1.0
    assert modes["fast"].max_accepted_risk < 0
    assert figures["deep"]["accepted"] > 0.5 * figures["tested_on"]


def test_where_no_mode_can_be_promised_it_is_refused_and_the_signal_is_named():
    generator = np.random.default_rng(2)
    coin = [Scored(signal_of(float(generator.uniform(0.5, 1))), bool(generator.random() < 0.5), None, None)
            for _ in range(400)]  # fmt: skip

    with pytest.raises(CalibrationError, match="the signal is uninformative here"):
        for_error(coin, 0.05, 0.9)


def test_a_deep_mode_of_which_nothing_can_be_promised_is_never_sure():
    modes, _, figures = for_error(answered(800, fast_wrong=0.2, deep_wrong=0.999), 0.05, 0.9)

    assert figures["deep"] is None
    assert modes["deep"].max_accepted_risk < 0
