"""Fits what the shipped policy knows of the embedded model: the gate profile and the triage estimator.

    python -m adaptive_reasoner.training.embedded.calibrate --n 10000 --seed 11 --processes 3

Runs on the calibration split of the problems, needs NumPy only, and takes minutes. The price of a token is the
highest at which the whole policy, judged on folds that it was not fitted on, stays within `--margin` points of
always thinking. Writes `gate/profiles/embedded.json` and `triage/models/embedded.json`.
"""

import argparse
import json
import math
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.messages import HumanMessage

import adaptive_reasoner
from adaptive_reasoner.embedded.runtime import shipped_runtime
from adaptive_reasoner.gate.curve import pool_violators
from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.gate.statistics import Flags, auroc
from adaptive_reasoner.state import Mode
from adaptive_reasoner.training.embedded.calibrate_answers import DEEP, FAST, REFINE
from adaptive_reasoner.training.embedded.calibrate_kept import Collection
from adaptive_reasoner.training.embedded.calibrate_policy import (
    Case,
    Totals,
    run_policy,
    totals,
    totals_of_mode,
)
from adaptive_reasoner.training.embedded.calibrate_profile import FEATURES, MODES, RiskModels, fit_risks
from adaptive_reasoner.training.embedded.calibrate_triage import fit_triage
from adaptive_reasoner.triage.linear import LinearEstimator

PRICES: tuple[float, ...] = tuple(np.geomspace(1e-5, 3e-3, 31).tolist())  # errors a token
THINK_AT_GAINS: tuple[float, ...] = (0.7, 0.8, 0.85, 0.9, 0.95, 1.0)  # 1: triage never thinks at once
_FOLDS = 2
_PACKAGE = Path(adaptive_reasoner.__file__).parent
PROFILE_PATH = _PACKAGE / "gate" / "profiles" / "embedded.json"
TRIAGE_PATH = _PACKAGE / "triage" / "models" / "embedded.json"


@dataclass(frozen=True, slots=True)
class Fold:
    """Models fitted on other cases than those that they are judged on."""

    cases: Sequence[Case]
    risks: RiskModels
    estimator: LinearEstimator

    def run(self, price: float, think_at_gain: float = 1.0) -> Totals:
        """The policy at a price of tokens and a gain from which triage thinks at once."""
        gate = self.risks.at_price(price)
        return totals(
            [
                run_policy(case, gate, first="deep" if gain >= think_at_gain else "fast")
                for case, gain in zip(self.cases, self.gains(), strict=True)
            ]
        )

    def gains(self) -> list[float]:
        """What triage predicts for each case."""
        return [self.estimator.estimate([HumanMessage(case.problem.question)])["gain"] for case in self.cases]


def collect_cases(collection: Collection) -> list[Case]:
    """Fresh problems with the answers of every mode; refining starts from the fast answer."""
    problems = collection.problems()
    fast = collection.ask(problems, FAST)
    refined = collection.ask(problems, REFINE, fast)
    answers = zip(problems, fast, refined, collection.ask(problems, DEEP), strict=True)
    return [Case(problem, {"fast": a, "refine": b, "deep": c}) for problem, a, b, c in answers]


def cross_fit(cases: Sequence[Case]) -> list[Fold]:
    """Each part of the cases with models fitted on the others."""
    folds: list[Fold] = []
    for index in range(_FOLDS):
        others = [case for position, case in enumerate(cases) if position % _FOLDS != index]
        folds.append(Fold(cases[index::_FOLDS], fit_risks(others), fit_triage(others)))
    return folds


def choose_price(folds: Sequence[Fold], target: float) -> float:
    """The highest price at which the cross-fitted accuracy, smoothed over prices, is at least `target`."""
    errors = [1 - _pooled([fold.run(price) for fold in folds]).accuracy for price in PRICES]
    points = [(math.log(price), error, 1.0) for price, error in zip(PRICES, errors, strict=True)]
    blocks = pool_violators(points)
    good = [block for block in blocks if block[1] <= 1 - target]
    if not good or len(good) == len(blocks):
        return math.exp((good or blocks)[-1 if good else 0][0])
    (x0, y0, _), (x1, y1, _) = blocks[len(good) - 1 : len(good) + 1]
    return math.exp(x0 + (x1 - x0) * (1 - target - y0) / (y1 - y0))


