"""Does triage know who gains by thinking? RouteLLM's recordings, scored as RouteLLM scores (CPT50, CPT80, APGR).

    python benchmarks/triage.py --resamples 1000 --seed 1

Fitted on some MMLU families, judged on the others, both ways; how strong the ridge is, leaving out one family of
the fitted side at a time says. Outcomes of GSM8K are never fitted to; it is judged on the regraded columns by the
estimator that ships. Prompt length is the baseline. Three rows cannot be built: `subject alone` knows the mean
gain of each judged subject (from its other half), `knows who fails fast` the weak model's outcome, the oracle both.
The last tables ask whether the order holds for other pairs of models, on their recorded answers: as fitted to
RouteLLM's pair, and as fitted to the pair itself, always on the other side's families.
"""

import argparse
import csv
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from measuring.real_models import PAIRS, SIDES, load_side
from measuring.report import RESULTS, print_table, provenance, write_json
from numpy.typing import NDArray

from adaptive_reasoner.gate.statistics import fit_logistic, sigmoid
from adaptive_reasoner.training.triage.examples import TriageExample, load_examples
from adaptive_reasoner.training.triage.fitting import (
    RIDGES,
    Outcomes,
    Recipe,
    choose_recipe,
    fit_line,
    outcomes_of,
)
from adaptive_reasoner.training.triage.scoring import (
    cpt,
    deferral_weights,
    draw_counts,
    interval,
    resampled_apgr,
)
from adaptive_reasoner.triage import estimate_gain

Floats = NDArray[np.float64]
OURS, BASELINE = "ours", "prompt length"
# Of the rival fits, which were not tuned any further.
_PLAIN_RIDGE = 10.0


@dataclass(frozen=True, slots=True)
class Judged:
    """Questions and the score that each method gives them.

    Attributes:
        gains: shape (n,), strong right - weak right.
        scores: method -> shape (n,).
    """

    gains: Floats
    scores: Mapping[str, Floats]


def routing_folder() -> Path:
    folder = Path(os.environ.get("ADAPTIVE_REASONER_DATA", "../shared/data")) / "routing"
    if not folder.is_dir():
        print(f"No recordings in {folder}: set ADAPTIVE_REASONER_DATA to the data folder.", file=sys.stderr)
        raise SystemExit(2)
    return folder


