"""Expected calibration error, and how much of it is no fault of the risk but of counting so few answers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Table = list[list[float]]

_BINS = 10
_DRAWS = 500


def calibration_figures(risks: Floats, wrong: Flags) -> dict[str, Any]:
    """The error in ten bins of equal width with its 95 % interval, and three readings of it beside.

    `ece_if_perfect` is what these risks would show on average if each were exactly P(wrong): the floor at this
    number of answers. `ece_debiased` takes each bin's chance variance off its squared gap. `ece_equal_mass` has
    ten bins of equal counts.
    """
    rng = np.random.default_rng(0)
    resampled = [rng.integers(0, len(risks), len(risks)) for _ in range(_DRAWS)]
    values = [ece(reliability(risks[rows], wrong[rows])) for rows in resampled]
    table = reliability(risks, wrong)
    return {
        "ece": ece(table),
        "ece_interval": np.quantile(values, [0.025, 0.975]).tolist(),
        "ece_if_perfect": ece_if_perfect(risks),
        "ece_debiased": ece_debiased(table),
        "ece_equal_mass": ece(equal_mass(risks, wrong)),
    }


def reliability(risks: Floats, wrong: Flags) -> Table:
    """[expected, observed, answers] of ten bins of equal width that hold answers."""
    bins = np.minimum((risks * _BINS).astype(int), _BINS - 1)
    return [_row(risks, wrong, bins == b) for b in range(_BINS) if (bins == b).any()]


def equal_mass(risks: Floats, wrong: Flags) -> Table:
    """The same in ten bins of equal counts; answers of equal risk share a bin."""
    edges = np.quantile(risks, np.linspace(0, 1, _BINS + 1)[1:-1])
    bins = np.searchsorted(edges, risks, side="left")
    return [_row(risks, wrong, bins == b) for b in np.unique(bins)]


def ece(table: Table) -> float:
    """Expected calibration error: mean distance of expected and observed, weighted by answers."""
    total = sum(row[2] for row in table)
    return sum(abs(row[0] - row[1]) * row[2] for row in table) / total


def ece_if_perfect(risks: Floats) -> float:
    """Mean of `ece` over simulated outcomes that follow the risks exactly."""
    rng = np.random.default_rng(0)
    outcomes = (rng.random(len(risks)) < risks for _ in range(_DRAWS))
    return float(np.mean([ece(reliability(risks, wrong)) for wrong in outcomes]))


def ece_debiased(table: Table) -> float:
    """`ece` with each bin's binomial variance taken off its squared gap.

    Source: the plug-in estimator's correction of Kumar, Liang and Ma, arXiv 1909.10155, bin by bin.
    """
    total, error = sum(row[2] for row in table), 0.0
    for expected, observed, count in table:
        chance = observed * (1 - observed) / max(count - 1, 1)
        error += np.sqrt(max((expected - observed) ** 2 - chance, 0.0)) * count / total
    return float(error)


def _row(risks: Floats, wrong: Flags, chosen: Flags) -> list[float]:
    return [float(risks[chosen].mean()), float(wrong[chosen].mean()), float(chosen.sum())]
