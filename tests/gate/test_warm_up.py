"""Gates without labels."""

import numpy as np
import pytest
from signals import signal_of, unknown_signal

from adaptive_reasoner.config import Situation
from adaptive_reasoner.errors import CalibrationError, ConfigurationError
from adaptive_reasoner.gate.warm_up import plain_threshold, warm_up

FAST = Situation(mode="fast", can_refine=True, can_escalate=True, can_review=False)
SPENT = Situation(mode="fast", can_refine=False, can_escalate=False, can_review=False)
SIGNALS = [signal_of(float(p)) for p in np.random.default_rng(0).uniform(0.55, 0.999, size=500)]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_about_the_share_escalates_of_answers_like_those_seen(share):
    gate = warm_up(SIGNALS, max_escalation=share)
    others = [signal_of(float(p)) for p in np.random.default_rng(1).uniform(0.55, 0.999, size=500)]

    escalated = [gate.decide(signal, FAST).verdict for signal in others].count("escalate") / 500

    assert escalated == pytest.approx(share, abs=0.1)  # three standard errors of two samples of 500


def test_the_most_doubtful_escalate_and_the_reason_says_that_it_is_no_calibration():
    gate = warm_up(SIGNALS, max_escalation=0.2)

    doubtful, sure = gate.decide(signal_of(0.55), FAST), gate.decide(signal_of(0.999), FAST)

    assert (doubtful.verdict, sure.verdict) == ("escalate", "accept")
    assert doubtful.risk is sure.risk is None
    assert "quantiles of unlabelled answers" in doubtful.reason
    assert gate.kind == "quantile"


def test_what_cannot_be_escalated_is_accepted():
    assert warm_up(SIGNALS, max_escalation=0.2).decide(signal_of(0.55), SPENT).verdict == "accept"


def test_unknown_answers_count_as_escalated():
    gate = warm_up([*SIGNALS[:90], *[unknown_signal()] * 10], max_escalation=0.1)

    assert [gate.decide(signal, FAST).verdict for signal in SIGNALS[:90]].count("escalate") == 0
    with pytest.raises(CalibrationError, match="10 of 100 answers"):
        warm_up([*SIGNALS[:90], *[unknown_signal()] * 10], max_escalation=0.05)


def test_too_few_answers_and_impossible_shares_are_refused():
    with pytest.raises(CalibrationError, match=r"19 answers .* at least 20"):
        warm_up(SIGNALS[:19], max_escalation=0.1)
    with pytest.raises(ConfigurationError, match="between 0 and 1"):
        warm_up(SIGNALS, max_escalation=1.1)
    with pytest.raises(ConfigurationError, match="between 0 and 1"):
        plain_threshold(-0.1)


@pytest.mark.parametrize(("p", "verdict"), [(0.81, "accept"), (0.79, "escalate")])
def test_a_plain_threshold_looks_at_the_least_probability(p, verdict):
    decision = plain_threshold(0.2).decide(signal_of(p), FAST)

    assert (decision.verdict, decision.risk) == (verdict, None)
    assert decision.reason.startswith("uncalibrated, by a plain threshold")
