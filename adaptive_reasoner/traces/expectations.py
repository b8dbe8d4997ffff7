"""What a gate's profile promised, and whether recorded runs keep to it."""

import math
from collections.abc import Sequence

from adaptive_reasoner.gate.drift import DriftWatch, watch_errors, watch_escalations
from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.traces.labels import LabelledRun
from adaptive_reasoner.traces.monitoring import (
    Figures,
    answers_of,
    error_of,
    has_thought,
    is_accepted,
    starts_fast,
)
from adaptive_reasoner.traces.rates import rate

_LEAST_WINDOW = 20  # runs that a rate is taken from to watch for its change


def promise(runs: Sequence[LabelledRun], profile: GateProfile | None) -> Figures:
    """The error of the accepted answers beside what the profile promises of it."""
    accepted = [run for run in runs if is_accepted(run)]
    error = error_of(accepted)
    most = promised_error(profile)
    if error.mean is None:
        status = "unknown"
    elif most is None:
        status = "nothing was promised"
    elif error.low > most:
        status = "broken"
    else:
        status = "kept" if error.high <= most else "not contradicted"
    return {
        "share": rate(map(is_accepted, runs)).to_json(),
        "error": error.to_json(),
        "max_error": most,
        "confidence": profile.provenance.get("confidence") if profile and most is not None else None,
        "status": status,
    }


def promised_error(profile: GateProfile | None) -> float | None:
    """The share of accepted answers that may be wrong; None where nothing is promised."""
    most = profile.provenance.get("max_error") if profile else None
    return float(most) if isinstance(most, int | float) else None


def escalation_target(profile: GateProfile | None) -> float | None:
    """The share of fast answers that the profile was set to escalate; None where it was set otherwise."""
    most = profile.provenance.get("max_escalation") if profile else None
    return float(most) if isinstance(most, int | float) else None


def drift(runs: Sequence[LabelledRun], profile: GateProfile | None) -> dict[str, Figures | None]:
    """Rates against those of calibration, or where it does not say, of the first half; None: unknown.

    "thinking" is watched on the runs that began fast, where the gate decides; "errors" on the accepted answers
    that were not thought through.
    """
    fast = [run for run in runs if starts_fast(run)]
    thought = [has_thought(run) for run in fast]
    wrong = [
        not run.correct
        for run in fast
        if is_accepted(run) and run.correct is not None and not has_thought(run)
    ]
    return {
        "thinking": _watched(watch_escalations(profile) if profile else None, thought),
        "errors": _watched(watch_errors(profile) if profile else None, wrong),
    }


def _watched(calibrated: DriftWatch | None, events: Sequence[bool]) -> Figures | None:
    """Each event against what calibration saw, or the second half's against the first half's rate."""
    watch, since, source = calibrated, 0, "calibration"
    if watch is None:
        since, source = len(events) // 2, "first half"
        if since < _LEAST_WINDOW:
            return None
        watch = DriftWatch(sum(events[:since]) / since, since)
    if since == len(events):
        return None
    for event in events[since:]:
        watch.observe(event=event)
    return {"expected_from": source, **watch.state().to_json()}


def share_judged_by(runs: Sequence[LabelledRun], profile: GateProfile) -> float | None:
    """The share of answers whose recorded risk is the profile's; None where there is none to compare."""
    same: list[bool] = []
    for mode, known in profile.modes.items():
        for one, _ in answers_of(runs, mode):
            signal = one["signal"]
            if signal["kind"] == "logprobs" and signal["risk"] is not None:
                same.append(math.isclose(signal["risk"], known.risk(signal), abs_tol=1e-6))
    return sum(same) / len(same) if same else None


def model_of(runs: Sequence[LabelledRun]) -> str:
    """Who gave most of the first answers."""
    names = [model for run in runs for model in run.record["models"][:1] if model]
    return max(sorted(set(names)), key=names.count, default="")
