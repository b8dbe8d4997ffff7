"""`adaptive-reasoner train flywheel`: from recorded runs to a refitted gate and triage, or a refusal."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adaptive_reasoner.cli.traces import Labels, Runs, read_runs

if TYPE_CHECKING:
    from adaptive_reasoner.gate.calibration import CalibrationTarget
    from adaptive_reasoner.training.flywheel.judging import Comparison, Figure
    from adaptive_reasoner.training.flywheel.turn import Step, Turn

NOTHING_SHIPPED = 3
_UNITS = {"error": "wrong", "thinking": "thinks", "tokens": "tokens"}


def flywheel(  # noqa: PLR0913, PLR0917 - a command's options
    file: Runs,
    folder: Annotated[
        Path, typer.Option(help="Holds gate.json and triage.json, the ones in use; receives the new ones.")
    ] = Path("profiles"),
    labels: Labels = None,
    last: Annotated[int | None, typer.Option(min=1, help="Only so many of the newest runs.")] = None,
    max_escalation: Annotated[
        float | None, typer.Option(min=0, max=1, help="Target of the gate: think about at most this share.")
    ] = None,
    max_error: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Target of the gate: at most this share of accepted answers is wrong."
        ),
    ] = None,
    tolerated_error: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="By so much the share of wrong answers may rise, with 97.5 % confidence."
        ),
    ] = 0.005,
    held_out: Annotated[
        float,
        typer.Option(
            min=0.1, max=0.9, help="Share of the questions that judge, and that nothing is fitted to."
        ),
    ] = 0.4,
    think_at_once: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the questions that a new triage lets think at once.")
    ] = 0.1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Fit and judge, but write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Refit gate and triage to labelled runs, judge both on runs held out, and ship only what is not worse.

    Ends with 3, and leaves the files as they are, where nothing may be shipped.
    """
    from adaptive_reasoner.training.flywheel.shipping import read_folder, ship
    from adaptive_reasoner.training.flywheel.turn import TurnConfig, current_policy, turn

    recorded = read_runs(file, labels, newest=last)
    runs = recorded.runs if last is None else recorded.runs[-last:]
    config = TurnConfig(
        target=_target(max_escalation, max_error),
        tolerated_error=tolerated_error,
        held_out=held_out,
        think_at_once=think_at_once,
        seed=seed,
    )
    found = turn(runs, current_policy(runs, *read_folder(folder)), config)
    written = () if dry_run else ship(found, folder) if found.shipped else ()
    if as_json:
        typer.echo(json.dumps(_as_json(found, [str(path) for path in written])))
    else:
        _print(found, [str(path) for path in written], dry_run=dry_run)
    if not found.shipped:
        raise typer.Exit(NOTHING_SHIPPED)


def _target(max_escalation: float | None, max_error: float | None) -> "CalibrationTarget | None":
    from adaptive_reasoner.gate.calibration import CalibrationTarget

    return (
        None if max_escalation is None and max_error is None else CalibrationTarget(max_escalation, max_error)
    )


def _as_json(found: "Turn", written: list[str]) -> dict[str, Any]:
    return {
        "fitted": found.fitted,
        "held_out": found.held_out,
        "written": written,
        "steps": [
            {
                "part": step.part,
                "refused": step.refused,
                "compared": step.compared and step.compared.to_json(),
            }
            for step in found.steps
        ],
    }


def _print(found: "Turn", written: list[str], *, dry_run: bool) -> None:
    print(f"fitted to {found.fitted} runs, judged on {found.held_out} others; 95 % intervals")
    for step in found.steps:
        print(_verdict(step, dry_run=dry_run))
        if step.compared:
            _print_table(step.compared)
    for path in written:
        print(f"written: {path}")


def _verdict(step: "Step", *, dry_run: bool) -> str:
    if step.refused is None:
        return f"{step.part}: {'would be shipped' if dry_run else 'shipped'}"
    return f"{step.part}: kept as it was, {step.refused}"


def _print_table(compared: "Comparison") -> None:
    print(f"  {'':8}{'before':>26}{'after':>26}{'change':>28}")
    for name, unit in _UNITS.items():
        cells = [_cell(name, one[name]) for one in (compared.before, compared.after)]
        print(f"  {unit:8}{cells[0]:>26}{cells[1]:>26}{_cell(name, compared.change[name], '+'):>28}")
    if compared.estimated:
        print(
            f"  estimated: what thinking does to {compared.estimated:.1%} of the runs, which did not think before"
        )


def _cell(name: str, figure: "Figure", sign: str = "") -> str:
    form = f"{sign}.1f" if name == "tokens" else f"{sign}.1%"
    return f"{figure.mean:{form}} [{figure.low:{form}}, {figure.high:{form}}]"
