"""Fits what the shipped policy knows of the embedded model: the gate profile and the triage estimator.

    python -m adaptive_reasoner.training.embedded.calibrate --n 10000 --seed 11 --processes 3

Runs on the calibration split of the problems, needs NumPy only, and takes minutes. The price of a token is the
highest at which the whole policy, judged on folds that it was not fitted on, stays within `--margin` points of
always thinking. Writes `gate/profiles/embedded.json` and `triage/models/embedded.json`.
"""

import argparse
import json
import platform
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from langchain_core.messages import HumanMessage

import adaptive_reasoner
from adaptive_reasoner.embedded.problems import Problem, draw_outside
from adaptive_reasoner.embedded.runtime import shipped_runtime
from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.gate.statistics import auroc
from adaptive_reasoner.state import Mode
from adaptive_reasoner.training.embedded.calibrate_answers import DEEP, FAST, PLAIN_REFINE, REFINE
from adaptive_reasoner.training.embedded.calibrate_kept import Collection
from adaptive_reasoner.training.embedded.calibrate_policy import Case, totals_of_mode
from adaptive_reasoner.training.embedded.calibrate_profile import FEATURES, MODES, fit_risks
from adaptive_reasoner.training.embedded.calibrate_setting import (
    Fold,
    best_at_price,
    choose_price,
    cross_fit,
    pooled,
    settings_by_price,
)
from adaptive_reasoner.training.embedded.calibrate_triage import fit_triage
from adaptive_reasoner.triage.linear import LinearEstimator
from adaptive_reasoner.uncertainty.message import with_repeats

_PACKAGE = Path(adaptive_reasoner.__file__).parent
PROFILE_PATH = _PACKAGE / "gate" / "profiles" / "embedded.json"
_PROBLEMS_AN_OUTSIDE_QUESTION = 20
TRIAGE_PATH = _PACKAGE / "triage" / "models" / "embedded.json"


def compare_requests(collection: Collection) -> dict[str, float]:
    """Accuracy on the doubted fast answers: as they are, refined with their spans named, and without."""
    problems = collection.problems()
    fast = collection.ask(problems, FAST)
    ways = {
        "fast": fast,
        "with_spans": collection.ask(problems, REFINE, fast),
        "without_spans": collection.ask(problems, PLAIN_REFINE, fast),
    }
    doubted = [index for index, answer in enumerate(fast) if answer.signal["spans"]]
    return {way: float(np.mean([found[index].is_right for index in doubted])) for way, found in ways.items()}


def collect_cases(collection: Collection, *, feeds_spans: bool) -> list[Case]:
    """Fresh problems with the answers of every mode; refining starts from the fast answer."""
    return _answered(collection, collection.problems(), feeds_spans=feeds_spans)


def collect_outside(collection: Collection, *, feeds_spans: bool) -> list[Case]:
    """One question from outside the model's world for every twenty problems; each answer to it is a guess."""
    rng = Random(f"outside:{collection.seed}")
    problems = [draw_outside(rng) for _ in range(collection.count // _PROBLEMS_AN_OUTSIDE_QUESTION)]
    return _answered(collection, problems, feeds_spans=feeds_spans)


def _answered(collection: Collection, problems: Sequence[Problem], *, feeds_spans: bool) -> list[Case]:
    fast = collection.ask(problems, FAST)
    refined = collection.ask(problems, REFINE if feeds_spans else PLAIN_REFINE, fast)
    refined = [
        replace(second, signal=with_repeats(second.signal, second.text, first.text))
        for first, second in zip(fast, refined, strict=True)
    ]
    answers = zip(problems, fast, refined, collection.ask(problems, DEEP), strict=True)
    return [Case(problem, {"fast": a, "refine": b, "deep": c}) for problem, a, b, c in answers]


def calibrate(
    cases: Sequence[Case], outside: Sequence[Case], margin: float
) -> tuple[GateProfile, LinearEstimator, dict[str, Any]]:
    """Choose the setting on held-out folds, then fit on everything.

    Args:
        cases: n of them.
        outside: questions that the model cannot answer.
        margin: how far below always thinking the policy may be, in points of accuracy.

    Returns:
        The profile, the estimator and the figures for their provenance.
    """
    folds = cross_fit(cases, outside)
    target = totals_of_mode(cases, "deep").accuracy - margin / 100
    setting, policy = best_at_price(folds, choose_price(settings_by_price(folds), target))
    found = {
        "price_per_token": setting.price,
        "think_at_gain": setting.think_at_gain,
        "target_accuracy": target,
        "policy": {"accuracy": policy.accuracy, "tokens": policy.mean_tokens},
        "modes": {mode: _figures_of_mode(folds, mode) for mode in MODES},
        "triage_auroc": _triage_auroc(folds),
    }
    estimator = replace(fit_triage(cases), think_at_gain=setting.think_at_gain)
    return fit_risks(cases, outside).at_price(setting.price), estimator, found


def _figures_of_mode(folds: Sequence[Fold], mode: Mode) -> dict[str, float]:
    alone = pooled([totals_of_mode(fold.cases, mode) for fold in folds])
    risks = np.concatenate([fold.risks.risks(fold.cases, mode) for fold in folds])
    ranking = auroc(risks, alone.right == 0)
    return {"accuracy": alone.accuracy, "tokens": alone.mean_tokens, "auroc": ranking}


def _triage_auroc(folds: Sequence[Fold]) -> float:
    difficulty = [
        fold.estimator.estimate([HumanMessage(case.problem.question)])["difficulty"]
        for fold in folds
        for case in fold.cases
    ]
    fast = pooled([totals_of_mode(fold.cases, "fast") for fold in folds])
    return auroc(np.array(difficulty), fast.right == 0)


def show_progress(label: str, total: int) -> Callable[[int], None]:
    """A function that tells on standard error how many of `total` are done."""

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
        folder=options.keep or Path(tempfile.mkdtemp(prefix="calibrate-")),
        progress=show_progress,
    )
    requests = compare_requests(collection)
    feeds_spans = requests["with_spans"] >= requests["without_spans"]
    cases = collect_cases(collection, feeds_spans=feeds_spans)
    profile, estimator, found = calibrate(
        cases, collect_outside(collection, feeds_spans=feeds_spans), options.margin
    )
    provenance: dict[str, Any] = {
        "command": f"python -m adaptive_reasoner.training.embedded.calibrate --n {options.n} --seed {options.seed}"
        f" --margin {options.margin:g}",
        "split": "calibration",
        "weights": shipped_runtime().weights.fingerprint,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "n": options.n,
        "seed": options.seed,
        "features": {mode: list(names) for mode, names in FEATURES.items()},
        "refined_accuracy_on_doubted": requests,
        **found,
    }
    PROFILE_PATH.parent.mkdir(exist_ok=True)
    replace(profile, feeds_spans=feeds_spans, provenance=provenance).save(PROFILE_PATH)
    TRIAGE_PATH.parent.mkdir(exist_ok=True)
    TRIAGE_PATH.write_text(
        json.dumps({**asdict(estimator), "provenance": provenance}, indent=1) + "\n", encoding="utf-8"
    )
    print(json.dumps(provenance, indent=1))


if __name__ == "__main__":
    main()
