import numpy as np
import pytest
from signals import signal_of, unknown_signal

from adaptive_reasoner.errors import CalibrationError
from adaptive_reasoner.gate.curve import read_curve
from adaptive_reasoner.gate.fitting import fit_loss_after, fit_mode
from adaptive_reasoner.state import Signal


def test_fitted_risks_are_calibrated_on_fresh_answers():
    generator = np.random.default_rng(0)
    probabilities = generator.uniform(0.2, 0.999, size=6000)
    signals = [signal_of(p) for p in probabilities]
    truth = (1 - probabilities) ** 2  # the model is surer than it says
    wrong = generator.random(6000) < truth

    profile = fit_mode(signals[:3000], wrong[:3000].tolist())

    risks = np.array([profile.risk(signal) for signal in signals[3000:]])
    assert np.abs(risks - truth[3000:]).mean() < 0.02
    for low, high in ((0.0, 0.1), (0.1, 0.3), (0.3, 1.0)):
        inside = (risks >= low) & (risks < high)
        assert wrong[3000:][inside].mean() == pytest.approx(risks[inside].mean(), abs=0.04)


def test_an_answer_riskier_than_any_seen_is_riskier_than_they_are():
    generator = np.random.default_rng(0)
    probabilities = generator.uniform(0.8, 0.999, size=1000)
    signals = [signal_of(p) for p in probabilities]

    profile = fit_mode(signals, (generator.random(1000) > probabilities).tolist())

    assert profile.risk(signal_of(0.4)) > max(map(profile.risk, signals))


def test_few_answers_are_fitted_without_a_curve():
    profile = fit_mode([signal_of(0.9), signal_of(0.3)] * 10, [False, True] * 10)

    assert profile.knots == ()
    assert profile.risk(signal_of(0.9)) < 0.2
    assert profile.risk(signal_of(0.3)) > 0.8


def test_answers_that_are_all_right_have_a_low_but_no_zero_risk():
    profile = fit_mode([signal_of(0.9), signal_of(0.8)] * 50, [False] * 100)

    assert 0.0005 < profile.risk(signal_of(0.9)) < 0.02


def test_what_cannot_be_fitted_is_a_calibration_error():
    with pytest.raises(CalibrationError, match="1 signals and 1 labels"):
        fit_mode([signal_of(0.9)], [True])
    with pytest.raises(CalibrationError, match="2 signals and 1 labels"):
        fit_mode([signal_of(0.9)] * 2, [True])
    with pytest.raises(CalibrationError, match="leave the others out"):
        fit_mode([signal_of(0.9), unknown_signal()], [True, False])


def test_the_loss_of_an_alternative_is_its_error_plus_its_price():
    generator = np.random.default_rng(0)
    risks = generator.uniform(0, 1, size=8000)
    broken = (generator.random(8000) < 0.1).astype(float)

    curve = fit_loss_after(risks, broken, price=0.05)

    assert [read_curve(curve, risk) for risk in (0.05, 0.5, 0.95)] == pytest.approx([0.15] * 3, abs=0.03)


def thought_through(generator: np.random.Generator, count: int) -> tuple[list[Signal], list[bool]]:
    """Deep answers, all as sure as each other: only the fast answer's support tells right from wrong."""
    support = generator.uniform(0.01, 0.99, size=count)
    signals: list[Signal] = [{**signal_of(0.99), "support": float(share)} for share in support]
    return signals, (generator.random(count) > support).tolist()


def test_what_the_fast_answer_said_counts_for_a_deep_one():
    signals, wrong = thought_through(np.random.default_rng(0), 2000)

    profile = fit_mode(signals, wrong)

    assert profile.risk({**signal_of(0.99), "support": 0.9}) == pytest.approx(0.1, abs=0.05)
    assert profile.risk({**signal_of(0.99), "support": 0.2}) == pytest.approx(0.8, abs=0.07)


def test_a_deep_answer_without_a_fast_one_has_the_risk_of_its_own_tokens():
    signals, wrong = thought_through(np.random.default_rng(0), 2000)

    profile = fit_mode(signals, wrong)

    assert profile.risk(signal_of(0.99)) == pytest.approx(np.mean(wrong), abs=0.02)


def test_support_known_of_a_few_answers_only_is_not_fitted():
    signals, wrong = thought_through(np.random.default_rng(0), 40)

    profile = fit_mode([*signals, *[signal_of(0.99)] * 100], [*wrong, *[False] * 100])

    assert "log_unsupported" not in profile.features
