"""`adaptive-reasoner train flywheel`: from recorded runs to a refitted gate, triage and student, or a refusal."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adaptive_reasoner.cli.flywheel_table import as_object, print_turn
from adaptive_reasoner.cli.needed import need
from adaptive_reasoner.cli.traces import Labels, Runs, read_runs

if TYPE_CHECKING:
    from adaptive_reasoner.gate.calibration import CalibrationTarget
    from adaptive_reasoner.traces.labels import LabelledRun
    from adaptive_reasoner.training.flywheel.asking import System
    from adaptive_reasoner.training.flywheel.student import StudentStep
    from adaptive_reasoner.training.flywheel.student_config import StudentTurn
    from adaptive_reasoner.training.flywheel.turn import Turn, TurnConfig

NOTHING_SHIPPED = 3
SURE = 0.5  # the answer is more probable than all others together, after the part of a thought that is kept


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
    student: Annotated[
        Path | None,
        typer.Option(
            help="Make a student, too; the folder keeps its dataset and training, and lets it resume."
        ),
    ] = None,
    student_weights: Annotated[
        Path | None,
        typer.Option(
            help="Embedded weights that the student begins from; else those in use, or the shipped ones."
        ),
    ] = None,
    student_steps: Annotated[int, typer.Option(min=1, help="Of the student's training.")] = 400,
    student_tries: Annotated[
        int, typer.Option(min=0, help="Thoughts drawn for a labelled question until one leads to its answer.")
    ] = 4,
    shorten: Annotated[
        bool,
        typer.Option(
            "--shorten/--whole-thoughts", help="Let the student stop where its result stands in the thought."
        ),
    ] = True,
    fast: Annotated[
        str, typer.Option(help="Model in use, which the student is held against, as `ask` takes it.")
    ] = "embedded",
    deep: Annotated[str | None, typer.Option(help="Model in use that thinks; else the fast one.")] = None,
    most_judged: Annotated[
        int, typer.Option(min=1, help="Held-out questions that both are asked, at most.")
    ] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap and of the student.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Fit and judge, but write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Refit gate, triage and, where asked to, a student to labelled runs, and ship only what is not worse.

    All are judged on runs held out. Ends with 3, and leaves the files as they are, where nothing may be shipped.
    """
    from adaptive_reasoner.training.flywheel.shipping import in_use
    from adaptive_reasoner.training.flywheel.turn import TurnConfig, current_policy, own_runs, turn

    if student is not None:
        need("torch", "matplotlib")
    recorded = read_runs(file, labels, newest=last)
    runs = recorded.runs if last is None else recorded.runs[-last:]
    config = TurnConfig(
        target=_target(max_escalation, max_error),
        tolerated_error=tolerated_error,
        held_out=held_out,
        think_at_once=think_at_once,
        seed=seed,
    )
    used = in_use(folder)
    own = own_runs(runs, used.model)
    found = turn(own, current_policy(own, used.gate, used.triage), config)
    judged: StudentStep | None = None
    if student is not None:
        from adaptive_reasoner.training.flywheel.student_config import StudentTurn

        settings = StudentTurn(
            directory=student,
            weights=student_weights or used.student,
            steps=student_steps,
            tries=student_tries,
            sure=SURE if shorten else None,
            most_judged=most_judged,
        )
        judged = _student(runs, (config, settings), _present(used.model, (fast, deep), found))
    written = [] if dry_run else _ship(found, judged, folder)
    steps = [*found.steps, *([judged.step] if judged else [])]
    if as_json:
        typer.echo(json.dumps(as_object(found, judged, written)))
    else:
        print_turn(found, judged, written, dry_run=dry_run)
    if all(step.refused for step in steps):
        raise typer.Exit(NOTHING_SHIPPED)


def _target(max_escalation: float | None, max_error: float | None) -> "CalibrationTarget | None":
    from adaptive_reasoner.gate.calibration import CalibrationTarget

    return (
        None if max_escalation is None and max_error is None else CalibrationTarget(max_escalation, max_error)
    )


def _present(student: str | None, models: tuple[str, str | None], found: "Turn") -> "System":
    """What the student is held against: the models in use, with the gate and the triage that stand."""
    from adaptive_reasoner.models import resolve_model
    from adaptive_reasoner.training.flywheel.asking import System

    fast, deep = (student, None) if student else models
    return System(
        resolve_model(fast), resolve_model(deep) if deep else None, found.policy.gate, found.policy.triage
    )


def _student(
    runs: "Sequence[LabelledRun]", settings: "tuple[TurnConfig, StudentTurn]", present: "System"
) -> "StudentStep":
    from adaptive_reasoner.training.flywheel.student import turn_student

    return turn_student(runs, present, *settings, told=lambda line: typer.echo(line, err=True))


def _ship(found: "Turn", judged: "StudentStep | None", folder: Path) -> list[str]:
    from adaptive_reasoner.training.flywheel.shipping import in_use, ship, ship_student

    written = ship(found, in_use(folder).profiles) if found.shipped else ()
    if judged and judged.policy and judged.step.refused is None:
        written += ship_student(judged.folder, judged.policy, folder)
    return [str(path) for path in written]
