"""Calibrating a gate anew from recorded runs: what they can teach, and what they cannot, said beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from adaptive_reasoner.errors import CalibrationError
from adaptive_reasoner.gate.calibration import CalibrationTarget, calibrate_scored
from adaptive_reasoner.gate.features import has_features
from adaptive_reasoner.gate.fitting import fit_mode
from adaptive_reasoner.gate.mode_profile import ModeProfile
from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.gate.scored import Scored
from adaptive_reasoner.state import Mode, Signal
from adaptive_reasoner.traces.expectations import escalation_target, model_of, promised_error
from adaptive_reasoner.traces.labels import LabelledRun
from adaptive_reasoner.traces.monitoring import Figures, answers_of, error_of, has_thought, starts_fast
from adaptive_reasoner.traces.rates import check_risks, rate
from adaptive_reasoner.traces.triage_examples import BY_LOT, RULES, first_answer, first_correct

LEAST_LABELS = 60  # answers of a mode that a risk is fitted anew on

SELECTED = (
    "deep answers are seen only where the gate doubted the fast one, so what thinking leaves wrong is known for "
    "doubtful questions and guessed for the others"
)


def calibrate_runs(runs: Sequence[LabelledRun], target: CalibrationTarget) -> GateProfile:
    """A gate profile from the labelled answers of recorded runs.

    Raises:
        CalibrationError: the labelled answers cannot support the target.
    """
    labelled = [run for run in runs if starts_fast(run) and first_correct(run, "fast_answer") is not None]
    if not labelled:
        raise CalibrationError(
            f"None of the {len(runs)} runs has a fast answer that is known to be right or wrong; label some: "
            '{"run_id": "…", "answer": "…"} tells of every answer of a run.'
        )
    scored = [one for run in labelled if (one := _scored(run))]
    profile = calibrate_scored(scored, len(labelled), model_of(labelled), target)
    modes = profile.modes
    if target.max_error is None and "deep" in modes:  # a promise holds for the answers that it was tested on
        modes = {**modes, "deep": _from_every_deep_answer(runs, modes["deep"])}
    return replace(profile, modes=modes, provenance={**profile.provenance, "recorded_runs": selection(runs)})


def update_risks(runs: Sequence[LabelledRun], profile: GateProfile) -> GateProfile:
    """The profile with the risks fitted anew that the labels contradict; its policy and other modes stay.

    Raises:
        CalibrationError: no risk is contradicted, or there are too few labels to fit one anew.
    """
    if escalation_target(profile) is not None or promised_error(profile) is not None:
        raise CalibrationError(
            "This profile was set to a target, which its risks are part of: give the target again, --max-escalation "
            "or --max-error."
        )
    fitted: dict[Mode, ModeProfile] = {}
    figures: dict[str, Figures] = {}
    for mode, old in profile.modes.items():
        known = _known(runs, mode, old)
        status = check_risks([old.risk(signal) for signal, _ in known], [wrong for _, wrong in known])
        if status in ("too low", "too high"):
            enough = len(known) >= LEAST_LABELS
            figures[mode] = {"was": status, **_counts(known), "fitted": enough}
            if enough:
                fitted[mode] = _fitted(old, known)
    if not fitted:
        raise CalibrationError(_why_nothing(runs, figures))
    provenance = {**profile.provenance, "risks_updated": figures, "recorded_runs": selection(runs)}
    return replace(profile, modes={**profile.modes, **fitted}, provenance=provenance)


def with_other_modes(profile: GateProfile, kept_from: GateProfile) -> GateProfile:
    """The profile with the modes of another one that its own examples did not show.

    Under a promise these accept only what their own risk keeps within it; that was not tested.
    """
    most = promised_error(profile)
    others = {
        mode: known if most is None else replace(known, max_accepted_risk=min(known.max_accepted_risk, most))
        for mode, known in kept_from.modes.items()
        if mode not in profile.modes
    }
    provenance = {**profile.provenance, "kept_modes": sorted(others)}
    return replace(
        profile,
        modes={**others, **profile.modes},
        feeds_spans=kept_from.feeds_spans,
        comparison=profile.comparison or kept_from.comparison,
        provenance=provenance,
    )


def selection(runs: Sequence[LabelledRun]) -> Figures:
    """Which answers are labelled, and how those that thinking gave came to be given: a fit is no better."""
    fast = [run for run in runs if starts_fast(run)]
    stood = [run for run in fast if not has_thought(run)]
    sent_on = [run for run in fast if has_thought(run)]
    by_lot = [run for run in runs if run.record["report"]["triage"]["source"] == BY_LOT]
    return {
        "runs": len(runs),
        "fast_labelled_where_it_stood": _labelled_share(stood),
        "fast_labelled_where_thought_through": _labelled_share(sent_on),
        "deep_after_doubt": _deep_error(sent_on),
        "deep_by_lot": error_of(by_lot).to_json(),
        "bias": SELECTED,
    }


def warnings_of(selected: Mapping[str, Any]) -> list[str]:
    """What a reader must know of a selection before trusting a fit to it."""
    stood, sent_on = selected["fast_labelled_where_it_stood"], selected["fast_labelled_where_thought_through"]
    said = [f"Selection: {SELECTED}."]
    if sent_on["trials"] and sent_on["high"] < stood["low"]:
        said.append(
            f"{sent_on['events']} of {sent_on['trials']} doubted fast answers are labelled, but {stood['events']} of "
            f"{stood['trials']} others: the risk is fitted to the easier ones. Label with the right answer "
            '({"run_id": "…", "answer": "…"}), which tells of every answer of a run.'
        )
    lot = selected["deep_by_lot"]
    if lot["trials"]:
        said.append(
            f"Unbiased: of {lot['trials']} runs that thought by lot {lot['mean']:.1%} were wrong "
            f"[{lot['low']:.1%}, {lot['high']:.1%}]."
        )
    else:
        said.append(
            "No run thought by lot (ReasonerConfig.least_thinking_share), so nothing corrects for it."
        )
    return said


def _scored(run: LabelledRun) -> Scored | None:
    """The run's first fast answer, and the deep one where there is one; None without log probabilities."""
    rounds = run.record["report"]["rounds"]
    fast, deep = first_answer(rounds, "fast_answer"), first_answer(rounds, "deep_think")
    if fast is None or rounds[fast]["signal"]["kind"] != "logprobs":
        return None
    signal: Signal | None = None if deep is None else rounds[deep]["signal"]
    deep_correct, triage = first_correct(run, "deep_think"), run.record["report"]["triage"]
    return Scored(
        fast=rounds[fast]["signal"],
        fast_wrong=not run.rounds_correct[fast],
        deep=signal if signal and signal["kind"] == "logprobs" else None,
        deep_wrong=None if deep_correct is None else not deep_correct,
        deep_tokens=None if deep is None else rounds[deep]["usage"]["total_tokens"],
        triage=None if triage["source"] in RULES else triage,
    )


