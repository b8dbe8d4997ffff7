"""What guidance is worth in the graph: accuracy and cost of every deep node, alone and behind the gate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from measuring.saving import Floats, Line, Resamples, interval, tokens_at
from thinklogit_bed.in_graph import PRICES, Measure, Seen, mean_of_seeds

TARGET, FORCED_DEEP, GUIDED_DEEP = "target alone", "deep: target, forced", "deep: target, guided"
CEILING = "deep: target tuned for 100 steps"
DEEP = (FORCED_DEEP, GUIDED_DEEP, CEILING)
POINTS_BELOW = 0.5


@dataclass(frozen=True, slots=True)
class Measured:
    """One seed: every deep node seen through its own policy, and by measure and price what triage thinks at."""

    seen: Mapping[str, Seen]
    settings: Mapping[str, Mapping[Measure, Mapping[float, float]]]


def lines_of(measured: Sequence[Measured], measure: Measure) -> list[Line]:
    """Single points, and for each deep node the policy along its price; the mean over seeds."""
    alone = [one.seen[GUIDED_DEEP].always("fast", measure) for one in measured]
    lines = [Line(TARGET, [mean_of_seeds(alone)])]
    for name in DEEP:
        always = [one.seen[name].always("deep", measure) for one in measured]
        lines.append(Line(f"always {name}", [mean_of_seeds(always)]))
    for name in DEEP:
        points = [
            mean_of_seeds(
                [one.seen[name].at(price, one.settings[name][measure][price], measure) for one in measured]
            )
            for price in PRICES
        ]
        lines.append(Line(f"graph, {name}", points))
    return lines


def accuracy_at(line: Line, resamples: Resamples, cost: Floats) -> Floats:
    """A line's accuracy at a cost, straight between neighbouring points, in every resample; NaN below its cheapest."""
    right, spent = line.means(resamples)
    found = np.full(len(cost), np.nan)
    for row in range(len(cost)):
        order = np.argsort(spent[row], kind="stable")
        if spent[row][order][0] <= cost[row]:
            found[row] = np.interp(cost[row], spent[row][order], right[row][order])
    return found


def judge(lines: Sequence[Line], resamples: Resamples) -> dict[str, Any]:
    """Every line's figures, and how the graph with guidance compares with mixing by chance and with forcing."""
    by_name = {line.name: line for line in lines}
    fast, always = by_name[TARGET], by_name[f"always {GUIDED_DEEP}"]
    (fast_right, fast_cost), (right, cost) = (
        [one[:, 0] for one in line.means(resamples)] for line in (fast, always)
    )
    target = right - POINTS_BELOW / 100
    guided = by_name[f"graph, {GUIDED_DEEP}"]
    needed = tokens_at(*guided.means(resamples), target)
    by_chance = fast_cost + (target - fast_right) / (right - fast_right) * (cost - fast_cost)
    return {
        "rows": [_row(line, resamples) for line in lines],
        "target_accuracy": float(target[0]),
        "cost_at_target": {
            "graph": _figure(needed),
            "by_chance": _figure(by_chance),
            "share_of_always_guided": _figure(needed / cost),
            "less_than_by_chance": _figure(1 - needed / by_chance),
        },
        "at_equal_cost": [
            _compare(by_name, resamples, share, fast_cost, cost) for share in (0.25, 0.5, 0.75, 1.0)
        ],
    }


def _compare(
    by_name: Mapping[str, Line], resamples: Resamples, share: float, low: Floats, high: Floats
) -> dict[str, Any]:
    """Accuracies where so much of the way from the target's cost to always guiding is spent."""
    spent = low + share * (high - low)
    guided = accuracy_at(by_name[f"graph, {GUIDED_DEEP}"], resamples, spent)
    ends = [by_name[name].means(resamples)[0][:, 0] for name in (TARGET, f"always {GUIDED_DEEP}")]
    rivals = {
        "target alone": ends[0],
        "target and guided by chance": ends[0] + share * (ends[1] - ends[0]),
        "graph, forced": accuracy_at(by_name[f"graph, {FORCED_DEEP}"], resamples, spent),
    }
    return {
        "share_of_the_way": share,
        "cost": float(spent[0]),
        "graph_guided": _figure(guided),
        "lead": {name: _figure(guided - rival) for name, rival in rivals.items()},
    }


def _figure(values: Floats) -> dict[str, Any]:
    return {"value": float(values[0]), "interval": interval(values)}


def _row(line: Line, resamples: Resamples) -> dict[str, Any]:
    right, cost = line.means(resamples)
    best = int(right[0].argmax())
    row: dict[str, Any] = {
        "line": line.name,
        "points": np.column_stack([cost[0], right[0]]).round(5).tolist(),
    }
    return row | {"best_accuracy": _figure(right[:, best]), "its_cost": _figure(cost[:, best])}
