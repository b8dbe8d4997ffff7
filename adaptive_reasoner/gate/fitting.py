"""From labelled signals to the profile of a mode: the risk, and what thinking is expected to leave of it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from adaptive_reasoner.errors import CalibrationError
from adaptive_reasoner.gate.curve import Floats, Knots, fit_monotone
from adaptive_reasoner.gate.features import DIRECTIONS, feature_values, has_features
from adaptive_reasoner.gate.mode_profile import ModeProfile
from adaptive_reasoner.gate.statistics import fit_logistic, sigmoid
from adaptive_reasoner.state import Signal

DEFAULT_FEATURES = ("log_sequence_doubt", "log_entropy_sum", "min_probability")
SUPPORTED_FEATURES = (*DEFAULT_FEATURES, "log_unsupported")
RATIONALE_FEATURES = (*DEFAULT_FEATURES, "contradicted")
LEAST_SUPPORTED = 50  # signals with support, or with a rationale, from which a fit of their own is worth it

# A monotone curve needs this many answers a bin to be steadier than the logistic one.
_ANSWERS_A_BIN = 40
_MAX_BINS = 25
# The logistic prediction counts as this many answers in every bin.
_PRIOR_ANSWERS = 4.0
_RISK_GRID = (0.0, 0.01, 0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


def fit_mode(
    signals: Sequence[Signal], wrong: Sequence[bool], *, features: Sequence[str] | None = None
) -> ModeProfile:
    """Fit P(wrong | signal): logistic over the features, then a monotone curve over its score.

    Args:
        signals: n >= 2 of kind "logprobs".
        wrong: n labels.
        features: names from `FEATURES`, which every signal must hold. None: `DEFAULT_FEATURES`, with those of
            `SUPPORTED_FEATURES` where at least `LEAST_SUPPORTED` signals know what the fast answer was, or those of
            `RATIONALE_FEATURES` where as many know what the rationale after the answer comes to.

    Returns:
        A profile without alternatives; `dataclasses.replace` adds them.

    Raises:
        CalibrationError: signals and labels do not pair up, or a signal has no log probabilities.
    """
    if len(signals) != len(wrong) or len(signals) < 2:
        raise CalibrationError(
            f"{len(signals)} signals and {len(wrong)} labels: give at least 2, one label each."
        )
    if any(signal["kind"] != "logprobs" for signal in signals):
        raise CalibrationError("A mode is fitted from signals of kind 'logprobs'; leave the others out.")
    if features is not None:
        return _fit(signals, wrong, features)
    alone = _fit(signals, wrong, DEFAULT_FEATURES)
    for more in (SUPPORTED_FEATURES, RATIONALE_FEATURES):
        known = [index for index, signal in enumerate(signals) if has_features(signal, more)]
        if len(known) >= LEAST_SUPPORTED:
            supported = _fit([signals[i] for i in known], [wrong[i] for i in known], more)
            return replace(supported, without_thought=alone)
    return alone


def _fit(signals: Sequence[Signal], wrong: Sequence[bool], features: Sequence[str]) -> ModeProfile:
    values = np.array([feature_values(signal, features) for signal in signals], dtype=np.float64)
    labels = np.asarray(wrong, dtype=np.float64)
    weights, bias = fit_directed(values, labels, np.array([DIRECTIONS[name] for name in features]))
    profile = ModeProfile(features=tuple(features), weights=tuple(weights.tolist()), bias=bias)
    return replace(profile, knots=_risk_knots(values @ weights + bias, labels))


def fit_loss_after(risks: Floats, losses: Floats, *, price: float = 0.0) -> Knots:
    """The curve risk -> expected loss of an alternative, from what it led to on the same questions.

    Args:
        risks: shape (n,), of the answers before.
        losses: shape (n,), in [0, 1]: 1 where the alternative's answer was wrong.
        price: added everywhere: the tokens spent, in units of P(wrong).
    """
    weights, bias = fit_logistic(log_odds(risks)[:, None], losses)
    grid = np.array(_RISK_GRID)
    expected = sigmoid(log_odds(grid) * weights[0] + bias) + price
    return tuple(zip(grid.tolist(), expected.tolist(), strict=True))


def log_odds(risks: Floats) -> Floats:
    """Logarithm of the odds of each risk, kept finite at 0 and 1."""
    kept = np.clip(risks, 1e-3, 1 - 1e-3)
    return np.log(kept / (1 - kept))


def fit_directed(values: Floats, labels: Floats, directions: Floats) -> tuple[Floats, float]:
    """Logistic regression in which a feature that would work against its direction is left out."""
    kept = np.ones(len(directions), dtype=np.bool_)
    weights = np.zeros(len(directions))
    while True:
        weights[:] = 0.0
        weights[kept], bias = fit_logistic(values[:, kept], labels)
        against = np.where(directions * weights < 0, np.abs(weights) * values.std(axis=0), 0.0)
        if not against.any():
            return weights, bias
        kept[against.argmax()] = False


def _risk_knots(scores: Floats, labels: Floats) -> Knots:
    bins = min(len(scores) // _ANSWERS_A_BIN, _MAX_BINS)
    if bins < 4 or float(np.ptp(scores)) < 1e-9:
        return ()
    prior = _PRIOR_ANSWERS * bins / (len(scores) + _PRIOR_ANSWERS * bins)
    knots = fit_monotone(scores, (1 - prior) * labels + prior * sigmoid(scores), bins=bins)
    return knots + _beyond(knots[-1])


def _beyond(last: tuple[float, float]) -> Knots:
    """Riskier answers than any seen follow the logistic prediction: they must not pass for the riskiest seen."""
    score, risk = last
    ahead = score + np.array([1.0, 2.0, 4.0, 8.0])
    return tuple(zip(ahead.tolist(), np.maximum(sigmoid(ahead), risk).tolist(), strict=True))
