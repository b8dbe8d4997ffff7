"""Replay through the real graph: accuracy against thinking calls on recorded answers of real models.

    python benchmarks/replay_real_models.py --resamples 1000 --seed 1 --processes 3

Gates are calibrated on the families of one side and judged on the other's, both ways, so that every question is
judged once by a gate that never saw its side. The baseline is one threshold on 1 - p of the answer token. Both
choose their threshold by the share of thinking calls on the judged side, without its labels. At each share the
gate runs through the graph; the curves between are the same rule applied to all answers, checked against it.
"""

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from measuring.real_models import PAIRS, load_side
from measuring.report import RESULTS, print_table, provenance, write_json
from numpy.typing import NDArray

from adaptive_reasoner.gate.calibration import calibrate
from adaptive_reasoner.gate.curve import constant
from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.traces.frontier import Judged, accuracy_by_share, judge
from adaptive_reasoner.traces.replay import replay

Floats = NDArray[np.float64]
SHARES = (0.1, 0.2, 0.3, 0.5)


@dataclass(frozen=True, slots=True)
class Sided:
    """One pair of models, judged on one side.

    Attributes:
        judged: every question, both answers, and the one handed on after thinking.
        through_graph: for each share, whether the graph's answer was right; shape (shares, n).
        thought: for each share, the share of thinking calls that the graph made.
        comparison: what calibration says of the accept-if-better step.
        seconds: of the graph's runs, all shares together.
    """

    judged: Judged
    through_graph: Floats
    thought: list[float]
    comparison: dict[str, Any]
    seconds: float


def threshold_for(order: Floats, share: float) -> float:
    """The threshold above which at most `share` of the questions lie."""
    return float(np.sort(order)[::-1][int(share * len(order))])


def run_side(fast: str, deep: str, side: int) -> Sided:
    """Calibrate on the other side, judge on this one."""
    profile = calibrate(load_side(fast, deep, 1 - side).examples, max_escalation=1.0)
    pairs = load_side(fast, deep, side).pairs
    judged = judge(pairs, profile)
    started, right, thought = time.perf_counter(), [], []
    for share in SHARES:
        replayed = replay(pairs, _thinking_above(profile, threshold_for(judged.risks, share)))
        right.append([one.correct for one in replayed])
        thought.append(float(np.mean([one.thought for one in replayed])))
    figures = dict(profile.provenance["comparison"])
    return Sided(judged, np.array(right, dtype=np.float64), thought, figures, time.perf_counter() - started)


def _thinking_above(profile: GateProfile, threshold: float) -> GateProfile:
    fast = replace(profile.modes["fast"], alternatives={"escalate": constant(threshold)})
    return replace(profile, modes={**profile.modes, "fast": fast})


def right_at(judged: Judged, share: float, *, baseline: bool) -> Floats:
    """Which questions are right where at most `share` of them think; shape (n,)."""
    order = judged.doubts if baseline else judged.risks
    after = judged.deep_right if baseline else judged.after_right
    return np.where(order > threshold_for(order, share), after, judged.fast_right)


def curve(judged: Judged, rows: Floats, *, baseline: bool) -> Floats:
    """Accuracy at 0, 1, …, 100 % of thinking calls of the (resampled) questions `rows`."""
    order = judged.doubts if baseline else judged.risks
    after = judged.deep_right if baseline else judged.after_right
    accuracies = accuracy_by_share(order[rows], judged.fast_right[rows], after[rows])
    return accuracies[np.round(np.linspace(0, len(rows), 101)).astype(int)]


def pair_curve(sides: list[Sided], rows: list[Floats], *, baseline: bool) -> tuple[Floats, float, float]:
    """Both sides together: the curve, always fast and always thinking."""
    weights = np.array([len(row) for row in rows]) / sum(len(row) for row in rows)
    curves = [curve(one.judged, row, baseline=baseline) for one, row in zip(sides, rows, strict=True)]
    ends = [
        (one.judged.fast_right[row].mean(), one.judged.deep_right[row].mean())
        for one, row in zip(sides, rows, strict=True)
    ]
    fast, deep = weights @ np.array(ends)
    return weights @ np.array(curves), float(fast), float(deep)


def apgr(sides: list[Sided], rows: list[Floats], *, baseline: bool) -> float:
    """Mean share of the gap between always fast and always thinking that is recovered."""
    accuracies, fast, deep = pair_curve(sides, rows, baseline=baseline)
    return float((accuracies.mean() - fast) / (deep - fast))


