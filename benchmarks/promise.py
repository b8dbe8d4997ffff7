"""Calibrated risk on families that were not calibrated on, and the promise of `max_error` on random splits.

    python benchmarks/promise.py --splits 200 --seed 1 --processes 3

Risk: fitted on one side's families, expected calibration error and reliability on the other's, both ways.
Promise: at confidence .9, calibrated on a random half and judged on the other. A promise counts as broken if the
error of what the gate accepts, less 1.64 standard errors, is above the target. Each mode's answers stand alone
(the deep ones given as answers of their own), and then in the graph, where deep answers follow doubted fast ones.
The oracle is the boldest threshold on the judged half's own labels; where it keeps nothing, refusing is right.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from measuring.calibration_error import calibration_figures, reliability
from measuring.provable import oracle_coverage, provable_coverage
from measuring.real_models import MODELS, PAIRS, SIDES, load_side, scored
from measuring.report import RESULTS, print_table, provenance, write_json
from numpy.typing import NDArray

from adaptive_reasoner.errors import CalibrationError
from adaptive_reasoner.gate.error_target import for_error
from adaptive_reasoner.gate.fitting import fit_mode
from adaptive_reasoner.gate.mode_profile import ModeProfile
from adaptive_reasoner.gate.scored import Scored, risks_of
from adaptive_reasoner.gate.statistics import auroc

Floats = NDArray[np.float64]
CONFIDENCE = 0.9
TARGETS = (0.05, 0.1, 0.2)
TARGET_IN_GRAPH = 0.1
MODES = ("fast", "deep")
_DOUBTED_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Split:
    """One promise on one random split.

    Attributes:
        coverage: share of the judged half that is accepted; 0 if the promise was refused.
        oracle: share that the boldest threshold with at most the target error accepts.
        provable: share that is expected of the best single threshold, had it been known before the test.
        refused, broken: as the module says.
    """

    coverage: float
    oracle: float
    provable: float
    refused: bool
    broken: bool


def answers(model: str, mode: str, side: int) -> list[Scored]:
    """The measured answers of one mode, as answers of their own."""
    both = scored(load_side(model, model, side))
    if mode == "fast":
        return [replace(one, deep=None, deep_wrong=None) for one in both]
    return [Scored(one.deep, bool(one.deep_wrong), None, None) for one in both if one.deep is not None]


def judge_risk(model: str, mode: str, side: int) -> dict[str, Any]:
    """Fit on the other side; calibration error, AUROC and reliability on this one."""
    fit, test = answers(model, mode, 1 - side), answers(model, mode, side)
    profile = fit_mode([one.fast for one in fit], [one.fast_wrong for one in fit])
    risks = risks_of(profile, [one.fast for one in test])
    wrong = np.array([one.fast_wrong for one in test])
    return {
        "model": model,
        "mode": mode,
        "judged_on": SIDES[side],
        "answers": len(test),
        "error": float(wrong.mean()),
        "expected": float(risks.mean()),
        "auroc": auroc(risks, wrong),
        **calibration_figures(risks, wrong),
        "most_doubted": most_doubted(model, side, test, risks) if mode == "deep" else None,
        "reliability": reliability(risks, wrong),
    }


def most_doubted(model: str, side: int, test: list[Scored], risks: Floats) -> dict[str, float]:
    """Deep answers as the graph meets them: to the questions whose fast answers are doubted most."""
    fast_signals = [one.fast for one in scored(load_side(model, model, side)) if one.deep is not None]
    doubts = np.array([1.0 - (signal["min_probability"] or 0.0) for signal in fast_signals])
    chosen = doubts > np.quantile(doubts, 1 - _DOUBTED_SHARE)
    wrong = np.array([one.fast_wrong for one in test])[chosen]
    return {
        "share": float(chosen.mean()),
        "error": float(wrong.mean()),
        "expected": float(risks[chosen].mean()),
        **calibration_figures(risks[chosen], wrong),
    }


def is_broken(wrong: NDArray[np.bool_], target: float) -> bool:
    """True if the error of the accepted answers is above `target` by more than 1.64 standard errors."""
    if not len(wrong):
        return False
    error = float(wrong.mean())
    return error - 1.64 * float(np.sqrt(error * (1 - error) / len(wrong))) > target


def promise_alone(model: str, mode: str, target: float, split: tuple[int, int]) -> list[Split]:
    """The promise for one mode's answers, on each of the random splits."""
    given = [one for side in (0, 1) for one in answers(model, mode, side)]
    return [_alone(given, target, seed) for seed in range(split[0], split[1])]


