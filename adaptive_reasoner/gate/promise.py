"""Learn-then-Test: the boldest threshold whose accepted answers keep a promised error rate."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adaptive_reasoner.gate.statistics import Flags, Floats, binomial_tail

_STEPS = 60  # thresholds considered
_EVERYTHING = 1.0  # a threshold that accepts every answer


@dataclass(frozen=True, slots=True)
class Promise:
    """A threshold on the risk and what it accepts of the answers that it was tested on."""

    threshold: float
    accepted: int
    wrong: int


def least_accepted(max_error: float, failure: float) -> int:
    """How many accepted answers, all right, it takes to promise `max_error` with confidence 1 - `failure`."""
    return math.ceil(math.log(failure) / math.log1p(-max_error))


def plan_thresholds(risks: Floats, *, max_error: float, tested: int) -> list[float]:
    """Thresholds in the order in which to test them: the likeliest to pass first, then ever bolder ones.

    How many of the surest answers to expect wrong is the sum of their fitted risks: counting the few that were
    wrong among the surest of a small part would choose a start by luck. Only answers that the test does not see
    are looked at, so that it stays a test, and a poor order costs coverage, not the promise.
    Source: Laufer-Goldman et al., Pareto Testing, arXiv 2210.07913 (order the hypotheses on other data).

    Args:
        risks: shape (n,), P(wrong) of the answers that the risks were fitted on.
        max_error: in (0, 1).
        tested: how many other answers the thresholds will be tested on.
    """
    ranked = np.sort(risks)
    ends = np.flatnonzero(np.append(ranked[1:] > ranked[:-1], True))  # a threshold takes all equal risks
    grid = ends[np.unique(np.linspace(0, len(ends) - 1, _STEPS).round().astype(int))]
    expected = np.cumsum(ranked)[grid] / (grid + 1)
    accepted = np.round((grid + 1) / len(ranked) * tested).astype(int)
    chances = [
        binomial_tail(min(int(rate * count), count), count, max_error)
        for rate, count in zip(expected.tolist(), accepted.tolist(), strict=True)
    ]
    start = int(np.argmin(chances))
    return [*ranked[grid[start:]].tolist(), _EVERYTHING]


def find_threshold(
    risks: Floats, wrong: Flags, thresholds: Sequence[float], *, max_error: float, failure: float
) -> Promise | None:
    """Fixed-sequence testing: thresholds are tested in their order, until the first that fails.

    With probability 1 - `failure` over the test answers, the error rate among accepted ones is at most
    `max_error`; risks and thresholds must come from other answers.
    Source: Angelopoulos et al., Learn then Test, arXiv 2110.01052, section 4.1; exact binomial p-values.

    Args:
        risks: shape (n,).
        wrong: shape (n,).
        thresholds: from `plan_thresholds`.
        max_error: in (0, 1).
        failure: in (0, 1), the probability with which the promise may fail.

    Returns:
        The last threshold that passed, or None.
    """
    order = np.argsort(risks, kind="stable")
    ranked, errors = risks[order], np.concatenate([[0], np.cumsum(wrong[order])])
    best: Promise | None = None
    for threshold in thresholds:
        accepted = int(np.searchsorted(ranked, threshold, side="right"))
        mistakes = int(errors[accepted])
        if binomial_tail(mistakes, accepted, max_error) > failure:
            break
        best = Promise(threshold, accepted, mistakes)
    return best
