"""Which rule, estimator or profile to fit anew, why, and the command that does it."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.traces.expectations import escalation_target, promised_error
from adaptive_reasoner.traces.labels import LabelledRun
from adaptive_reasoner.traces.monitoring import Figures, error_of, grouped, starts_fast
from adaptive_reasoner.traces.rates import check_risks, rate
from adaptive_reasoner.traces.triage_examples import RULES, first_correct

PROGRAM = "adaptive-reasoner"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a report's runs and profile come from, as the command line names them.

    Attributes:
        runs: the file of runs.
        labels: files of labels beside it.
        profile: "shipped", or the profile's file, or a word in its place; None: the gate has none.
    """

    runs: str
    labels: tuple[str, ...] = ()
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """What to fit anew or to change.

    Attributes:
        part: what: a mode of the gate's profile, an estimator, a rule.
        kind: "refit" where a command does it, "change" where a setting must be changed, "label" where only labels
            can tell.
        why: the figures.
        how: the command, or the setting.
    """

    part: str
    kind: Literal["refit", "change", "label"]
    why: str
    how: str

    def to_json(self) -> dict[str, str]:
        """Plain JSON."""
        return {"part": self.part, "kind": self.kind, "why": self.why, "how": self.how}


def advise(
    runs: Sequence[LabelledRun], profile: GateProfile | None, figures: Figures, origin: Origin
) -> list[Advice]:
    """Everything that the figures of `report` and the labels speak against, the gate first.

    Args:
        runs: in the order of their time.
        profile: the gate's.
        figures: of the same runs, with `risk`, `accepted`, `drift` and `thinking`.
        origin: for the commands.
    """
    return [
        *_on_risks(figures["risk"], profile, origin),
        *_on_promise(figures["accepted"], figures["drift"], profile, origin),
        *_on_thinking(figures, profile, origin),
        *_on_estimators(runs, origin),
        *_on_rules(runs),
        *_on_share(figures["thinking"]),
    ]


def estimators(runs: Sequence[LabelledRun]) -> list[Figures]:
    """For each estimator of triage: P(fast wrong) as it predicted, beside the fast answers that were wrong."""
    rows: list[Figures] = []
    for source, group in grouped(runs, lambda run: run.record["report"]["triage"]["source"]):
        if source not in RULES:
            known = [(run, correct) for run in group if (correct := _fast_correct(run)) is not None]
            predicted = [_difficulty(run) for run, _ in known]
            wrong = [not correct for _, correct in known]
            mean = sum(predicted) / len(predicted) if predicted else None
            status = check_risks(predicted, wrong)
            rows.append(
                {"source": source, "predicted": mean, "wrong": rate(wrong).to_json(), "status": status}
            )
    return rows


def calibrate_command(origin: Origin, *target: str) -> str:
    """The command that fits a profile to the runs; one that exists keeps what the runs cannot teach."""
    kept = ["--update", origin.profile] if origin.profile else []
    return _command("calibrate", origin, *target, *kept, "--out", "gate-profile.json")


def label_command(origin: Origin) -> str:
    """The command that labels one run."""
    return shlex.join([PROGRAM, "traces", "label", origin.runs, "RUN_ID", "--answer", "RIGHT_ANSWER"])


def _target(profile: GateProfile | None) -> list[str]:
    """The target that the profile was set to, as options."""
    error, share = promised_error(profile), escalation_target(profile)
    if error is not None:
        return ["--max-error", f"{error:g}"]
    return [] if share is None else ["--max-escalation", f"{share:g}"]


def _command(name: str, origin: Origin, *options: str) -> str:
    labels = [part for file in origin.labels for part in ("--labels", file)]
    return shlex.join([PROGRAM, *name.split(), origin.runs, *labels, *options])


def _train_command(origin: Origin) -> str:
    """`train triage` reads labels in the runs' own file; from another they are brought together first."""
    if not origin.labels:
        return _command("train triage", origin, "--out", "triage.json")
    joined = _command("traces export", origin, "--for", "triage", "--out", "triage.jsonl")
    return f"{joined} && {shlex.join([PROGRAM, 'train', 'triage', 'triage.jsonl', '--out', 'triage.json'])}"


def _on_risks(risk: dict[str, Figures], profile: GateProfile | None, origin: Origin) -> list[Advice]:
    advice: list[Advice] = []
    for mode, known in risk.items():
        if known["status"] in ("too low", "too high"):
            why = (
                f"its risks are {known['status']}: {known['predicted']:.1%} of {known['labelled']} labelled answers "
                f"were predicted to be wrong, {_shown(known['wrong'])} were"
            )
            how = calibrate_command(origin, *_target(profile))
            advice.append(Advice(f"gate profile, risks of mode {mode}", "refit", why, how))
    return advice


