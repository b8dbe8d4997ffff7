"""DeepConf's group confidence: the mean token confidence of a sliding window, over any number of answers."""

from dataclasses import dataclass

import numpy as np

from adaptive_reasoner.uncertainty.entropy import Floats
from adaptive_reasoner.uncertainty.segments import Integers, Segments

# The paper's windows hold 2,048 tokens of a long thought. Answers here are short, so that such a window would be
# their plain mean: a deviation.
DEFAULT_WINDOW = 128
_BOTTOM = 0.1


@dataclass(frozen=True, slots=True)
class GroupConfidences:
    """One value for each of a answers, shape (a,); NaN where no token has two alternatives.

    Attributes:
        lowest: of the least confident window.
        bottom: mean of the 10 % least confident windows, of one at least.
        tail: of the last window.
        window: tokens in a window: as asked for, or the whole answer where that is shorter.
    """

    lowest: Floats
    bottom: Floats
    tail: Floats
    window: Integers


def group_confidences(
    confidence: Floats, answers: Segments, window: int = DEFAULT_WINDOW
) -> GroupConfidences:
    """Slide a window over every answer, one token at a time.

    Args:
        confidence: shape (n,), each token's C; a NaN (unknown) is left out of its windows' means.
        answers: how the tokens fall into answers.
        window: tokens, at least 1.

    Source: DeepConf, arXiv 2508.15260, and facebookresearch/deepconf for answers shorter than a window.
    """
    size = np.minimum(answers.counts, window)
    groups = Segments.of(answers.counts - size + 1)
    means = _window_means(confidence, answers, size, groups)
    known = np.where(np.isnan(means), np.inf, means)  # a window of unknown tokens is not the lowest
    found = np.add.reduceat(np.isfinite(known).astype(np.int64), groups.starts)
    wanted = np.maximum((found * _BOTTOM).astype(np.int64), 1)
    is_known = found > 0
    ascending = np.where(np.repeat(is_known, groups.counts), groups.ascending(known), 0.0)
    return GroupConfidences(
        lowest=np.where(is_known, groups.least(known), np.nan),
        bottom=np.where(is_known, groups.mean_of_lowest(ascending, wanted), np.nan),
        tail=means[groups.starts + groups.counts - 1],
        window=size,
    )


def _window_means(confidence: Floats, answers: Segments, size: Integers, groups: Segments) -> Floats:
    """One mean for each window of each answer; NaN where it holds no known token."""
    known = ~np.isnan(confidence)
    totals = np.concatenate(([0.0], np.cumsum(np.where(known, confidence, 0.0))))
    counts = np.concatenate(([0], np.cumsum(known)))
    place = np.arange(int(groups.counts.sum())) - np.repeat(groups.starts, groups.counts)
    first = np.repeat(answers.starts, groups.counts) + place
    last = first + np.repeat(size, groups.counts)
    count = counts[last] - counts[first]
    return np.where(count > 0, (totals[last] - totals[first]) / np.maximum(count, 1), np.nan)
