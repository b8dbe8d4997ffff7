"""Learn-then-Test: the largest threshold whose accepted answers keep a promised error rate."""

import math
from dataclasses import dataclass

import numpy as np

from adaptive_reasoner.gate.statistics import Flags, Floats, binomial_tail

_STARTS = 4  # chains of tests, each at an equal share of the allowance
_STEPS = 60  # thresholds tried


@dataclass(frozen=True, slots=True)
class Promise:
    """A threshold on the risk and what it accepts of the answers that it was tested on."""

    threshold: float
    accepted: int
    wrong: int


def least_accepted(max_error: float, failure: float) -> int:
    """How many accepted answers, all right, it takes to promise `max_error` with confidence 1 - `failure`."""
    return math.ceil(math.log(failure / _STARTS) / math.log1p(-max_error))


def find_threshold(risks: Floats, wrong: Flags, *, max_error: float, failure: float) -> Promise | None:
    """Fixed-sequence testing over thresholds, from careful to bold, in chains that stop at the first failure.

    With probability 1 - `failure` over the test answers, the error rate among accepted ones is at most
    `max_error`; the risks must come from a profile that was fitted on other answers.
    Source: Angelopoulos et al., Learn then Test, arXiv 2110.01052, section 4.1; exact binomial p-values.

    Args:
        risks: shape (n,).
        wrong: shape (n,).
        max_error: in (0, 1).
        failure: in (0, 1), the probability with which the promise may fail.

    Returns:
        The boldest threshold that passed, or None.
    """
    order = np.argsort(risks, kind="stable")
    ranked, errors = risks[order], np.cumsum(wrong[order])
    ends = np.flatnonzero(np.append(ranked[1:] > ranked[:-1], True))  # a threshold takes all equal risks
    ends = ends[ends + 1 >= least_accepted(max_error, failure)]
    if not len(ends):
        return None
    grid = ends[np.unique(np.linspace(0, len(ends) - 1, _STEPS).round().astype(int))]
    best: Promise | None = None
    for start in sorted({len(grid) * part // _STARTS for part in range(_STARTS)}):
        for end in grid[start:].tolist():
            if binomial_tail(int(errors[end]), end + 1, max_error) > failure / _STARTS:
                break
            if best is None or end + 1 > best.accepted:
                best = Promise(float(ranked[end]), end + 1, int(errors[end]))
    return best
