"""Policies that think on a given share of questions, judged on the same answers, paired."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Answered:
    """What a model gives on n problems in both modes.

    Attributes:
        fast, deep: (n,) whether the answer is right.
        fast_tokens, deep_tokens: (n,) generated tokens.
        think_logits: (n,) log P(<think>) - log P(<fast>) of its first token.
    """

    fast: Flags
    deep: Flags
    fast_tokens: Floats
    deep_tokens: Floats
    think_logits: Floats

    def right(self, thinks: Flags) -> Floats:
        """(n,) 1 where the answer in the chosen mode is right."""
        return np.where(thinks, self.deep, self.fast).astype(np.float64)

    def tokens(self, thinks: Flags) -> Floats:
        """(n,) tokens generated in the chosen mode."""
        return np.where(thinks, self.deep_tokens, self.fast_tokens)

    def random(self, share: float) -> tuple[Floats, Floats]:
        """(n,) expected rightness and tokens where each question thinks with probability `share`."""
        right = share * self.deep + (1 - share) * self.fast
        return right, share * self.deep_tokens + (1 - share) * self.fast_tokens


def cut(scores: Floats, count: int) -> Flags:
    """The `count` questions with the highest scores; ties go to the earlier ones."""
    chosen = np.zeros(len(scores), dtype=np.bool_)
    chosen[np.argsort(-scores, kind="stable")[:count]] = True
    return chosen


def oracle(answered: Answered, count: int) -> Flags:
    """Which `count` questions to think about if the outcome of both modes were known."""
    return cut(answered.deep.astype(np.float64) - answered.fast, count)


def gap_closed(policy: Floats, random: Floats, best: Floats) -> float:
    """The part of the way from random choice to the oracle that a policy goes."""
    return float((policy.mean() - random.mean()) / (best.mean() - random.mean()))


def bootstrap_gap(policy: Floats, random: Floats, best: Floats, resamples: int) -> list[float]:
    """95 % interval of `gap_closed`, problems resampled together."""
    rng = np.random.default_rng(0)
    found: list[float] = []
    for _ in range(resamples):
        rows = rng.integers(0, len(policy), len(policy))
        found.append(gap_closed(policy[rows], random[rows], best[rows]))
    return np.quantile(found, [0.025, 0.975]).tolist()


def paired_lead(policy: Floats, rival: Floats) -> tuple[float, list[float]]:
    """Mean difference in rightness and its 95 % interval (normal, paired)."""
    difference = policy - rival
    half = 1.96 * float(difference.std(ddof=1)) / len(difference) ** 0.5
    lead = float(difference.mean())
    return lead, [lead - half, lead + half]


def share_interval(thinks: Flags) -> list[float]:
    """95 % interval of a share (Wilson)."""
    n, p, z = len(thinks), float(thinks.mean()), 1.96
    centre, half = p + z * z / (2 * n), z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    return [(centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)]
