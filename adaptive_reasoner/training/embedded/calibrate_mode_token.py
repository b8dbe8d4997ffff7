"""Fits triage by the embedded model's own first token, and holds it against triage by the question's text.

    python -m adaptive_reasoner.training.embedded.calibrate_mode_token --n 8000 --seed 11 --keep FOLDER

Both estimators are judged in the whole policy, on folds that they were not fitted on. Writes
`triage/models/embedded-mode-token.json`; which one triage uses by default is not changed by this.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.messages import BaseMessage

from adaptive_reasoner.embedded.dialogue import render_prompt
from adaptive_reasoner.embedded.first_token import ESTIMATOR, think_logits
from adaptive_reasoner.embedded.runtime import shipped_runtime
from adaptive_reasoner.gate.curve import fit_monotone
from adaptive_reasoner.gate.statistics import auroc
from adaptive_reasoner.training.embedded.calibrate import (
    PROFILE_PATH,
    TRIAGE_PATH,
    collect_cases,
    collect_outside,
)
from adaptive_reasoner.training.embedded.calibrate_kept import Collection
from adaptive_reasoner.training.embedded.calibrate_policy import Case, Floats, totals_of_mode
from adaptive_reasoner.training.embedded.calibrate_setting import (
    Fold,
    best_at_price,
    choose_price,
    cross_fit,
    settings_by_price,
)
from adaptive_reasoner.triage.mode_token import ModeTokenEstimator

MODEL_PATH = TRIAGE_PATH.parent / f"{ESTIMATOR}.json"
_BINS = 60


class ReadQuestions:
    """What the model leans to after questions that were read before, in one batch."""

    def __init__(self, questions: Sequence[str]) -> None:
        logits = think_logits(shipped_runtime(), [render_prompt([("user", text)]) for text in questions])
        self._found = dict(zip(questions, logits.tolist(), strict=True))

    def __call__(self, messages: Sequence[BaseMessage]) -> float:
        """Log P(<think>) - log P(<fast>) after the newest message."""
        return self._found[str(messages[-1].text)]

    def of(self, cases: Sequence[Case]) -> Floats:
        """The same for cases, (n,)."""
        return np.array([self._found[case.problem.question] for case in cases])

    def fit(self, cases: Sequence[Case]) -> ModeTokenEstimator:
        """The two curves of E[fast wrong] and E[deep right - fast right], monotone in the logit."""
        logits = self.of(cases)
        fast, deep = (
            np.array([not case.answers[mode].is_right for case in cases], dtype=np.float64)
            for mode in ("fast", "deep")
        )
        return ModeTokenEstimator(
            self, fit_monotone(logits, fast, bins=_BINS), fit_monotone(logits, fast - deep, bins=_BINS)
        )


def judge(folds: Sequence[Fold], target: float) -> dict[str, float]:
    """The policy at the highest price that keeps the target accuracy, and how the estimator alone ranks."""
    setting, policy = best_at_price(folds, choose_price(settings_by_price(folds), target))
    gains = np.concatenate([fold.gains for fold in folds])
    wrong = np.array([not case.answers["fast"].is_right for fold in folds for case in fold.cases])
    return {
        "accuracy": policy.accuracy,
        "tokens": policy.mean_tokens,
        "think_at_gain": setting.think_at_gain,
        "auroc_for_fast_wrong": auroc(gains, wrong),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare, fit on everything, write the file and print the comparison."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--n", type=int, default=8000, help="calibration problems")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--margin", type=float, default=0.4, help="points of accuracy below always thinking")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder in which `calibrate` kept its answers")
    options = parser.parse_args(arguments)
    feeds_spans = bool(json.loads(PROFILE_PATH.read_text(encoding="utf-8"))["feeds_spans"])
    collection = Collection(
        split="calibration",
        count=options.n,
        seed=options.seed,
        processes=options.processes,
        folder=options.keep,
    )
    cases = collect_cases(collection, feeds_spans=feeds_spans)
    outside = collect_outside(collection, feeds_spans=feeds_spans)
    questions = ReadQuestions([case.problem.question for case in cases])
    target = totals_of_mode(cases, "deep").accuracy - options.margin / 100
    provenance: dict[str, Any] = {
        "command": "python -m adaptive_reasoner.training.embedded.calibrate_mode_token"
        f" --n {options.n} --seed {options.seed} --margin {options.margin:g}",
        "split": "calibration",
        "weights": shipped_runtime().weights.fingerprint,
        "target_accuracy": target,
        "mode_token": judge(cross_fit(cases, outside, questions.fit), target),
        "linear": judge(cross_fit(cases, outside), target),
    }
    fitted = questions.fit(cases)
    content = {
        "difficulty": fitted.difficulty,
        "gain": fitted.gain,
        "think_at_gain": provenance["mode_token"]["think_at_gain"],
        "provenance": provenance,
    }
    MODEL_PATH.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(provenance, indent=1))


if __name__ == "__main__":
    main()