def rows_of(name: str) -> list[dict[str, str]]:
    with (routing_folder() / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def recipes(*, signed: bool) -> list[Recipe]:
    return [Recipe("cues", ridge, signed) for ridge in RIDGES]


def own_fit(fitted: Outcomes, asked: Floats, *, signed: bool = True) -> tuple[Floats, Recipe]:
    """Gains by the recipe that ranks left-out families of the fitted side best."""
    recipe, _ = choose_recipe({"cues": fitted}, recipes(signed=signed))
    return fit_line(fitted.features, fitted.gains, recipe.signs, recipe.ridge).predict(asked), recipe


def rivals(fitted: Outcomes, asked: Floats) -> dict[str, Floats]:
    """The same features and outcomes, fitted otherwise."""
    both = [
        fit_logistic(fitted.features, wrong, ridge=_PLAIN_RIDGE)
        for wrong in (fitted.fast_wrong, fitted.deep_wrong)
    ]
    fast, deep = (sigmoid(asked @ weights + bias) for weights, bias in both)
    return {
        "gain, signs free": own_fit(fitted, asked, signed=False)[0],
        "difference of two logistic fits": fast - deep,
        "difficulty alone": fast,
    }  # fmt: skip


def baselines(questions: list[str], weak_wrong: Floats, gains: Floats) -> dict[str, Floats]:
    return {
        "random": np.zeros(len(questions)),
        BASELINE: np.array([len(question) for question in questions], dtype=np.float64),
        "knows who fails fast": weak_wrong,
        "oracle": gains,
    }


def subject_alone(subjects: NDArray[np.str_], gains: Floats) -> Floats:
    """The mean gain of the other half of each question's subject."""
    half = np.random.default_rng(0).random(len(gains)) < 0.5
    scores = np.zeros(len(gains))
    for subject in set(subjects.tolist()):
        for side in (half, ~half):
            own, other = (subjects == subject) & side, (subjects == subject) & ~side
            scores[own] = gains[other].mean() if other.any() else 0.0
    return scores


def judge_direction(
    examples: list[TriageExample], subjects: NDArray[np.str_], side: int
) -> tuple[Judged, Any]:
    """Fit on one side's families, judge on the other's."""
    outcomes = outcomes_of(examples, "cues")
    on_side = np.isin(np.array(outcomes.groups), SIDES[side])
    fitted, asked = outcomes.where(on_side), outcomes.where(~on_side)
    ours, recipe = own_fit(fitted, asked.features)
    questions = [one.question for one, used in zip(examples, on_side, strict=True) if not used]
    scores = {
        **baselines(questions, asked.fast_wrong, asked.gains),
        "subject alone": subject_alone(subjects[~on_side], asked.gains),
        OURS: ours,
        **rivals(fitted, asked.features),
    }
    return Judged(asked.gains, scores), {
        "fitted_on": SIDES[side], "judged_on": SIDES[1 - side], "ridge": recipe.ridge,
    }  # fmt: skip


def judge_gsm8k() -> Judged:
    """The shipped estimator, which saw MMLU only."""
    rows = rows_of("gsm8k.csv")
    weak, strong = (np.array([float(row[f"{who}_regraded"]) for row in rows]) for who in ("weak", "strong"))
    questions = [row["prompt"] for row in rows]
    shipped = np.array([estimate_gain(question) for question in questions])
    return Judged(strong - weak, {**baselines(questions, 1 - weak, strong - weak), OURS: shipped})


def outcomes_of_pair(pair: tuple[str, str], side: int) -> tuple[list[str], Outcomes]:
    """The questions of a side and who answered them, families as groups."""
    given = load_side(*pair, side)
    known = [
        TriageExample(one.question, one.fast_correct, bool(one.deep_correct), str(recorded.fast["family"]))
        for one, recorded in zip(given.examples, given.pairs, strict=True)
    ]
    return [one.question for one in known], outcomes_of(known, "cues")


def doubts(pair: tuple[str, str], side: int) -> Floats:
    """1 - the least probability of the fast answer's tokens: these fast answers are bare letters; unknown is 1."""
    known = (fast["min_probability"] for fast, _ in load_side(*pair, side).signals)
    return np.array([1.0 if probability is None else 1.0 - probability for probability in known])


def judge_pair(lent: Outcomes, pair: tuple[str, str], side: int) -> Judged:
    """Another pair of models on one side, by what was fitted on the other: to RouteLLM's pair, and to itself."""
    questions, asked = outcomes_of_pair(pair, side)
    _, fitted = outcomes_of_pair(pair, 1 - side)
    scores = {
        **baselines(questions, asked.fast_wrong, asked.gains),
        "a probe: doubt of the bare answer": doubts(pair, side),
        "fitted to RouteLLM's pair": own_fit(lent, asked.features)[0],
        "fitted to this pair, signs kept": own_fit(fitted, asked.features)[0],
        "fitted to this pair, signs free": own_fit(fitted, asked.features, signed=False)[0],
    }
    return Judged(asked.gains, scores)


def figures(parts: list[Judged], resamples: int, seed: int) -> list[dict[str, Any]]:
    """Every method on the parts together: each part orders its own questions, gains recovered are summed."""
    gains = np.concatenate([part.gains for part in parts])
    counts = [draw_counts(len(part.gains), resamples, seed + index) for index, part in enumerate(parts)]
    base = _resampled(parts, counts, BASELINE)
    rows: list[dict[str, Any]] = []
    for method in parts[0].scores:
        # A place in its own part's order makes the parts' scores comparable.
        places = np.concatenate([deferral_weights(part.scores[method]) for part in parts])
        drawn = _resampled(parts, counts, method)
        point = sum(float(deferral_weights(p.scores[method]) @ p.gains) for p in parts) / float(gains.sum())
        plain = sum(float(deferral_weights(p.scores[BASELINE]) @ p.gains) for p in parts) / float(gains.sum())
        rows.append({
            "method": method, "n": len(gains), "apgr": point, "apgr_interval": interval(drawn),
            "cpt50": cpt(places, gains, 0.5), "cpt80": cpt(places, gains, 0.8),
            "over_length": point - plain, "over_length_interval": interval(drawn - base),
        })  # fmt: skip
    return rows


def _resampled(parts: list[Judged], counts: list[Floats], method: str) -> Floats:
    """APGR of the parts together in every resample, weighted by the gap of each."""
    gaps = [drawn @ part.gains for part, drawn in zip(parts, counts, strict=True)]
    own = [
        resampled_apgr(part.scores[method], part.gains, drawn)
        for part, drawn in zip(parts, counts, strict=True)
    ]
    return sum((one * gap for one, gap in zip(own, gaps, strict=True)), np.zeros(1)) / sum(gaps)


def microseconds(questions: list[str]) -> dict[str, float]:
    """CPU time of `estimate_gain`, each question once, after one that loads the model."""
    estimate_gain(questions[0])
    taken: list[float] = []
    for question in questions:
        started = time.thread_time()
        estimate_gain(question)
        taken.append((time.thread_time() - started) * 1e6)
    return {
        "mean": float(np.mean(taken)),
        "median": float(np.median(taken)),
        "p99": float(np.quantile(taken, 0.99)),
    }


def show(title: str, rows: list[dict[str, Any]]) -> None:
    print(f"\n{title} (n = {rows[0]['n']})")
    table = [
        [row["method"], f"{row['cpt50']:.3f}", f"{row['cpt80']:.3f}", f"{row['apgr']:.3f}",
         "[{:.3f}, {:.3f}]".format(*row["apgr_interval"]), f"{row['over_length']:+.3f}",
         "[{:+.3f}, {:+.3f}]".format(*row["over_length_interval"])]
        for row in rows
    ]  # fmt: skip
    print_table(["method", "CPT50", "CPT80", "APGR", "95 %", "over length", "95 %"], table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    examples = load_examples(routing_folder() / "mmlu.csv")
    subjects = np.array([row["subject"] for row in rows_of("mmlu.csv")])
    directions = [judge_direction(examples, subjects, side) for side in (0, 1)]
    settings = (arguments.resamples, arguments.seed)
    tables = {
        f"fitted on {', '.join(chosen['fitted_on'])}": figures([judged], *settings)
        for judged, chosen in directions
    }
    tables["both directions"] = figures([judged for judged, _ in directions], *settings)
    tables["GSM8K, regraded, as shipped"] = figures([judge_gsm8k()], *settings)
    outcomes = outcomes_of(examples, "cues")
    sides = [outcomes.where(np.isin(np.array(outcomes.groups), side)) for side in SIDES]
    others = {
        f"{fast} -> {deep} thinking": figures(
            [judge_pair(sides[1 - side], (fast, deep), side) for side in (0, 1)], *settings
        )
        for fast, deep in PAIRS
    }
    for title, rows in {**tables, **others}.items():
        show(title, rows)
    speed = microseconds([one.question for one in examples])
    print("\nµs of CPU a question: mean {mean:.0f}, median {median:.0f}, 99 % {p99:.0f}".format(**speed))
    given = {name: value for name, value in vars(arguments).items() if name != "results"}
    write_json("triage", {
        **provenance("triage.py", given), "source": "RouteLLM's recordings, Apache-2.0",
        "directions": [chosen for _, chosen in directions], "routing": tables, "other_pairs": others,
        "microseconds": speed,
    }, arguments.results)  # fmt: skip


if __name__ == "__main__":
    main()
