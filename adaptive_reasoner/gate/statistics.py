"""The few statistics that calibration needs, exact where it matters, without SciPy."""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def binomial_tail(events: int, trials: int, rate: float) -> float:
    """P(X <= events) for X ~ Binomial(trials, rate), summed exactly from logarithms.

    Args:
        events: 0 <= events <= trials.
        trials: >= 0.
        rate: in (0, 1).
    """
    if events >= trials:
        return 1.0
    count = np.arange(1, events + 1)
    steps = np.log(trials - count + 1) - np.log(count) + math.log(rate) - math.log1p(-rate)
    terms = trials * math.log1p(-rate) + np.concatenate([[0.0], np.cumsum(steps)])
    largest = float(terms.max())
    return min(math.exp(largest) * math.fsum(np.exp(terms - largest).tolist()), 1.0)


def upper_bound(events: int, trials: int, confidence: float) -> float:
    """Exact (Clopper-Pearson) one-sided upper bound of a rate, by bisection."""
    if events >= trials:
        return 1.0
    low, high = events / trials, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if binomial_tail(events, trials, middle) > 1 - confidence else (low, middle)
        )
    return high


def auroc(scores: Floats, wrong: Flags) -> float:
    """Probability that a wrong answer has the higher score, ties counted half; .5 where one class is missing."""
    positives, negatives = int(wrong.sum()), int((~wrong).sum())
    if not positives or not negatives:
        return 0.5
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2)[inverse]  # mean rank of ties, from 1
    return float((ranks[wrong].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def auroc_lower_bound(scores: Floats, wrong: Flags, confidence: float) -> float:
    """One-sided lower bound of `auroc`, with the standard error of Hanley and McNeil (1982)."""
    area, positives, negatives = auroc(scores, wrong), int(wrong.sum()), int((~wrong).sum())
    if not positives or not negatives:
        return 0.0
    one, two = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (positives - 1) * (one - area**2) + (negatives - 1) * (two - area**2)
    return area - NormalDist().inv_cdf(confidence) * math.sqrt(max(spread, 0.0) / (positives * negatives))


def fit_logistic(features: Floats, outcomes: Floats, *, ridge: float = 1.0) -> tuple[Floats, float]:
    """Logistic regression by Newton's method, ridge on the standardised weights.

    Args:
        features: shape (n, f).
        outcomes: shape (n,), in [0, 1].
        ridge: strength of the penalty; keeps separable data finite.

    Returns:
        Weights of shape (f,) and the bias, for features as they came.
    """
    centre, scale = features.mean(axis=0), features.std(axis=0)
    scale = np.where(scale > 1e-12, scale, 1.0)
    design = np.column_stack(((features - centre) / scale, np.ones(len(features))))
    penalty = np.diag([ridge] * features.shape[1] + [1e-6])
    # pseudo-outcomes .5, two of them, start and keep the bias finite where one class is missing
    weights = np.zeros(design.shape[1])
    for _ in range(50):
        chance = sigmoid(design @ weights)
        gradient = design.T @ (outcomes - chance) - penalty @ weights
        gradient[-1] += 1.0 - 2.0 * sigmoid(weights[-1:])[0]
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design + penalty
        curvature[-1, -1] += 0.5
        step = np.linalg.solve(curvature, gradient)
        weights = weights + step * min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-12))
        if float(np.abs(step).max()) < 1e-9:
            break
    slopes = weights[:-1] / scale
    return slopes, float(weights[-1] - slopes @ centre)


def sigmoid(score: Floats) -> Floats:
    """The logistic function, safe for large scores."""
    return 1.0 / (1.0 + np.exp(-np.clip(score, -700.0, 700.0)))