def _known(runs: Sequence[LabelledRun], mode: Mode, profile: ModeProfile) -> list[tuple[Signal, bool]]:
    """The labelled signals of a mode that its risk can be computed from, and whether the answer was wrong."""
    return [
        (one["signal"], not correct)
        for one, correct in answers_of(runs, mode)
        if correct is not None
        and one["signal"]["kind"] == "logprobs"
        and has_features(one["signal"], profile.features)
    ]


def _from_every_deep_answer(runs: Sequence[LabelledRun], deep: ModeProfile) -> ModeProfile:
    """Fitted also to the answers of runs that began with thinking: those by lot are of every kind."""
    known = _known(runs, "deep", deep)
    return _fitted(deep, known) if len(known) >= LEAST_LABELS else deep


def _why_nothing(runs: Sequence[LabelledRun], contradicted: Mapping[str, Figures]) -> str:
    if not contradicted:
        return f"The labels of these {len(runs)} runs contradict no risk of the profile: nothing to fit anew."
    short = ", ".join(
        f"{mode} ({LEAST_LABELS - known['labelled']} more)" for mode, known in contradicted.items()
    )
    return (
        f"The labels contradict risks, but fitting one anew takes {LEAST_LABELS} labelled answers: {short}."
    )


def _counts(known: Sequence[tuple[Signal, bool]]) -> Figures:
    return {"labelled": len(known), "wrong": sum(is_wrong for _, is_wrong in known)}


def _fitted(old: ModeProfile, known: Sequence[tuple[Signal, bool]]) -> ModeProfile:
    signals, wrong = [signal for signal, _ in known], [is_wrong for _, is_wrong in known]
    new = fit_mode(signals, wrong, features=old.features)
    return replace(old, weights=new.weights, bias=new.bias, knots=new.knots)


def _labelled_share(runs: Sequence[LabelledRun]) -> Figures:
    return rate(first_correct(run, "fast_answer") is not None for run in runs).to_json()


def _deep_error(runs: Sequence[LabelledRun]) -> Figures:
    known = [first_correct(run, "deep_think") for run in runs]
    return rate(not correct for correct in known if correct is not None).to_json()
