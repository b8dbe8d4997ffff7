"""The table's figures: paired intervals over problems of the mean over seeds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from thinklogit_bed import bed
from thinklogit_bed.rows import ENSEMBLE, GUIDED, GUIDER, TARGET, Row, guided_by
from thinklogit_bed.variants import VARIANTS

Floats = NDArray[np.float64]
BySeed = Mapping[int, Row]
"""A row of the table, by the seeds that have it."""
_Z = 1.959964
PAIRS_COMPARED = (
    ("dpo-mixed", "dpo-target"),
    ("dpo-mixed", "dpo-guider"),
    ("dpo-mixed", "sft-mixed"),
    ("dpo-guider", "sft-mixed"),
)


def mean_over_seeds(rows: Sequence[Row], what: str = "right") -> Floats:
    """(n,) mean over seeds of each problem's value."""
    return np.mean([getattr(row.test, what) for row in rows], axis=0)


def interval(values: Floats) -> tuple[float, float, float]:
    """Mean and its 95 % interval over problems."""
    mean, half = float(values.mean()), _Z * float(values.std(ddof=1)) / len(values) ** 0.5
    return mean, mean - half, mean + half


def judge(rows: Mapping[str, BySeed], levels: Floats) -> list[dict[str, Any]]:
    """The table: accuracy, tokens, and how far THINKLOGIT is ahead of each row on the seeds that have it."""
    found: list[dict[str, Any]] = []
    for name, by_seed in rows.items():
        several, ours = list(by_seed.values()), [rows[GUIDED][seed] for seed in by_seed]
        right = mean_over_seeds(several)
        lead = interval(mean_over_seeds(ours) - right)
        found.append(
            {
                "row": name,
                "seeds": list(by_seed),
                "settings": [row.setting for row in several],
                "accuracy": interval(right),
                "by_seed": [float(row.test.right.mean()) for row in several],
                "by_steps": {str(int(n)): float(right[levels == n].mean()) for n in np.unique(levels)},
                "tokens": float(mean_over_seeds(several, "tokens").mean()),
                "thinks": float(np.mean([(row.test.steps > 0).mean() for row in several])),
                "thinklogit_lead": lead,
                "lead_by_seed": [
                    float((one.test.right - row.test.right).mean())
                    for one, row in zip(ours, several, strict=True)
                ],
                "dev": [dict(row.dev) for row in several],
            }
        )
    return found


def compare_variants(rows: Mapping[str, BySeed]) -> list[dict[str, Any]]:
    """Paired leads of guiders tuned further: over the one that they started from, and over each other."""
    found: list[dict[str, Any]] = []
    wanted = [(guided_by(name), GUIDED) for name in VARIANTS]
    wanted += [(guided_by(one), guided_by(other)) for one, other in PAIRS_COMPARED]
    for one, other in wanted:
        seeds = sorted(rows.get(one, {}).keys() & rows.get(other, {}).keys())
        if not seeds:
            continue
        ours, theirs = ([rows[name][seed] for seed in seeds] for name in (one, other))
        by_seed = [float((a.test.right - b.test.right).mean()) for a, b in zip(ours, theirs, strict=True)]
        lead = interval(mean_over_seeds(ours) - mean_over_seeds(theirs))
        found.append({"row": one, "over": other, "seeds": seeds, "lead": lead, "lead_by_seed": by_seed})
    return found


def crossover(measured: Mapping[int, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Accuracy of the guider alone, the ensemble and THINKLOGIT at each strength of the guider."""
    found: list[dict[str, Any]] = []
    for steps in bed.TUNED_STEPS:
        seeds = [seed for seed, one in measured.items() if steps in one["sweep"]]
        if not seeds:
            continue
        cells = {n: [measured[seed]["sweep"][steps][n] for seed in seeds] for n in (GUIDER, ENSEMBLE, GUIDED)}
        cells[TARGET] = [measured[seed]["table"][TARGET] for seed in seeds]
        right = {name: mean_over_seeds(rows) for name, rows in cells.items()}
        found.append(
            {
                "steps": steps,
                "seeds": seeds,
                "settings": {name: [row.setting for row in rows] for name, rows in cells.items()},
                "accuracy": {name: interval(values) for name, values in right.items()},
                "thinklogit_lead": {
                    name: interval(right[GUIDED] - values) for name, values in right.items() if name != GUIDED
                },
            }
        )
    return found
