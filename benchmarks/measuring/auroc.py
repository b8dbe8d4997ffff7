"""AUROC of a score for "wrong" over questions that hold several answers each, with intervals over questions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_MOST_LEVELS = 400


@dataclass(frozen=True, slots=True)
class Resampled:
    """Bootstrap weights of q questions: row 0 is the sample itself.

    Attributes:
        weights: shape (1 + resamples, q), how often each question was drawn.
    """

    weights: Floats

    @classmethod
    def draw(cls, questions: int, resamples: int, seed: int) -> "Resampled":
        """Draw whole questions with replacement: answers to one question are not independent."""
        rng = np.random.default_rng(seed)
        drawn = rng.multinomial(questions, np.full(questions, 1 / questions), size=resamples)
        return cls(np.vstack([np.ones((1, questions)), drawn]).astype(np.float64))

    def auroc(self, question: NDArray[np.int64], score: Floats, wrong: Flags) -> Floats:
        """AUROC in every resample, ties counted half, of shape (1 + resamples,).

        Args:
            question: shape (n,), the question that each answer belongs to.
            score: shape (n,), higher where the answer is more likely to be wrong; beyond 400 values it is cut into
                bins of equal counts.
            wrong: shape (n,).
        """
        levels = _levels(score)
        count = int(levels.max()) + 1
        table = np.zeros((self.weights.shape[1], 2, count))
        np.add.at(table, (question, wrong.astype(np.int64), levels), 1.0)
        right, wrongs = np.moveaxis(np.tensordot(self.weights, table, axes=(1, 0)), 1, 0)
        below = np.cumsum(right, axis=1) - right
        pairs = right.sum(axis=1) * wrongs.sum(axis=1)
        return (wrongs * (below + right / 2)).sum(axis=1) / pairs

    def mean(self, question: NDArray[np.int64], value: Floats) -> Floats:
        """Mean of a value over answers in every resample, of shape (1 + resamples,)."""
        size = self.weights.shape[1]
        totals = np.bincount(question, weights=value, minlength=size)
        counts = np.bincount(question, minlength=size)
        return (self.weights @ totals) / (self.weights @ counts)


def with_interval(values: Floats) -> dict[str, float]:
    """The sample's own value and the 95 % percentile interval of the resamples."""
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return {"value": float(values[0]), "low": float(low), "high": float(high)}


def _levels(score: Floats) -> NDArray[np.int64]:
    values, levels = np.unique(np.round(score, 9), return_inverse=True)
    if len(values) <= _MOST_LEVELS:
        return levels.astype(np.int64)
    edges = np.unique(np.quantile(score, np.linspace(0, 1, _MOST_LEVELS + 1)[1:-1]))
    return np.searchsorted(edges, score, side="right").astype(np.int64)
