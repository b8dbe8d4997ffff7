"""How well a score says who should think, as RouteLLM measures it (arXiv 2406.18665, section 4).

Questions go to thinking in the order of their score. The performance gap recovered at a share of thinking is
(accuracy - always fast) / (always deep - always fast); APGR is its mean over all shares, CPT(x) the least share
that recovers x of the gap. Ties are broken at random, in expectation.
"""

import numpy as np
from numpy.typing import NDArray

from adaptive_reasoner.errors import InvalidInputError

Floats = NDArray[np.float64]


def deferral_weights(scores: Floats) -> Floats:
    """Share of all thinking shares at which each question thinks, shape (n,): 1 for the first, 0 for the last."""
    _, inverse, counts = np.unique(-scores, return_inverse=True, return_counts=True)
    middles = np.cumsum(counts) - counts / 2
    return 1.0 - middles[inverse] / len(scores)


def apgr(scores: Floats, gains: Floats) -> float:
    """Average performance gap recovered; .5 is random order.

    Args:
        scores: shape (n,), larger thinks earlier.
        gains: shape (n,), deep right - fast right, in [-1, 1].

    Raises:
        InvalidInputError: a score is not finite, or thinking gains nothing in total, so that there is no gap.
    """
    _check(scores, gains)
    return float(deferral_weights(scores) @ gains / gains.sum())


def recovered(scores: Floats, gains: Floats) -> Floats:
    """Gap recovered when the first 0, 1, ..., n questions think, shape (n + 1,); questions that tie share alike."""
    _check(scores, gains)
    values, inverse, counts = np.unique(-scores, return_inverse=True, return_counts=True)
    means = np.bincount(inverse, gains, len(values)) / counts
    return np.concatenate([[0.0], np.cumsum(np.repeat(means, counts))]) / gains.sum()


def cpt(scores: Floats, gains: Floats, share: float) -> float:
    """Least share of thinking calls that recovers `share` of the gap (CPT50 is `share` .5)."""
    curve = recovered(scores, gains)
    return float(np.argmax(curve >= share - 1e-12)) / len(gains)


def resampled_apgr(scores: Floats, gains: Floats, counts: Floats) -> Floats:
    """APGR in bootstrap resamples, from each question's place in the whole order.

    Args:
        scores: shape (n,).
        gains: shape (n,).
        counts: shape (resamples, n), how often each question was drawn.

    Returns:
        Shape (resamples,); NaN where a resample has no gap.
    """
    order = np.argsort(-scores, kind="stable")
    _, inverse = np.unique(-scores[order], return_inverse=True)
    drawn = counts[:, order]
    ends = np.cumsum(drawn, axis=1)
    last = np.flatnonzero(np.append(np.diff(inverse) > 0, True))
    upper = ends[:, last][:, inverse]
    lower = np.concatenate([np.zeros((len(counts), 1)), ends[:, last]], axis=1)[:, inverse]
    weights = 1.0 - (upper + lower) / (2 * drawn.sum(axis=1, keepdims=True))
    total = drawn @ gains[order]
    return np.where(total > 0, (drawn * weights) @ gains[order] / np.where(total > 0, total, 1.0), np.nan)


def draw_counts(n: int, resamples: int, seed: int) -> Floats:
    """Bootstrap resamples as counts, shape (resamples, n): the same ones for every score make a paired test."""
    rng = np.random.default_rng(seed)
    return np.array(
        [np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(resamples)], dtype=np.float64
    )


def interval(values: Floats) -> tuple[float, float]:
    """95 % percentile interval, resamples without a gap left out."""
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(low), float(high)


def _check(scores: Floats, gains: Floats) -> None:
    if not np.isfinite(scores).all() or not np.isfinite(gains).all():
        raise InvalidInputError("A score or a gain is not a finite number.")
    if gains.sum() <= 0:
        raise InvalidInputError("Thinking gains nothing on these questions, so there is no gap to recover.")
