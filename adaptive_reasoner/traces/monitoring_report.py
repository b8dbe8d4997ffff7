"""The whole report on recorded runs: figures, their course over time, drift, and what to fit anew."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

import numpy as np

from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.traces import monitoring
from adaptive_reasoner.traces.advice import Origin, advise, calibrate_command, estimators, label_command
from adaptive_reasoner.traces.expectations import drift, model_of, promise, share_judged_by
from adaptive_reasoner.traces.labels import LabelledRun
from adaptive_reasoner.traces.monitoring import Figures
from adaptive_reasoner.traces.refit import selection
from adaptive_reasoner.traces.runs import RecordedRuns

Window = Literal["half", "day"]
_MOST = 0.95  # of the answers must have been judged by the profile that they are compared with


def report(
    recorded: RecordedRuns,
    profile: GateProfile | None,
    origin: Origin,
    *,
    window: Window = "half",
    least_share: float | None = None,
    most_share: float | None = None,
) -> Figures:
    """Everything about the runs, as plain JSON; what labels, prices or a profile would tell is null without them.

    Args:
        recorded: the runs, at least one.
        profile: the gate's that they ran under, for its promises.
        origin: where both come from, for the commands.
        window: compare the halves, or the days (UTC).
        least_share: of the runs should think.
        most_share: of the runs may think.
    """
    runs = recorded.runs
    judged = share_judged_by(runs, profile) if profile else None
    if judged is not None and judged < _MOST:
        profile, origin = None, replace(origin, profile="PROFILE")
    figures: Figures = {
        "judged_by_profile": judged,
        "runs": len(runs),
        "labelled": sum(run.correct is not None for run in runs),
        "from": runs[0].record["recorded_at"],
        "until": runs[-1].record["recorded_at"],
        "model": model_of(runs),
        "skipped": {
            "torn_lines": recorded.torn,
            "repeated_runs": recorded.repeated,
            "stray_labels": recorded.stray_labels,
        },
        "thinking": monitoring.thinking(runs, least_share=least_share, most_share=most_share),
        "routes": monitoring.routes(runs),
        "estimators": estimators(runs),
        "verdicts": monitoring.verdicts(runs),
        "risk": monitoring.risks(runs),
        "error": monitoring.error_of(runs).to_json(),
        "accepted": promise(runs, profile),
        "spend": monitoring.spend(runs),
        "latency_seconds": monitoring.latency(runs),
        "windows": windows(runs, window),
        "drift": drift(runs, profile),
    }
    advice = advise(runs, profile, figures, origin)
    figures["advice"] = [one.to_json() for one in advice]
    figures["notes"] = _notes(runs, figures, origin)
    return figures


def windows(runs: Sequence[LabelledRun], window: Window) -> list[Figures]:
    """The same figures for each half of the runs, or for each day."""
    return [_window(group) for group in (_halves(runs) if window == "half" else _days(runs))]


def _window(runs: Sequence[LabelledRun]) -> Figures:
    risks = [
        risk
        for run in runs
        if monitoring.is_accepted(run) and (risk := run.record["report"]["signal"]["risk"]) is not None
    ]
    accepted = [run for run in runs if monitoring.is_accepted(run)]
    return {
        "from": runs[0].record["recorded_at"],
        "until": runs[-1].record["recorded_at"],
        "runs": len(runs),
        "thinking": monitoring.thinking(runs)["share"],
        "error": monitoring.error_of(runs).to_json(),
        "accepted_error": monitoring.error_of(accepted).to_json(),
        "accepted_risk": float(np.mean(risks)) if risks else None,
        "spend": monitoring.spend(runs),
        "latency_seconds": monitoring.latency(runs),
    }


def _halves(runs: Sequence[LabelledRun]) -> list[Sequence[LabelledRun]]:
    middle = len(runs) // 2
    return [part for part in (runs[:middle], runs[middle:]) if part]


def _days(runs: Sequence[LabelledRun]) -> list[list[LabelledRun]]:
    days: dict[Any, list[LabelledRun]] = {}
    for run in runs:
        days.setdefault(datetime.fromisoformat(run.record["recorded_at"]).date(), []).append(run)
    return list(days.values())


def _notes(runs: Sequence[LabelledRun], figures: Figures, origin: Origin) -> list[str]:
    """What a reader of the figures must know, and what cannot be known from these runs."""
    notes: list[str] = []
    judged = figures["judged_by_profile"]
    if judged is not None and judged < _MOST:
        notes.append(
            f"{1 - judged:.0%} of the answers were judged by another profile than the one compared with, so what was "
            "expected of them is unknown: name theirs with --profile, or look at the newest runs with --last."
        )
    if not figures["labelled"]:
        notes.append(
            f"No run is labelled: errors, and whether risks and promises hold, are unknown. {label_command(origin)}"
        )
    unpriced = figures["spend"]["usd"]["runs_of_unknown_cost"]
    if unpriced:
        notes.append(f"The cost of {unpriced} runs is unknown: a price was missing.")
    without = sum(known["without_risk"] for known in figures["risk"].values())
    if without:
        notes.append(
            f"{without} answers have no calibrated risk; once runs are labelled: "
            f"{calibrate_command(origin, '--max-error', '0.1')}"
        )
    notes.extend(_on_labels(runs))
    notes.extend(_on_changed_questions(figures))
    return notes


def _on_labels(runs: Sequence[LabelledRun]) -> list[str]:
    chosen = selection(runs)
    stood, sent_on = chosen["fast_labelled_where_it_stood"], chosen["fast_labelled_where_thought_through"]
    if not stood["events"] or not sent_on["trials"] or sent_on["high"] >= stood["low"]:
        return []
    said = (
        f"{stood['events']} of {stood['trials']} fast answers that stood are labelled, of those thought through "
        f"{sent_on['events']} of {sent_on['trials']}: the error of mode fast is that of the easier ones."
    )
    return [said]


def _on_changed_questions(figures: Figures) -> list[str]:
    """What rose although no risk is contradicted is no fault of the gate."""
    if figures["risk"]["fast"]["status"] != "not contradicted":
        return []
    return [
        f"The rate of {name} drifted from {watch['expected']:.1%} to {watch['observed']:.1%}, and the risks said so: "
        "the questions changed."
        for name, watch in figures["drift"].items()
        if watch and watch["is_drift"]
    ]
