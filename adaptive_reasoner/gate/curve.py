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


def isotonic(values: Sequence[float] | Floats, weights: Sequence[float] | Floats) -> Floats:
    """The non-decreasing sequence nearest to `values` in weighted least squares.

    Pools adjacent violators: Barlow et al., Statistical Inference under Order Restrictions, 1972.

    Args:
        values: n numbers in the order of what they should rise with.
        weights: n positive weights.

    Returns:
        Shape (n,).
    """
    blocks: list[tuple[float, float, int]] = []  # mean, weight, length
    for value, weight in zip(values, weights, strict=True):
        blocks.append((float(value), float(weight), 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            right_mean, right_weight, right_length = blocks.pop()
            left_mean, left_weight, left_length = blocks.pop()
            weight_sum = left_weight + right_weight
            mean = (left_mean * left_weight + right_mean * right_weight) / weight_sum
            blocks.append((mean, weight_sum, left_length + right_length))
    return np.repeat([mean for mean, _, _ in blocks], [length for _, _, length in blocks])


def fit_monotone(x: Floats, y: Floats, *, bins: int = 20) -> Knots:
    """A non-decreasing curve of E[y | x], from means over bins of equal counts.

    Args:
        x: shape (n,), what y rises with.
        y: shape (n,), outcomes.
        bins: at most; equal values of x share one.
    """
    order = np.argsort(x, kind="stable")
    groups = [group for group in np.array_split(order, min(bins, len(order))) if len(group)]
    centres: list[float] = []
    means: list[float] = []
    counts: list[int] = []
    for group in groups:
        centre, mean = float(x[group].mean()), float(y[group].mean())
        if centres and centre <= centres[-1]:  # ties: the same x belongs to one knot
            counts[-1] += len(group)
            means[-1] += (mean - means[-1]) * len(group) / counts[-1]
        else:
            centres.append(centre)
            means.append(mean)
            counts.append(len(group))
    fitted = isotonic(means, counts)
    return tuple(zip(centres, fitted.tolist(), strict=True))
