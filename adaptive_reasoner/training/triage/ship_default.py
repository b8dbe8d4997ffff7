"""Fits the estimator that ships for the default pair: RouteLLM's recordings of MMLU, all families.

    python -m adaptive_reasoner.training.triage.ship_default ../shared/data/routing/mmlu.csv

Outcomes of GSM8K are never read. How well the same recipe ranks families that it was not fitted on is measured by
`benchmarks/triage.py`; the shipped weights see all of them.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from adaptive_reasoner.training.triage.examples import load_examples
from adaptive_reasoner.training.triage.fitting import (
    RIDGES,
    Recipe,
    choose_recipe,
    fit_estimator,
    outcomes_of,
)
from adaptive_reasoner.triage.linear import LinearEstimator
from adaptive_reasoner.triage.shipped import DEFAULT_PAIR

FEATURES = "cues"
_SOURCE = {
    "data": "MMLU outcomes recorded by RouteLLM (github.com/lm-sys/RouteLLM, arXiv 2406.18665)",
    "licence": "Apache-2.0",
    "weak": "mistralai/Mixtral-8x7B-Instruct-v0.1",
    "strong": "gpt-4-1106-preview",
    "fitted_by": "python -m adaptive_reasoner.training.triage.ship_default mmlu.csv",
}


def fit_default(path: str | Path) -> LinearEstimator:
    """Fit to all questions of RouteLLM's MMLU table; the ridge by leaving one family out at a time."""
    examples = load_examples(path)
    outcomes = outcomes_of(examples, FEATURES)
    recipe, scores = choose_recipe({FEATURES: outcomes}, [Recipe(FEATURES, ridge) for ridge in RIDGES])
    figures = {
        "questions": len(examples),
        "families": dict(sorted(Counter(outcomes.groups).items())),
        "mean_gain": float(outcomes.gains.mean()),
        "ridge": recipe.ridge,
        "apgr_of_families_left_out": {str(tried.ridge): round(score, 4) for tried, score in scores.items()},
    }
    estimator = fit_estimator(outcomes, DEFAULT_PAIR, recipe)
    return replace(estimator, provenance={**_SOURCE, **figures})


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the packaged model from the table named on the command line."""
    (path,) = sys.argv[1:] if arguments is None else arguments
    target = Path(str(files("adaptive_reasoner.triage") / "models" / f"{DEFAULT_PAIR}.json"))
    fit_default(path).save(target)


if __name__ == "__main__":
    main()