def _alone(given: list[Scored], target: float, seed: int) -> Split:
    fit, test = halves(given, seed)
    wrong = np.array([one.fast_wrong for one in test])
    try:
        profile = for_error(fit, target, CONFIDENCE)[0]["fast"]
    except CalibrationError:
        fitted = fit_mode([one.fast for one in fit], [one.fast_wrong for one in fit])
        risks = risks_of(fitted, [one.fast for one in test])
        return Split(0.0, *_possible(risks, wrong, target), refused=True, broken=False)
    risks = risks_of(profile, [one.fast for one in test])
    accepted = risks <= profile.max_accepted_risk
    return Split(
        float(accepted.mean()),
        *_possible(risks, wrong, target),
        refused=False,
        broken=is_broken(wrong[accepted], target),
    )


def _possible(risks: Floats, wrong: NDArray[np.bool_], target: float) -> tuple[float, float]:
    """What the oracle accepts, and what a test of as many answers as calibration has can be expected to prove."""
    return (
        oracle_coverage(risks, wrong, target),
        provable_coverage(risks, wrong, max_error=target, failure=1 - CONFIDENCE),
    )


def promise_in_graph(fast: str, deep: str, target: float, split: tuple[int, int]) -> list[Split]:
    """The promise for everything that the graph accepts: sure fast answers, and sure deep ones to the others."""
    given = [one for side in (0, 1) for one in scored(load_side(fast, deep, side))]
    return [_in_graph(given, target, seed) for seed in range(split[0], split[1])]


def _in_graph(given: list[Scored], target: float, seed: int) -> Split:
    fit, test = halves(given, seed)
    try:
        modes = for_error(fit, target, CONFIDENCE)[0]
    except CalibrationError:
        return Split(0.0, float("nan"), float("nan"), refused=True, broken=False)
    wrong = [
        handed for one in test if (handed := accepted_error(one, modes["fast"], modes["deep"])) is not None
    ]
    return Split(
        len(wrong) / len(test),
        float("nan"),
        float("nan"),
        refused=False,
        broken=is_broken(np.array(wrong, dtype=bool), target),
    )


def accepted_error(one: Scored, fast: ModeProfile, deep: ModeProfile) -> bool | None:
    """Whether the answer that the graph accepts as sure is wrong; None if it accepts none."""
    if fast.risk(one.fast) <= fast.max_accepted_risk:
        return one.fast_wrong
    if one.deep is not None and deep.risk(one.deep) <= deep.max_accepted_risk:
        return one.deep_wrong
    return None


def halves(given: list[Scored], seed: int) -> tuple[list[Scored], list[Scored]]:
    order = np.random.default_rng(seed).permutation(len(given))
    half = len(given) // 2
    return [given[index] for index in order[:half]], [given[index] for index in order[half:]]