def with_interval(differences: Floats) -> list[float]:
    """Mean and its 95 % interval, normal approximation over questions."""
    mean, spread = float(differences.mean()), 1.96 * float(differences.std()) / np.sqrt(len(differences))
    return [mean, mean - spread, mean + spread]


def paired(sides: list[Sided], share: float) -> Floats:
    """Right through the graph less right by the baseline, question by question, both sides together."""
    parts = [
        one.through_graph[SHARES.index(share)] - right_at(one.judged, share, baseline=True) for one in sides
    ]
    return np.concatenate(parts)


def first_share(accuracies: Floats, wanted: float) -> float | None:
    """The least share of thinking calls, in %, at which the curve reaches `wanted`."""
    reached = np.flatnonzero(accuracies >= wanted - 1e-12)
    return float(reached[0]) if len(reached) else None


def pair_figures(sides: list[Sided]) -> dict[str, Any]:
    """Everything but the bootstrap, for one pair of models."""
    everything = [np.arange(len(one.judged.risks)) for one in sides]
    ours, fast, deep = pair_curve(sides, everything, baseline=False)
    plain, _, _ = pair_curve(sides, everything, baseline=True)
    either = np.concatenate([np.maximum(one.judged.fast_right, one.judged.deep_right) for one in sides])
    beyond = np.concatenate([one.judged.after_right - one.judged.deep_right for one in sides])
    accuracy = [
        float(np.concatenate([one.through_graph[k] for one in sides]).mean()) for k in range(len(SHARES))
    ]
    base = [
        float(np.concatenate([right_at(one.judged, share, baseline=True) for one in sides]).mean())
        for share in SHARES
    ]
    return {
        "always_fast": fast,
        "always_thinking": deep,
        "oracle": float(either.mean()),
        "accuracy_at_shares": dict(zip(map(str, SHARES), accuracy, strict=True)),
        "baseline_at_shares": dict(zip(map(str, SHARES), base, strict=True)),
        "oracle_at_shares": {str(share): min(fast + share, float(either.mean())) for share in SHARES},
        "random_at_shares": {str(share): fast + share * (deep - fast) for share in SHARES},
        "paired_difference_at_shares": {str(share): with_interval(paired(sides, share)) for share in SHARES},
        "graph_equals_rule": all(
            np.array_equal(one.through_graph[k], right_at(one.judged, share, baseline=False))
            for one in sides
            for k, share in enumerate(SHARES)
        ),
        "thinking_share_in_graph": [one.thought for one in sides],
        "always_thinking_reached_at_percent": {
            "gate": first_share(ours, deep),
            "baseline": first_share(plain, deep),
        },
        "all_thinking_with_comparison_less_always_thinking": with_interval(beyond),
        "comparison": [one.comparison for one in sides],
        "curve": ours.tolist(),
        "baseline_curve": plain.tolist(),
        "graph_seconds": [one.seconds for one in sides],
    }


def bootstrap_apgr(pairs: list[list[Sided]], resamples: int, seed: int) -> dict[str, Any]:
    """APGR of each pair and their mean, gate and baseline, on the same resampled questions for all pairs."""
    rng = np.random.default_rng(seed)
    counts = [len(one.judged.risks) for one in pairs[0]]
    table = np.empty((1 + resamples, len(pairs), 2))
    for resample in range(1 + resamples):
        rows: list[Any] = [np.arange(n) if resample == 0 else rng.integers(0, n, n) for n in counts]
        for index, sides in enumerate(pairs):
            table[resample, index] = [apgr(sides, rows, baseline=False), apgr(sides, rows, baseline=True)]
    return {
        "pairs": [_apgr_row(table[:, index]) for index in range(len(pairs))],
        "mean": _apgr_row(table.mean(axis=1)),
    }


def _apgr_row(values: Floats) -> dict[str, list[float]]:
    columns = {"gate": values[:, 0], "baseline": values[:, 1], "difference": values[:, 0] - values[:, 1]}
    return {
        name: [float(column[0]), *np.quantile(column[1:], [0.025, 0.975]).tolist()]
        for name, column in columns.items()
    }


