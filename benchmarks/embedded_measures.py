"""Statistics of the embedded model's benchmark: intervals, AUROC, calibration error."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

Z = 1.959964  # 95 %


def wilson(successes: int, n: int) -> dict[str, Any]:
    """A share with its 95 % Wilson interval."""
    if n == 0:
        return {"share": None, "low": None, "high": None, "n": 0}
    share = successes / n
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
    return {"share": share, "low": middle - half, "high": middle + half, "n": n}


def paired_difference(ours: Sequence[bool], theirs: Sequence[bool]) -> dict[str, float]:
    """Mean of ours - theirs over the same problems, with a 95 % normal interval."""
    difference = np.asarray(ours, float) - np.asarray(theirs, float)
    half = Z * float(difference.std(ddof=1)) / math.sqrt(len(difference))
    mean = float(difference.mean())
    return {"difference": mean, "low": mean - half, "high": mean + half}


def auroc(scores: Sequence[float], positive: Sequence[bool]) -> dict[str, float | None]:
    """P(a positive scores higher than a negative), ties half; 95 % interval by Hanley and McNeil (1982)."""
    values, is_positive = np.asarray(scores, float), np.asarray(positive, bool)
    ups, downs = int(is_positive.sum()), int((~is_positive).sum())
    if ups == 0 or downs == 0:
        return {"auroc": None, "low": None, "high": None}
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    mid_ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    area = float((mid_ranks[is_positive].sum() - ups * (ups + 1) / 2) / (ups * downs))
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (ups - 1) * (q1 - area**2) + (downs - 1) * (q2 - area**2)
    half = Z * math.sqrt(max(variance, 0.0) / (ups * downs))
    return {"auroc": area, "low": area - half, "high": min(1.0, area + half)}


def expected_calibration_error(confidence: Sequence[float], right: Sequence[bool], bins: int = 10) -> float:
    """Mean over equally wide bins of |accuracy - confidence|, weighted by their sizes."""
    stated, actual = np.asarray(confidence, float), np.asarray(right, float)
    which = np.minimum((stated * bins).astype(int), bins - 1)
    gaps = [
        abs(actual[which == index].mean() - stated[which == index].mean()) * (which == index).mean()
        for index in range(bins)
        if (which == index).any()
    ]
    return float(sum(gaps))