def summary(splits: list[Split]) -> dict[str, float | None]:
    """Counts and means; coverage counts a refusal as 0. In the graph there is no one oracle threshold: None."""
    coverage, oracle = np.mean([one.coverage for one in splits]), np.mean([one.oracle for one in splits])
    provable = np.mean([one.provable for one in splits])
    kept = [one.coverage for one in splits if not one.refused]
    return {
        "splits": len(splits),
        "refused": sum(one.refused for one in splits),
        "broken": sum(one.broken for one in splits),
        "coverage": float(coverage),
        "coverage_where_promised": float(np.mean(kept)) if kept else 0.0,
        "oracle_coverage": None if np.isnan(oracle) else float(oracle),
        "provable_coverage": None if np.isnan(provable) else float(provable),
        "of_oracle": float(coverage / oracle) if oracle > 0 else None,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--splits", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    split = (arguments.seed, arguments.seed + arguments.splits)
    with ProcessPoolExecutor(arguments.processes) as pool:
        cells = [(model, mode, side) for model in MODELS for mode in MODES for side in (0, 1)]
        risks = list(pool.map(judge_risk, *zip(*cells, strict=True)))
        show_risks(risks)
        alone = [(model, mode, target) for model in MODELS for mode in MODES for target in TARGETS]
        together = [(fast, deep, TARGET_IN_GRAPH) for fast, deep in PAIRS]
        futures = [
            *(pool.submit(promise_alone, *cell, split) for cell in alone),
            *(pool.submit(promise_in_graph, *cell, split) for cell in together),
        ]
        rows = [
            {"cell": list(cell), "in_graph": index >= len(alone), **summary(future.result())}
            for index, (cell, future) in enumerate(zip([*alone, *together], futures, strict=True))
        ]
    show_promises(rows)
    settings = {name: value for name, value in vars(arguments).items() if name != "results"}
    content = {
        **provenance("promise.py", settings),
        "confidence": CONFIDENCE,
        "risk": risks,
        "promises": rows,
    }
    draw(risks, write_json("promise", content, arguments.results).with_suffix(".png"))


def show_risks(risks: list[dict[str, Any]]) -> None:
    rows = [
        [f"{row['model']} {row['mode']}, on {row['judged_on'][0]} ...", str(row["answers"]), f"{row['error']:.3f}",
         f"{row['expected']:.3f}", f"{row['auroc']:.3f}", f"{row['ece']:.3f}",
         "[{:.3f}, {:.3f}]".format(*row["ece_interval"]), f"{row['ece_if_perfect']:.3f}",
         f"{row['ece_debiased']:.3f}", f"{row['ece_equal_mass']:.3f}"]
        for row in risks
    ]  # fmt: skip
    header = ["answers", "error", "expected", "AUROC", "ECE", "95 %", "if perfect", "debiased", "equal mass"]
    print_table(["risk on the other side", *header], rows)
    for row in risks:
        if doubted := row["most_doubted"]:
            figures = ", ".join(f"{name} {doubted[name]:.3f}" for name in ("error", "expected", "ece"))
            print(
                f"{row['model']} deep, on {row['judged_on'][0]} ..., most doubted {_DOUBTED_SHARE:.0%}: {figures}"
            )
    for mode in MODES:
        mean = np.mean([row["ece"] for row in risks if row["mode"] == mode])
        print(f"mean ECE, {mode}: {mean:.3f}")


def show_promises(rows: list[dict[str, Any]]) -> None:
    table = [
        [f"{row['cell'][0]}{' -> ' if row['in_graph'] else ' '}{row['cell'][1]}, error <= {row['cell'][2]}",
         str(row["refused"]), str(row["broken"]), f"{row['coverage']:.3f}", f"{row['coverage_where_promised']:.3f}",
         _shown(row["oracle_coverage"]), _shown(row["of_oracle"]), _shown(row["provable_coverage"])]
        for row in rows
    ]  # fmt: skip
    print_table(
        ["promise", "refused", "broken", "coverage", "promised", "oracle", "share", "provable"], table
    )


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def draw(risks: list[dict[str, Any]], path: Path) -> None:
    """Reliability: observed against expected error, one panel a model and mode, both sides."""
    from matplotlib.figure import Figure

    figure: Any = Figure(figsize=(11, 7), dpi=130, layout="constrained")
    panels = figure.subplots(2, 3, sharex=True, sharey=True)
    for column, model in enumerate(MODELS):
        for line, mode in enumerate(MODES):
            axes = panels[line][column]
            axes.plot([0, 1], [0, 1], color="grey", linewidth=1)
            for row, colour, mark in zip(
                [row for row in risks if row["model"] == model and row["mode"] == mode],
                ("#0072B2", "#D55E00"), "os", strict=True,
            ):  # fmt: skip
                expected, observed, count = np.array(row["reliability"]).T
                label = f"on {', '.join(row['judged_on'])}: ECE {row['ece']:.3f}"
                axes.scatter(expected, observed, s=8 + 200 * count / count.sum(), color=colour, marker=mark,
                             alpha=0.8, label=label)  # fmt: skip
            axes.set_title(f"{model}, {'direct' if mode == 'fast' else 'after thinking'}", fontsize=10)
            axes.legend(fontsize=6, loc="upper left")
            axes.grid(alpha=0.25)
    figure.supxlabel("expected error")
    figure.supylabel("observed error")
    figure.savefig(path)


if __name__ == "__main__":
    main()