def losses_by_gain(folds: Sequence[Fold], price: float) -> dict[float, float]:
    """Cross-fitted loss (share wrong + price * tokens) of each `think_at_gain`."""
    pooled = {gain: _pooled([fold.run(price, gain) for fold in folds]) for gain in THINK_AT_GAINS}
    return {gain: 1 - one.accuracy + price * one.mean_tokens for gain, one in pooled.items()}


def _pooled(parts: Sequence[Totals]) -> Totals:
    return Totals(np.concatenate([p.right for p in parts]), np.concatenate([p.tokens for p in parts]))


def figures(cases: Sequence[Case], folds: Sequence[Fold], price: float, target: float) -> dict[str, Any]:
    """What goes into the provenance: the cross-fitted policy beside the modes alone."""
    policy = _pooled([fold.run(price) for fold in folds])
    modes: dict[str, Any] = {}
    for mode in MODES:
        alone = totals_of_mode(cases, mode)
        modes[mode] = {
            "accuracy": alone.accuracy,
            "tokens": alone.mean_tokens,
            "auroc": _cross_fitted_auroc(folds, mode),
        }
    return {
        "price_per_token": price,
        "target_accuracy": target,
        "policy": {"accuracy": policy.accuracy, "tokens": policy.mean_tokens},
        "modes": modes,
        "triage_auroc": _triage_auroc(folds),
        "loss_by_think_at_gain": {str(gain): loss for gain, loss in losses_by_gain(folds, price).items()},
    }


def _cross_fitted_auroc(folds: Sequence[Fold], mode: Mode) -> float:
    risks = np.concatenate([fold.risks.risks(fold.cases, mode) for fold in folds])
    return auroc(risks, _wrong([case for fold in folds for case in fold.cases], mode))


def _triage_auroc(folds: Sequence[Fold]) -> float:
    difficulty = [
        fold.estimator.estimate([HumanMessage(case.problem.question)])["difficulty"]
        for fold in folds
        for case in fold.cases
    ]
    return auroc(np.array(difficulty), _wrong([case for fold in folds for case in fold.cases], "fast"))


def _wrong(cases: Sequence[Case], mode: Mode) -> Flags:
    return np.array([not case.answers[mode].is_right for case in cases], dtype=np.bool_)


def calibrate(cases: Sequence[Case], margin: float) -> tuple[GateProfile, LinearEstimator, dict[str, Any]]:
    """Choose the price on held-out folds, then fit on everything.

    Args:
        cases: n of them.
        margin: how far below always thinking the policy may be, in points of accuracy.

    Returns:
        The profile, the estimator and the figures for their provenance.
    """
    folds = cross_fit(cases)
    target = totals_of_mode(cases, "deep").accuracy - margin / 100
    price = choose_price(folds, target)
    found = figures(cases, folds, price, target)
    return fit_risks(cases).at_price(price), fit_triage(cases), found


def _progress(label: str, total: int) -> Callable[[int], None]:
    def show(done: int) -> None:
        print(f"\r{label}: {done} of {total}", end="\n" if done >= total else "", file=sys.stderr, flush=True)

    return show


def main(arguments: Sequence[str] | None = None) -> None:
    """Collect, fit, write both files and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--n", type=int, default=10_000, help="calibration problems")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--margin", type=float, default=0.4, help="points of accuracy below always thinking")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder in which answers are kept for another run")
    options = parser.parse_args(arguments)
    collection = Collection(
        split="calibration",
        count=options.n,
        seed=options.seed,
        processes=options.processes,
        folder=options.keep,
        progress=_progress,
    )
    profile, estimator, found = calibrate(collect_cases(collection), options.margin)
    provenance: dict[str, Any] = {
        "command": f"python -m adaptive_reasoner.training.embedded.calibrate --n {options.n} --seed {options.seed}"
        f" --margin {options.margin:g}",
        "split": "calibration",
        "weights": shipped_runtime().weights.fingerprint,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "n": options.n,
        "seed": options.seed,
        "features": list(FEATURES),
        **found,
    }
    PROFILE_PATH.parent.mkdir(exist_ok=True)
    replace(profile, provenance=provenance).save(PROFILE_PATH)
    TRIAGE_PATH.parent.mkdir(exist_ok=True)
    model = {"pair": estimator.pair, "fast_wrong": estimator.fast_wrong, "deep_wrong": estimator.deep_wrong}
    TRIAGE_PATH.write_text(json.dumps({**model, "provenance": provenance}, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(provenance, indent=1))


if __name__ == "__main__":
    main()
