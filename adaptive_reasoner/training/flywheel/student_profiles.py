"""A gate and a triage for a student: the pair that is most often right and no dearer than what is in use."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace

import numpy as np

from adaptive_reasoner.errors import CalibrationError
from adaptive_reasoner.gate.calibration import CalibrationTarget
from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.traces.expectations import escalation_target, model_of, promised_error
from adaptive_reasoner.traces.labels import LabelledRun
from adaptive_reasoner.traces.monitoring import has_thought, starts_fast
from adaptive_reasoner.traces.rates import Rate, rate
from adaptive_reasoner.traces.refit import calibrate_runs
from adaptive_reasoner.traces.triage_examples import triage_examples
from adaptive_reasoner.training.flywheel.policy import (
    Outcomes,
    Policy,
    expect_thinking,
    judged_runs,
    outcomes_of,
)
from adaptive_reasoner.training.triage.examples import TriageExample
from adaptive_reasoner.training.triage.train import fit_triage
from adaptive_reasoner.triage.linear import LinearEstimator

_ESCALATED = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
_AT_ONCE = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
_SLACK = 0.5  # standard errors


@dataclass(frozen=True, slots=True)
class Promise:
    """What the student's gate was set to, and what became of it on held-out questions.

    Attributes:
        what: of which answers.
        most: the share that was promised at most.
        seen: the share on the held-out questions.
    """

    what: str
    most: float
    seen: Rate

    @property
    def is_broken(self) -> bool:
        """True if the whole 95 % interval lies above what was promised."""
        return self.seen.low > self.most


def fit_profiles(
    both: Sequence[LabelledRun], most_tokens: float, target: CalibrationTarget | None, seed: int
) -> Policy:
    """Fit gates and triages, and choose the pair of least error that costs no more than `most_tokens`.

    Each pair is judged on halves that it was not fitted to. Of those whose error is within half a standard error of the
    least one, the cheapest is taken; where all cost more, the cheapest of all.

    Args:
        both: labelled runs of the student in which it answered every question fast and after a thought.
        most_tokens: what is in use spends on the same questions, on average.
        target: of the gate; None: each of a dozen shares of escalated answers is tried.
        seed: of the triage's folds.

    Raises:
        CalibrationError: no gate can be fitted.
    """
    targets = [target] if target else [CalibrationTarget(share, None) for share in _ESCALATED]
    found = [_Judged(*one) for one in _out_of_fold(both, targets, seed).items()]
    if not found:
        raise CalibrationError(f"No gate can be fitted to the student's answers to {len(both)} questions.")
    within = [one for one in found if one.tokens <= most_tokens]
    if not within:
        return _policies(both, targets, seed)[min(found, key=lambda one: one.tokens).key]
    least = min(within, key=lambda one: one.error)
    enough = [one for one in within if one.error <= least.error + _SLACK * least.standard_error]
    return _policies(both, targets, seed)[min(enough, key=lambda one: one.tokens).key]


@dataclass(frozen=True, slots=True)
class _Judged:
    """A pair by its place among the targets and shares, and what it makes of questions that it was not fitted to."""

    key: tuple[int, int]
    made: Outcomes

    @property
    def error(self) -> float:
        return float(self.made.errors.mean())

    @property
    def tokens(self) -> float:
        return float(self.made.tokens.mean())

    @property
    def standard_error(self) -> float:
        return float(self.made.errors.std() / len(self.made.errors) ** 0.5)


def _out_of_fold(
    both: Sequence[LabelledRun], targets: Sequence[CalibrationTarget], seed: int
) -> dict[tuple[int, int], Outcomes]:
    """What each pair makes of each half, fitted to the other one; pairs that one half cannot fit are left out."""
    halves = both[::2], both[1::2]
    made: list[dict[tuple[int, int], Outcomes]] = []
    for fit, judge in (halves, halves[::-1]):
        runs = judged_runs(judge)
        expected = expect_thinking(runs)
        pairs = _policies(fit, targets, seed)
        made.append({key: outcomes_of(runs, one, expected) for key, one in pairs.items()})
    first, second = made
    return {key: _joined(first[key], second[key]) for key in first if key in second}


def _joined(first: Outcomes, second: Outcomes) -> Outcomes:
    pairs = [(getattr(first, field.name), getattr(second, field.name)) for field in fields(Outcomes)]
    return Outcomes(*(np.concatenate(pair) for pair in pairs))


def check_promise(runs: Sequence[LabelledRun], gate: GateProfile) -> Promise | None:
    """Hold the gate's promise against runs under it; None where it was set to none."""
    fast = [run for run in runs if starts_fast(run)]
    most_wrong, most_escalated = promised_error(gate), escalation_target(gate)
    if most_wrong is not None:
        stood = [not run.correct for run in fast if not has_thought(run)]
        return Promise("fast answers that stand are wrong", most_wrong, rate(stood))
    if most_escalated is not None:
        return Promise("fast answers are thought through", most_escalated, rate(map(has_thought, fast)))
    return None


def _policies(
    runs: Sequence[LabelledRun], targets: Sequence[CalibrationTarget], seed: int
) -> dict[tuple[int, int], Policy]:
    """Every gate that can be fitted beside every triage, by their places."""
    gates: dict[int, GateProfile] = {}
    for place, one in enumerate(targets):
        with suppress(CalibrationError):
            gates[place] = calibrate_runs(runs, one)
    triages = _triages(runs, seed)
    return {
        (place, share): Policy(gate, triage)
        for place, gate in gates.items()
        for share, triage in enumerate(triages)
    }


def _triages(runs: Sequence[LabelledRun], seed: int) -> list[LinearEstimator | None]:
    """None first, which lets every question start fast; nothing else where the texts do not say who gains."""
    examples = [
        TriageExample(one["question"], one["fast_correct"], one["deep_correct"])
        for one in triage_examples(runs)
    ]
    try:
        fitted = fit_triage(examples, pair=model_of(runs), share=_AT_ONCE[0], seed=seed)
    except CalibrationError:
        return [None]
    gains = [fitted.estimate_text(one.question)["gain"] for one in examples]
    bounds = [float(np.quantile(gains, 1 - share, method="higher")) for share in _AT_ONCE]
    return [None, *(replace(fitted, think_at_gain=bound) for bound in bounds)]