def draw(results: dict[str, dict[str, Any]], path: Path) -> None:
    from matplotlib.figure import Figure

    figure: Any = Figure(figsize=(11, 7.5), dpi=130, layout="constrained")
    for axes, (name, row) in zip(figure.subplots(2, 2).flat, results.items(), strict=True):
        percent = np.arange(101)
        axes.plot(percent, 100 * np.array(row["curve"]), color="#0072B2", linewidth=2, label="gate")
        axes.plot(percent, 100 * np.array(row["baseline_curve"]), color="#D55E00", linestyle="--",
                  label="one threshold on 1 - p")  # fmt: skip
        axes.plot([0, 100], [100 * row["always_fast"], 100 * row["always_thinking"]], color="grey", linestyle=":",
                  label="random")  # fmt: skip
        axes.axhline(100 * row["always_thinking"], color="grey", linewidth=0.8)
        axes.set_title(f"{name} thinking", fontsize=10)
        axes.set_xlabel("questions thought through, %")
        axes.set_ylabel("right answers, %")
        axes.grid(alpha=0.25)
        axes.legend(fontsize=8, loc="lower right")
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    jobs = [(fast, deep, side) for fast, deep in PAIRS for side in (0, 1)]
    with ProcessPoolExecutor(arguments.processes) as pool:
        done = list(pool.map(run_side, *zip(*jobs, strict=True)))
    by_pair = [done[index : index + 2] for index in range(0, len(done), 2)]
    results = {
        f"{fast} -> {deep}": pair_figures(sides) for (fast, deep), sides in zip(PAIRS, by_pair, strict=True)
    }
    bootstrapped = bootstrap_apgr(by_pair, arguments.resamples, arguments.seed)
    for row, recovered in zip(results.values(), bootstrapped["pairs"], strict=True):
        row["apgr"] = recovered
    pooled = {
        str(share): with_interval(np.mean([paired(sides, share) for sides in by_pair], axis=0))
        for share in SHARES
    }
    show(results, bootstrapped["mean"], pooled)
    settings = {name: value for name, value in vars(arguments).items() if name != "results"}
    content = {
        **provenance("replay_real_models.py", settings),
        "protocol": "calibrated on physics, law, business, eng and judged on chem, econ, psych, health; and back",
        "results": results,
        "mean_apgr": bootstrapped["mean"],
        "pooled_paired_difference_at_shares": pooled,
    }
    draw(results, write_json("replay_real_models", content, arguments.results).with_suffix(".png"))


def show(results: dict[str, dict[str, Any]], mean: dict[str, list[float]], pooled: dict[str, Any]) -> None:
    rows = []
    for name, row in results.items():
        for share in map(str, SHARES):
            difference = row["paired_difference_at_shares"][share]
            rows.append([f"{name} at {float(share):.0%}", f"{row['accuracy_at_shares'][share]:.4f}",
                         f"{row['baseline_at_shares'][share]:.4f}", f"{row['random_at_shares'][share]:.4f}",
                         _percent(difference)])  # fmt: skip
    rows += [
        [f"pooled at {float(share):.0%}", "", "", "", _percent(value)] for share, value in pooled.items()
    ]
    print_table(["pair, thinking calls", "gate", "1 - p", "random", "difference, points"], rows)
    print()
    lines = [
        [name, *(f"{row[key]:.4f}" for key in ("always_fast", "always_thinking", "oracle")),
         *(f"{v[0]:.3f} [{v[1]:.3f}, {v[2]:.3f}]" for v in (row["apgr"]["gate"], row["apgr"]["baseline"])),
         str(row["always_thinking_reached_at_percent"]["gate"]),
         str(row["always_thinking_reached_at_percent"]["baseline"]),
         _percent(row["all_thinking_with_comparison_less_always_thinking"])]
        for name, row in results.items()
    ]  # fmt: skip
    lines.append(["mean", "", "", "", *(f"{mean[k][0]:.3f} [{mean[k][1]:.3f}, {mean[k][2]:.3f}]"
                                        for k in ("gate", "baseline")), "", "", ""])  # fmt: skip
    print_table(["pair", "fast", "thinking", "oracle", "APGR", "APGR of 1 - p", "thinking reached at %",
                 "by 1 - p at %", "beyond thinking"], lines)  # fmt: skip
    print("difference of the mean APGR:", [round(value, 3) for value in mean["difference"]])


def _percent(values: list[float]) -> str:
    return f"{100 * values[0]:+.2f} [{100 * values[1]:+.2f}, {100 * values[2]:+.2f}]"


if __name__ == "__main__":
    main()
