"""Piecewise-linear curves, and the monotone regression that fits them."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Knots = tuple[tuple[float, float], ...]
Floats = NDArray[np.float64]


def read_curve(knots: Knots, x: float) -> float:
    """The curve's value at `x`: linear between knots, constant beyond the first and the last."""
    if x <= knots[0][0]:
        return knots[0][1]
    if x >= knots[-1][0]:
        return knots[-1][1]
    right = bisect_right(knots, x, key=lambda knot: knot[0])
    (x0, y0), (x1, y1) = knots[right - 1], knots[right]
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0)


def constant(value: float) -> Knots:
    """A curve that has one value everywhere: a plain threshold."""
    return ((0.0, value),)


def find_curve_fault(knots: Knots, *, monotone: bool = False) -> str | None:
    """Why these knots are no curve, or None."""
    if not knots:
        return "it has no knots"
    if not all(math.isfinite(value) for knot in knots for value in knot):
        return "a knot is not finite"
    pairs = list(pairwise(knots))
    if any(right[0] <= left[0] for left, right in pairs):
        return "its knots do not increase"
    if monotone and any(right[1] < left[1] for left, right in pairs):
        return "it falls somewhere"
    return None


def pool_violators(points: Sequence[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    """The non-decreasing step function nearest to the points in weighted least squares, as pooled points.

    Source: pool adjacent violators, Barlow et al., Statistical Inference under Order Restrictions, 1972.

    Args:
        points: (x, y, weight > 0) by increasing x.

    Returns:
        One point for each pooled block: weighted means of x and y, and the block's weight.
    """
    blocks: list[tuple[float, float, float]] = []
    for point in points:
        block = point
        while blocks and blocks[-1][1] >= block[1]:
            block = _pooled(blocks.pop(), block)
        blocks.append(block)
    return blocks


def fit_monotone(x: Floats, y: Floats, *, bins: int) -> Knots:
    """A non-decreasing curve of E[y | x]: bins of equal counts, violators pooled, lines between the blocks.

    Args:
        x: shape (n,), what y rises with.
        y: shape (n,), outcomes.
        bins: at most; equal values of x share one.
    """
    order = np.argsort(x, kind="stable")
    points: list[tuple[float, float, float]] = []
    for group in np.array_split(order, min(bins, len(order))):
        point = (float(x[group].mean()), float(y[group].mean()), float(len(group)))
        ties = bool(points) and point[0] <= points[-1][0]
        points.append(_pooled(points.pop(), point) if ties else point)
    return tuple((centre, mean) for centre, mean, _ in pool_violators(points))


def _pooled(
    left: tuple[float, float, float], right: tuple[float, float, float]
) -> tuple[float, float, float]:
    weight = left[2] + right[2]
    share = right[2] / weight
    return left[0] + (right[0] - left[0]) * share, left[1] + (right[1] - left[1]) * share, weight
