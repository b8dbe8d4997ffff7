"""A gate and a triage for a student: the cheapest pair that is as often right as what is in use."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
from adaptive_reasoner.training.flywheel.policy import Policy, expect_thinking, judged_runs, outcomes_of
from adaptive_reasoner.training.triage.examples import TriageExample
from adaptive_reasoner.training.triage.train import fit_triage
from adaptive_reasoner.triage.linear import LinearEstimator

_ESCALATED = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
_AT_ONCE = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)


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
    both: Sequence[LabelledRun], most_wrong: float, target: CalibrationTarget | None, seed: int
) -> Policy:
    """Fit gates and triages, and choose the cheapest pair whose error is no higher than `most_wrong`.

    Args:
        both: labelled runs of the student in which it answered every question fast and after a thought.
        most_wrong: the error of what is in use, on the same questions; where no pair is as good, the pair of least
            error is chosen.
        target: of the gate; None: each of a dozen shares of escalated answers is tried.
        seed: of the triage's folds.

    Raises:
        CalibrationError: no gate can be fitted.
    """
    runs = judged_runs(both)
    expected = expect_thinking(runs)
    pairs = [Policy(gate, triage) for gate in _gates(both, target) for triage in _triages(both, seed)]
    found = [(outcomes_of(runs, one, expected), one) for one in pairs]
    figures = [(float(made.errors.mean()), float(made.tokens.mean()), one) for made, one in found]
    good = [one for one in figures if one[0] <= most_wrong]
    if good:
        return min(good, key=lambda one: one[1])[2]
    return min(figures, key=lambda one: one[:2])[2]


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


def _gates(both: Sequence[LabelledRun], target: CalibrationTarget | None) -> list[GateProfile]:
    targets = [target] if target else [CalibrationTarget(share, None) for share in _ESCALATED]
    gates: list[GateProfile] = []
    why: CalibrationError | None = None
    for one in targets:
        try:
            gates.append(calibrate_runs(both, one))
        except CalibrationError as error:
            why = error
    if not gates:
        raise why or CalibrationError("No gate was tried.")
    return gates


def _triages(both: Sequence[LabelledRun], seed: int) -> list[LinearEstimator | None]:
    """None first, which lets every question start fast; nothing else where the texts do not say who gains."""
    examples = [
        TriageExample(one["question"], one["fast_correct"], one["deep_correct"])
        for one in triage_examples(both)
    ]
    try:
        fitted = fit_triage(examples, pair=model_of(both), share=_AT_ONCE[0], seed=seed)
    except CalibrationError:
        return [None]
    gains = [fitted.estimate_text(one.question)["gain"] for one in examples]
    bounds = [float(np.quantile(gains, 1 - share, method="higher")) for share in _AT_ONCE]
    return [None, *(replace(fitted, think_at_gain=bound) for bound in sorted(set(bounds)))]
