"""Reductions over ragged arrays: one flat array of values, and where each segment begins. No segment is empty."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adaptive_reasoner.uncertainty.entropy import Floats

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Segments:
    """How n values fall into a segments.

    Attributes:
        counts: shape (a,), values in each segment, at least 1; they add up to n.
        starts: shape (a,), the place of each segment's first value.
    """

    counts: Integers
    starts: Integers

    @classmethod
    def of(cls, counts: Integers) -> "Segments":
        """Segments that follow one another."""
        return cls(counts, np.cumsum(counts) - counts)

    def mean(self, values: Floats) -> Floats:
        """Means, shape (a,)."""
        return np.add.reduceat(values, self.starts) / self.counts

    def least(self, values: Floats) -> Floats:
        """Minima, shape (a,)."""
        return np.minimum.reduceat(values, self.starts)

    def greatest(self, values: Floats) -> Floats:
        """Maxima, shape (a,)."""
        return np.maximum.reduceat(values, self.starts)

    def ascending(self, values: Floats) -> Floats:
        """The values, shape (n,), each segment sorted on its own."""
        owner = np.repeat(np.arange(len(self.counts)), self.counts)
        return values[np.lexsort((values, owner))]

    def quantile(self, ascending: Floats, level: float) -> Floats:
        """Quantiles with linear interpolation, shape (a,), of what `ascending` gave."""
        place = (self.counts - 1) * level
        below = np.floor(place).astype(np.int64)
        above = np.minimum(below + 1, self.counts - 1)
        low, high = ascending[self.starts + below], ascending[self.starts + above]
        return low + (place - below) * (high - low)

    def mean_of_lowest(self, ascending: Floats, wanted: Integers) -> Floats:
        """Means of the `wanted` (shape (a,), at least 1) lowest values of what `ascending` gave."""
        place = np.arange(len(ascending)) - np.repeat(self.starts, self.counts)
        kept = np.where(place < np.repeat(wanted, self.counts), ascending, 0.0)
        return np.add.reduceat(kept, self.starts) / wanted
