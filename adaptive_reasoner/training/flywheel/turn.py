"""One turn of the flywheel: fit to one part of the runs, judge on the rest, ship what is not worse."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

from adaptive_reasoner.checks import check_range
from adaptive_reasoner.errors import CalibrationError
from adaptive_reasoner.gate.calibration import CalibrationTarget
from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.gate.shipped import profile_for
from adaptive_reasoner.traces.expectations import escalation_target, model_of, promised_error
from adaptive_reasoner.traces.labels import LabelledRun
from adaptive_reasoner.traces.monitoring import rounds_of, starts_fast
from adaptive_reasoner.traces.refit import calibrate_runs, with_other_modes
from adaptive_reasoner.traces.triage_examples import triage_examples
from adaptive_reasoner.training.distill.dataset import normal_question
from adaptive_reasoner.training.flywheel.judging import LEAST_HELD_OUT, Comparison, compare, refusal
from adaptive_reasoner.training.flywheel.policy import (
    Policy,
    Thinking,
    expect_thinking,
    judged_runs,
    outcomes_of,
)
from adaptive_reasoner.training.triage.examples import TriageExample
from adaptive_reasoner.training.triage.train import fit_triage
from adaptive_reasoner.triage.linear import LinearEstimator
from adaptive_reasoner.triage.shipped import estimator_for

_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnConfig:
    """How a turn fits and judges.

    Attributes:
        target: of the gate; None: the one that the current profile was set to, or else to doubt no more fast answers
            than the runs' gate did.
        tolerated_error: how far the share of wrong answers may rise, with 97.5 % confidence.
        held_out: share of the questions that nothing is fitted to, drawn by a hash of their text.
        think_at_once: share of the questions that a refitted triage sends to thinking at once.
        seed: of the bootstrap.
    """

    target: CalibrationTarget | None = None
    tolerated_error: float = 0.005
    held_out: float = 0.4
    think_at_once: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        check_range("held_out", self.held_out, 0.1, 0.9)
        check_range("tolerated_error", self.tolerated_error, 0.0, 1.0)
        check_range("think_at_once", self.think_at_once, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one part.

    Attributes:
        part: "gate", "triage" or "student".
        compared: before and after on held-out runs; None: nothing could be fitted.
        refused: why it is not shipped; None: it is.
    """

    part: str
    compared: Comparison | None
    refused: str | None


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn's outcome: what to use from now on, and why.

    Attributes:
        policy: with what is shipped in place of what was there.
        steps: the gate first, then triage beside the gate that stands.
        fitted, held_out: runs behind the fits, and behind the comparison.
        thinking: what stands in for thoughts that no run shows.
    """

    policy: Policy
    steps: tuple[Step, ...]
    fitted: int
    held_out: int
    thinking: Thinking

    @property
    def shipped(self) -> tuple[str, ...]:
        """The parts that replace the current ones."""
        return tuple(step.part for step in self.steps if step.refused is None)


def current_policy(runs: Sequence[LabelledRun], gate: GateProfile | None = None,
                   triage: LinearEstimator | None = None) -> Policy:  # fmt: skip
    """What judges these runs' model now: what is given, or what ships for it."""
    model = model_of(runs)
    return Policy(gate or profile_for(model), triage or estimator_for(model))


def own_runs(runs: Sequence[LabelledRun], model: str | None) -> list[LabelledRun]:
    """The runs that a student answered first; all of them where none is in use.

    Args:
        runs: of whoever answered since the store began.
        model: "student:FOLDER", or None.
    """
    if model is None:
        return list(runs)
    name = f"student:{Path(model.partition(':')[2]).name}"
    return [run for run in runs if run.record["models"][:1] == [name]]


def turn(runs: Sequence[LabelledRun], current: Policy, config: TurnConfig | None = None) -> Turn:
    """Refit gate and triage; each is kept as it was unless held-out runs show that the new one is not worse.

    Args:
        runs: with their labels.
        current: in use now.
        config: how.

    Raises:
        CalibrationError: too few labelled runs to judge anything by.
        ConfigurationError: a number is out of range.
    """
    config = config or TurnConfig()
    to_fit = [run for run in runs if not is_held_out(run.record["question"], config.held_out)]
    held_out = judged_runs([run for run in runs if is_held_out(run.record["question"], config.held_out)])
    if len(held_out) < LEAST_HELD_OUT:
        raise CalibrationError(
            f"Only {len(held_out)} held-out runs began with a fast answer, have log probabilities and a label; "
            f"{LEAST_HELD_OUT} are needed to say whether a refitted gate is better. Label more of the {len(runs)} runs."
        )
    expected = expect_thinking(judged_runs(to_fit))

    def judge(before: Policy, after: Policy) -> Comparison:
        both = outcomes_of(held_out, before, expected), outcomes_of(held_out, after, expected)
        return compare(held_out, both, config.seed)

    policy, steps = current, list[Step]()
    for part, fit in (("gate", _fit_gate), ("triage", _fit_triage)):
        policy, step = _try(part, lambda now, fit=fit: fit(to_fit, now, config), policy, (judge, config))
        steps.append(step)
    return Turn(policy, tuple(steps), len(to_fit), len(held_out), expected)


def _try(
    part: str,
    fit: Callable[[Policy], Policy],
    current: Policy,
    judged_by: tuple[Callable[[Policy, Policy], Comparison], TurnConfig],
) -> tuple[Policy, Step]:
    """The policy with the part if it may be shipped, else as it was."""
    judge, config = judged_by
    try:
        candidate = fit(current)
    except CalibrationError as error:
        return current, Step(part, None, str(error))
    compared = judge(current, candidate)
    refused = refusal(compared, config.tolerated_error)
    return (current if refused else candidate), Step(part, compared, refused)


def _fit_gate(runs: Sequence[LabelledRun], current: Policy, config: TurnConfig) -> Policy:
    target = config.target or _target_of(runs, current.gate)
    profile = with_other_modes(calibrate_runs(runs, target), current.gate)
    return replace(current, gate=profile)


def _fit_triage(runs: Sequence[LabelledRun], current: Policy, config: TurnConfig) -> Policy:
    examples = [
        TriageExample(one["question"], one["fast_correct"], one["deep_correct"])
        for one in triage_examples(runs)
    ]
    estimator = fit_triage(
        examples, pair=model_of(runs) or "own", share=config.think_at_once, seed=config.seed
    )
    return replace(current, triage=estimator)


def _target_of(runs: Sequence[LabelledRun], gate: GateProfile) -> CalibrationTarget:
    """The profile's own target, or to doubt no more fast answers than the runs' gate did, those refined included."""
    most_wrong, most_escalated = promised_error(gate), escalation_target(gate)
    if most_wrong is not None:
        return CalibrationTarget(None, most_wrong, float(gate.provenance.get("confidence", 0.9)))
    if most_escalated is None:
        fast = [run for run in runs if starts_fast(run)]
        if not fast:
            raise CalibrationError(f"None of the {len(runs)} runs to fit to began with a fast answer.")
        most_escalated = sum(rounds_of(run.record)[0]["verdict"] != "accept" for run in fast) / len(fast)
    return CalibrationTarget(most_escalated, None)


def is_held_out(question: str, share: float) -> bool:
    """By the text, so that no question stands on both sides; not by triage's lot, which drew some runs to think."""
    digest = blake2b(
        normal_question(question).encode("utf-8", "surrogatepass"), digest_size=_BYTES, person=b"flywheel"
    ).digest()
    return int.from_bytes(digest, "big") / 2 ** (8 * _BYTES) < share
