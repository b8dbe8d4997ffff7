"""How much of the oracle's token saving a method gets, at one accuracy, with paired bootstrap intervals.

    share = (T_random - T_method) / (T_random - T_oracle), all at the same accuracy

T_random mixes always-fast and always-deep by a coin; T_oracle knows beforehand which mode is right and takes the
cheapest right answer, on as many problems as the accuracy needs. Everything is computed from per-problem columns
and weights, so that a bootstrap resample is one row of counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adaptive_reasoner.training.embedded.calibrate_policy import Totals

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Resamples:
    """Row 0 counts every problem once; the others are bootstrap resamples.

    Attributes:
        counts: shape (1 + resamples, n).
    """

    counts: Floats

    def mean(self, values: Floats) -> Floats:
        """Means of (n,) or (n, k) values in every resample: (1 + resamples,) or (1 + resamples, k)."""
        return self.counts @ values / self.counts.shape[1]


def draw_resamples(n: int, resamples: int, seed: int) -> Resamples:
    """Draw problems with replacement, the same ones for every method."""
    rng = np.random.default_rng(seed)
    counts = np.ones((1 + resamples, n))
    for row in range(1, 1 + resamples):
        counts[row] = np.bincount(rng.integers(0, n, n), minlength=n)
    return Resamples(counts)


@dataclass(frozen=True, slots=True)
class Line:
    """A method with one operating point or several along its only parameter."""

    name: str
    points: Sequence[Totals]

    def means(self, resamples: Resamples) -> tuple[Floats, Floats]:
        """Accuracies and tokens, each of shape (1 + resamples, points)."""
        right = np.column_stack([point.right for point in self.points])
        tokens = np.column_stack([point.tokens for point in self.points])
        return resamples.mean(right), resamples.mean(tokens)


def tokens_at(accuracies: Floats, tokens: Floats, wanted: Floats) -> Floats:
    """Least tokens at which a line reaches an accuracy, drawn straight between neighbouring points.

    Args:
        accuracies: shape (rows, points), in the order of the parameter.
        tokens: the same shape.
        wanted: shape (rows,).

    Returns:
        Shape (rows,); infinite where the line does not reach it.
    """
    target = wanted[:, None]
    best = np.where(accuracies >= target, tokens, np.inf).min(axis=1)
    if accuracies.shape[1] > 1:
        a0, a1, t0, t1 = accuracies[:, :-1], accuracies[:, 1:], tokens[:, :-1], tokens[:, 1:]
        crosses = (np.minimum(a0, a1) < target) & (target <= np.maximum(a0, a1))
        share = (target - a0) / np.where(crosses, a1 - a0, 1.0)
        best = np.minimum(best, np.where(crosses, t0 + share * (t1 - t0), np.inf).min(axis=1))
    return best


@dataclass(frozen=True, slots=True)
class References:
    """Always-fast and always-deep, and what follows from them: random mixing and the oracle."""

    fast: Totals
    deep: Totals

    def random_tokens(self, resamples: Resamples, accuracy: Floats) -> Floats:
        """Tokens of mixing at random, in closed form; shape (1 + resamples,)."""
        (right_fast, right_deep), (tokens_fast, tokens_deep) = (
            [resamples.mean(one.right) for one in (self.fast, self.deep)],
            [resamples.mean(one.tokens) for one in (self.fast, self.deep)],
        )
        share = (accuracy - right_fast) / (right_deep - right_fast)
        return tokens_fast + share * (tokens_deep - tokens_fast)

    def oracle_tokens(self, resamples: Resamples, accuracy: Floats) -> Floats:
        """Tokens of the oracle: fast where it is right or nothing is, deep on the cheapest of the others."""
        needs_deep = np.flatnonzero((self.fast.right == 0) & (self.deep.right == 1))
        extra = (self.deep.tokens - self.fast.tokens)[needs_deep]
        order = needs_deep[np.argsort(extra, kind="stable")]
        extra = np.sort(extra, kind="stable")
        n = resamples.counts.shape[1]
        found = np.empty(len(resamples.counts))
        for row, counts in enumerate(resamples.counts):
            gained = np.concatenate([[0.0], np.cumsum(counts[order])]) / n
            paid = np.concatenate([[0.0], np.cumsum(counts[order] * extra)]) / n
            needed = max(accuracy[row] - counts @ self.fast.right / n, 0.0)
            found[row] = np.interp(needed, gained, paid) if needed <= gained[-1] else np.inf
        return resamples.mean(self.fast.tokens) + found

    def oracle(self) -> Totals:
        """The oracle that is right wherever a mode is, at the least tokens."""
        takes_deep = (self.fast.right == 0) & (self.deep.right == 1)
        return Totals(
            np.maximum(self.fast.right, self.deep.right),
            np.where(takes_deep, self.deep.tokens, self.fast.tokens),
        )

    def share(self, resamples: Resamples, accuracy: Floats, tokens: Floats) -> Floats:
        """Share of the oracle's saving over random mixing at `accuracy`, shape (1 + resamples,); NaN without one."""
        random = self.random_tokens(resamples, accuracy)
        saved = random - self.oracle_tokens(resamples, accuracy)
        # Below always-fast's accuracy there is nothing to save, above the oracle's nothing to compare with.
        return np.where(
            (saved > 0) & np.isfinite(saved), (random - tokens) / np.where(saved > 0, saved, 1.0), np.nan
        )


def interval(values: Floats) -> list[float] | None:
    """95 % percentile interval over the resamples (all but row 0); None where one did not reach."""
    if not np.isfinite(values).all():
        return None
    return np.quantile(values[1:], [0.025, 0.975]).tolist()
