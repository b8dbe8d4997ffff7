"""How much could be promised at all: a test of n answers cannot prove what is nearly not so."""

import numpy as np
from numpy.typing import NDArray

from adaptive_reasoner.gate.statistics import binomial_tail

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_STEPS = 60


def oracle_coverage(risks: Floats, wrong: Flags, target: float) -> float:
    """The share that the boldest threshold accepts with at most `target` of it wrong."""
    order = np.argsort(risks, kind="stable")
    ends = np.append(risks[order][1:] > risks[order][:-1], True)
    kept = np.flatnonzero(ends & (np.cumsum(wrong[order]) <= target * np.arange(1, len(order) + 1)))
    return float((kept[-1] + 1) / len(order)) if len(kept) else 0.0


def provable_coverage(risks: Floats, wrong: Flags, *, max_error: float, failure: float) -> float:
    """Expected coverage of the best single threshold, had it been known before an exact test of n answers.

    For each share accepted: that share times the chance that a fresh test passes, if the error is the one
    observed here. Like the oracle it picks with these labels, so it flatters; unlike it, it has to prove.

    Args:
        risks: shape (n,).
        wrong: shape (n,).
        max_error: in (0, 1).
        failure: in (0, 1), the probability with which the promise may fail.
    """
    errors = np.cumsum(wrong[np.argsort(risks, kind="stable")])
    best = 0.0
    for accepted in np.unique(np.linspace(len(risks) / _STEPS, len(risks), _STEPS).astype(int)).tolist():
        rate = (int(errors[accepted - 1]) + 0.5) / (accepted + 1)
        allowed = most_allowed(accepted, max_error, failure)
        if allowed >= 0:
            best = max(best, accepted / len(risks) * binomial_tail(allowed, accepted, rate))
    return best


def most_allowed(accepted: int, max_error: float, failure: float) -> int:
    """The most errors among `accepted` answers with which the test passes; -1 where none passes."""
    low, high = -1, accepted  # low passes, high fails
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if binomial_tail(middle, accepted, max_error) <= failure else (low, middle)
    return low
