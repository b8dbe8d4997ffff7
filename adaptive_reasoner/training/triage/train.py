"""Fits triage to a user's own pair of models, and says on questions left out what it is worth."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from adaptive_reasoner.errors import CalibrationError
from adaptive_reasoner.training.triage.examples import TriageExample, load_examples
from adaptive_reasoner.training.triage.fitting import (
    RIDGES,
    Outcomes,
    Recipe,
    choose_recipe,
    fit_estimator,
    fit_line,
    outcomes_of,
)
from adaptive_reasoner.training.triage.scoring import Floats, apgr, draw_counts, interval, resampled_apgr
from adaptive_reasoner.triage.least_thinking import lot_of
from adaptive_reasoner.triage.linear import FEATURE_SETS, LinearEstimator

LEAST_QUESTIONS = 100
LEAST_DIFFERENT = 30
_FOLDS = 5
_RESAMPLES = 1000
RECIPES = tuple(
    Recipe(features, ridge, signed)
    for features, signed in (("cues", True), ("cues", False), ("arithmetic", False))
    for ridge in RIDGES
)


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What the estimator is worth on questions that it was not fitted to.

    Attributes:
        gains: predicted for each question by a fit to the other folds, shape (n,).
        apgr, apgr_interval: of these; .5 is random order.
        length_apgr: of prompt length, the baseline.
        over_length_interval: of the difference, paired.
    """

    gains: Floats
    apgr: float
    apgr_interval: tuple[float, float]
    length_apgr: float
    over_length_interval: tuple[float, float]


def train_triage(
    path: str | Path, out: str | Path, *, pair: str, share: float, seed: int = 0
) -> LinearEstimator:
    """Fit an estimator to the examples of a file and write it; nothing is written unless it ranks better than chance.

    Args:
        path: see `adaptive_reasoner.training.triage.examples`.
        out: receives the estimator as JSON.
        pair: the models' name in reports.
        share: of the questions, those with the largest predicted gains, that think at once.
        seed: of the bootstrap.

    Raises:
        InvalidInputError: the file cannot be used.
        CalibrationError: its labels cannot support an estimator.
        ProfileError: `out` cannot be written.
    """
    examples = load_examples(path)
    estimator = fit_triage(examples, pair=pair, share=share, seed=seed)
    estimator.save(out)
    return estimator


def fit_triage(
    examples: Sequence[TriageExample], *, pair: str, share: float, seed: int = 0
) -> LinearEstimator:
    """Fit an estimator; its provenance says what it is worth on questions left out.

    Raises:
        CalibrationError: the labels cannot support an estimator; the message says what is missing.
    """
    _check_labels(examples)
    folded = [replace(one, group=fold) for one, fold in zip(examples, _folds(examples), strict=True)]
    given = {features: outcomes_of(folded, features) for features in FEATURE_SETS}
    held_out = _judge(examples, given, seed)
    if held_out.apgr_interval[0] <= 0.5:
        raise CalibrationError(
            f"The questions' texts do not say who gains: APGR {held_out.apgr:.3f} on questions left out, 95 % interval "
            "[{:.3f}, {:.3f}], where random order has .5. Give more questions, or leave the choice to the gate.".format(
                *held_out.apgr_interval
            )
        )
    recipe, _ = choose_recipe(given, RECIPES)
    estimator = fit_estimator(given[recipe.features], pair, recipe)
    bound = float(np.quantile(held_out.gains, 1 - share, method="higher")) if share < 1 else -1.0
    return replace(
        estimator,
        think_at_gain=min(max(bound, -1.0), 1.0) if share > 0 else None,
        provenance=_provenance(examples, recipe, held_out, share),
    )


def _check_labels(examples: Sequence[TriageExample]) -> None:
    different = sum(one.fast_correct != one.deep_correct for one in examples)
    gained = sum(one.deep_correct - one.fast_correct for one in examples)
    if len(examples) < LEAST_QUESTIONS or different < LEAST_DIFFERENT:
        raise CalibrationError(
            f"{len(examples)} questions, {different} of them with one answer right and one wrong, cannot support "
            f"an estimator; at least {LEAST_QUESTIONS} and {LEAST_DIFFERENT} are needed."
        )
    if gained <= 0:
        raise CalibrationError(
            f"Thinking gains nothing here: the deep answers have {-gained} more errors than the fast ones. Check "
            "that fast_correct and deep_correct are not swapped, or set thinking off."
        )


def _folds(examples: Sequence[TriageExample]) -> list[str]:
    """Whole groups where there are enough of them; else by a hash, which keeps equal questions together."""
    sizes = Counter(one.group for one in examples)
    if len(sizes) >= _FOLDS and "" not in sizes:
        fold_of = {group: str(index % _FOLDS) for index, (group, _) in enumerate(sizes.most_common())}
        return [fold_of[one.group] for one in examples]
    return [str(int(lot_of(one.question) * _FOLDS)) for one in examples]


def _judge(examples: Sequence[TriageExample], given: Mapping[str, Outcomes], seed: int) -> HeldOut:
    """Predict every fold by a recipe that was chosen, and a line that was fitted, on the other folds."""
    gains = given["cues"].gains
    groups = np.array(given["cues"].groups)
    predicted = np.zeros(len(gains))
    for fold in sorted(set(groups.tolist())):
        out = groups == fold
        others = {name: outcomes.where(~out) for name, outcomes in given.items()}
        _check_gap(others["cues"])
        recipe, _ = choose_recipe(others, RECIPES)
        fitted = others[recipe.features]
        line = fit_line(fitted.features, fitted.gains, recipe.signs, recipe.ridge)
        predicted[out] = line.predict(given[recipe.features].features[out])
    lengths = np.array([len(one.question) for one in examples], dtype=np.float64)
    counts = draw_counts(len(gains), _RESAMPLES, seed)
    drawn, base = resampled_apgr(predicted, gains, counts), resampled_apgr(lengths, gains, counts)
    return HeldOut(
        predicted, apgr(predicted, gains), interval(drawn), apgr(lengths, gains), interval(drawn - base)
    )


def _check_gap(outcomes: Outcomes) -> None:
    if outcomes.gains.sum() <= 0:
        raise CalibrationError(
            "Thinking gains on one part of the questions only: leaving it out, nothing is gained. Give more questions."
        )


def _provenance(
    examples: Sequence[TriageExample], recipe: Recipe, held_out: HeldOut, share: float
) -> dict[str, Any]:
    return {
        "questions": len(examples),
        "fast_accuracy": sum(one.fast_correct for one in examples) / len(examples),
        "deep_accuracy": sum(one.deep_correct for one in examples) / len(examples),
        "recipe": {"features": recipe.features, "ridge": recipe.ridge, "signed": recipe.signed},
        "thinks_at_once": share,
        "held_out": {
            "apgr": held_out.apgr,
            "apgr_interval": list(held_out.apgr_interval),
            "prompt_length_apgr": held_out.length_apgr,
            "over_length_interval": list(held_out.over_length_interval),
        },
    }
