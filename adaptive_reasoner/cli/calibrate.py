"""`adaptive-reasoner calibrate`: a gate profile from recorded, labelled answers."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adaptive_reasoner.cli import recording_options as options

if TYPE_CHECKING:
    from adaptive_reasoner.gate.profile import GateProfile


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
    out: Annotated[Path, typer.Option(help="Write the profile here.")] = Path("gate-profile.json"),
    as_json: options.AsJson = False,
) -> None:
    """Fit a gate to recorded answers, for exactly one target; it says so where the target cannot be met."""
    from adaptive_reasoner.gate.calibration import calibrate as fit
    from adaptive_reasoner.traces.recordings import as_examples

    pairs = options.read_pairs(file, fast, deep, where, needs_deep=False)
    profile = fit(
        as_examples(pairs), max_escalation=max_escalation, max_error=max_error, confidence=confidence
    )
    profile.save(out)
    if as_json:
        typer.echo(json.dumps({"profile": str(out), "provenance": dict(profile.provenance)}))
    else:
        _print(profile, out)


def _print(profile: "GateProfile", out: Path) -> None:
    figures: dict[str, Any] = dict(profile.provenance)
    modes = ", ".join(profile.modes)
    print(f"{out}: {profile.model or 'any model'}, {modes}, from {figures['examples']} questions")
    if "max_error" in figures:
        for mode in ("fast", "deep"):
            if mode in figures:
                print(f"  {mode}: {_promised(figures[mode], figures)}")
        return
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


def _promised(promise: dict[str, Any] | None, figures: dict[str, Any]) -> str:
    if promise is None:
        return f"nothing can be promised at {figures['max_error']}; its answers are never accepted as sure"
    kept = f"{promise['wrong']} of {promise['accepted']} accepted test answers are wrong"
    return f"at most {figures['max_error']:.1%} wrong with confidence {figures['confidence']}: {kept}"