def _on_promise(
    accepted: Figures, drift: dict[str, Any], profile: GateProfile | None, origin: Origin
) -> list[Advice]:
    most, watch = promised_error(profile), drift["errors"]
    has_risen = watch and watch["is_drift"] and watch["observed"] > watch["expected"]
    if most is None or not (accepted["status"] == "broken" or has_risen):
        return []
    if accepted["status"] == "broken" or not watch:
        wrong = _shown(accepted["error"])
        why = (
            f"its promise does not hold: {wrong} of the accepted answers were wrong, promised were {most:.1%}"
        )
    else:
        why = (
            f"accepted fast answers are wrong more often than when the promise was tested: {watch['observed']:.1%} of "
            f"{watch['trials']}, not {watch['expected']:.1%}"
        )
    how = calibrate_command(origin, *_target(profile))
    return [Advice("gate profile, promise on accepted answers", "refit", why, how)]


def _on_thinking(figures: Figures, profile: GateProfile | None, origin: Origin) -> list[Advice]:
    watch = figures["drift"]["thinking"]
    if not watch or not watch["is_drift"]:
        return []
    since = "in calibration" if watch["expected_from"] == "calibration" else "in the first half"
    why = (
        f"the gate's trigger rate drifted: {watch['observed']:.1%} of {watch['trials']} runs that began fast were "
        f"thought through, {watch['expected']:.1%} {since}"
    )
    part = "gate profile, share of escalations"
    if escalation_target(profile) is not None:
        return [Advice(part, "refit", why, calibrate_command(origin, *_target(profile)))]
    if figures["risk"]["fast"]["status"] == "unknown":
        return [
            Advice(part, "label", f"{why}; whether its risks still hold is unknown", label_command(origin))
        ]
    return []  # where risks are wrong that was said already, and where they hold the questions changed


def _on_estimators(runs: Sequence[LabelledRun], origin: Origin) -> list[Advice]:
    advice: list[Advice] = []
    for row in estimators(runs):
        if row["status"] in ("too low", "too high"):
            why = (
                f"it predicted that {row['predicted']:.1%} of {row['wrong']['trials']} fast answers would be wrong, "
                f"{_shown(row['wrong'])} were"
            )
            how = _train_command(origin)
            advice.append(Advice(f"triage estimator {row['source']}", "refit", why, how))
    return advice


def _on_rules(runs: Sequence[LabelledRun]) -> list[Advice]:
    """Patterns that keep questions from thinking which then are wrong more often than the others."""
    by_rule = [run for run in runs if _is_kept_fast(run)]
    others = error_of([run for run in runs if not _is_kept_fast(run)])
    advice: list[Advice] = []
    for reason, group in grouped(by_rule, lambda run: run.record["report"]["triage"]["reason"]):
        error = error_of(group)
        if error.trials and others.trials and error.low > others.high:
            why = f"{_shown(error.to_json())} of its answers were wrong, {_shown(others.to_json())} of the others"
            how = "ReasonerConfig.never_think: narrow this pattern, or leave it out"
            advice.append(Advice(f"triage rule: {reason}", "change", why, how))
    return advice


def _on_share(thinking: Figures) -> list[Advice]:
    share = _shown(thinking["share"])
    if thinking["status"] == "below the least share":
        why = f"{share} of the runs thought, at least {thinking['least_share']:.1%} should"
        how = "ReasonerConfig.least_thinking_share: raise it"
        return [Advice("triage rule: minimum thinking", "change", why, how)]
    if thinking["status"] == "above the most":
        why = f"{share} of the runs thought, at most {thinking['most_share']:.1%} should"
        return [Advice("share of thinking", "change", why, "ReasonerConfig.allocation: set or lower it")]
    return []


def _is_kept_fast(run: LabelledRun) -> bool:
    return run.record["report"]["triage"]["source"] == "rule" and starts_fast(run)


def _fast_correct(run: LabelledRun) -> bool | None:
    return first_correct(run, "fast_answer") if starts_fast(run) else None


def _difficulty(run: LabelledRun) -> float:
    return min(max(run.record["report"]["triage"]["difficulty"], 0.0), 1.0)


def _shown(known: Figures) -> str:
    return f"{known['mean']:.1%} [{known['low']:.1%}, {known['high']:.1%}]"
