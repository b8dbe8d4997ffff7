"""`adaptive-reasoner calibrate`: a gate profile from recorded answers, or from recorded runs, with their labels."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adaptive_reasoner.cli import recording_options as options
from adaptive_reasoner.cli.traces import Labels, load_profile, read_runs
from adaptive_reasoner.errors import ConfigurationError

if TYPE_CHECKING:
    from adaptive_reasoner.gate.calibration import CalibrationTarget
    from adaptive_reasoner.gate.profile import GateProfile
    from adaptive_reasoner.traces.recordings import RecordedPair
    from adaptive_reasoner.traces.runs import RecordedRuns


def calibrate(
    file: options.File = None,
    fast: options.FastFile = None,
    deep: options.DeepFile = None,
    where: options.Where = None,
    max_escalation: Annotated[
        float | None, typer.Option(min=0, max=1, help="Target: think about at most this share.")
    ] = None,
    max_error: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Target: at most this share of accepted answers is wrong."),
    ] = None,
    confidence: Annotated[
        float, typer.Option(min=0.5, max=0.999, help="With which the promise of --max-error holds.")
    ] = 0.9,
    max_wrongly_cut: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="At most this share of early cut answers would have stood; 0: cut none."
        ),
    ] = 0.05,
    labels: Labels = None,
    update: Annotated[
        str | None,
        typer.Option(
            help='Of recorded runs: keep what they cannot teach from this profile, a file or "shipped". Without a '
            "target only the risks that the labels contradict are fitted anew.",
            metavar="FILE",
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Write the profile here.")] = Path("gate-profile.json"),
    as_json: options.AsJson = False,
) -> None:
    """Fit a gate to recorded answers or runs, for exactly one target; it says so where the target cannot be met."""
    from adaptive_reasoner.traces.refit import calibrate_runs, update_risks, with_other_modes
    from adaptive_reasoner.traces.runs import holds_runs

    if file is not None and holds_runs(file):
        recorded = read_runs(file, labels)
        current = _current(update, recorded)
        if current and max_escalation is None and max_error is None:
            profile = update_risks(recorded.runs, current)
        else:
            target = _target(max_escalation, max_error, confidence)
            profile = calibrate_runs(recorded.runs, target)
            profile = with_other_modes(profile, current) if current else profile
    elif labels or update:
        raise ConfigurationError("--labels and --update go with recorded runs (see JsonlRecorder).")
    else:
        target = _target(max_escalation, max_error, confidence)
        pairs = options.read_pairs(file, fast, deep, where, needs_deep=False)
        profile = _from_answers(pairs, target, max_wrongly_cut or None)
    profile.save(out)
    if as_json:
        typer.echo(json.dumps({"profile": str(out), "provenance": dict(profile.provenance)}))
    else:
        _print(profile, out)


def _target(max_escalation: float | None, max_error: float | None, confidence: float) -> "CalibrationTarget":
    from adaptive_reasoner.gate.calibration import CalibrationTarget

    if (max_escalation is None) == (max_error is None):
        raise ConfigurationError(
            "calibrate takes exactly one target: --max-error 0.1 (at most a tenth of the accepted answers is wrong) or "
            "--max-escalation 0.3 (at most three tenths of the questions think)."
        )
    return CalibrationTarget(max_escalation, max_error, confidence)


def _from_answers(
    pairs: "list[RecordedPair]", target: "CalibrationTarget", max_wrongly_cut: float | None
) -> "GateProfile":
    from adaptive_reasoner.gate.calibration import calibrate as fit
    from adaptive_reasoner.traces.recordings import as_examples

    return fit(
        as_examples(pairs),
        max_escalation=target.max_escalation,
        max_error=target.max_error,
        confidence=target.confidence,
        max_wrongly_cut=max_wrongly_cut,
    )


def _current(update: str | None, recorded: "RecordedRuns") -> "GateProfile | None":
    """The profile that is kept where the runs teach nothing."""
    current = load_profile(update, recorded) if update else None
    if update and current is None:
        raise ConfigurationError(f"--update {update}: no profile ships for the recorded model; name a file.")
    return current


def _print(profile: "GateProfile", out: Path) -> None:
    figures: dict[str, Any] = dict(profile.provenance)
    name, modes = profile.model or "any model", ", ".join(profile.modes)
    if "risks_updated" in figures:
        print(f"{out}: {name}, {modes}")
        for mode, known in figures["risks_updated"].items():
            labelled = f"{known['wrong']} of {known['labelled']} labelled answers wrong"
            done = "fitted anew" if known["fitted"] else "too few labels to fit them anew"
            print(f"  {mode}: risks were {known['was']}, {done} ({labelled})")
    else:
        print(f"{out}: {name}, {modes}, from {figures['examples']} questions")
    if "max_error" in figures:
        for mode in ("fast", "deep"):
            if mode in figures:
                print(f"  {mode}: {_promised(figures[mode], figures)}")
    elif "max_escalation" in figures:
        _print_escalation(figures)
    if (rule := profile.early_cut) is not None:
        stood = f"{rule.accepted} of {rule.cut} that it cut in the test would have stood"
        print(f"  cuts the stream of fast answers that are bound to be escalated: {stood}")
    if "recorded_runs" in figures:
        _print_selection(figures)


def _print_escalation(figures: dict[str, Any]) -> None:
    share, most = figures["escalated"], figures["max_escalation"]
    print(f"  escalates {share:.1%} (at most {most:.1%}), AUROC {figures['auroc']:.3f}")
    compared = figures["comparison"]
    if compared["pairs"]:
        used = (
            "is kept where that gains"
            if compared["used"]
            else "is not kept after thinking: no gain could be shown"
        )
        print(f"  the fast answer {used} ({compared['pairs']} questions with both answers)")


def _print_selection(figures: dict[str, Any]) -> None:
    from adaptive_reasoner.traces.refit import warnings_of

    if kept := figures.get("kept_modes"):
        print(f"  kept as they were: {', '.join(kept)}")
    for line in warnings_of(figures["recorded_runs"]):
        print(f"  {line}")


def _promised(promise: dict[str, Any] | None, figures: dict[str, Any]) -> str:
    if promise is None:
        return f"nothing can be promised at {figures['max_error']}; its answers are never accepted as sure"
    kept = f"{promise['wrong']} of {promise['accepted']} accepted test answers are wrong"
    return f"at most {figures['max_error']:.1%} wrong with confidence {figures['confidence']}: {kept}"
