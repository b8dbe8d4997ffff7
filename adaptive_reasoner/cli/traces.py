"""`adaptive-reasoner traces …`: what recorded runs come to, their labels, and their export."""

import json
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adaptive_reasoner.cli.options import NoColor
from adaptive_reasoner.errors import ConfigurationError, InvalidInputError

if TYPE_CHECKING:
    from adaptive_reasoner.gate.profile import GateProfile
    from adaptive_reasoner.traces.runs import RecordedRuns

SHIPPED = "shipped"

Runs = Annotated[Path, typer.Argument(help="Recorded runs, as JSON Lines (.gz too), from JsonlRecorder.")]
Labels = Annotated[
    list[Path] | None,
    typer.Option(help="Labels that stand in another file; repeat it.", metavar="FILE"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


class Window(StrEnum):
    """What is compared over time."""

    HALF = "half"
    DAY = "day"


class Purpose(StrEnum):
    """What an export is for."""

    ANSWERS = "answers"
    LABELS = "labels"
    TRIAGE = "triage"


traces_app = typer.Typer(
    help="Recorded runs: report on them, label them, export them.",
    epilog="Example: adaptive-reasoner traces report runs.jsonl --labels labels.jsonl",
    no_args_is_help=True,
)


@traces_app.command(epilog="Example: adaptive-reasoner traces report runs.jsonl --most-thinking 0.3 --by day")
def report(
    file: Runs,
    labels: Labels = None,
    profile: Annotated[
        str, typer.Option(help='The gate\'s profile: a file, or "shipped", the one of the recorded model.')
    ] = SHIPPED,
    least_thinking: Annotated[
        float | None, typer.Option(min=0, max=1, help="At least this share of the runs should think.")
    ] = None,
    most_thinking: Annotated[
        float | None, typer.Option(min=0, max=1, help="At most this share of the runs may think.")
    ] = None,
    last: Annotated[int | None, typer.Option(min=1, help="Only so many of the newest runs.")] = None,
    by: Annotated[Window, typer.Option(help="Compare the halves of the file, or its days.")] = Window.HALF,
    as_json: AsJson = False,
    no_color: NoColor = False,
) -> None:
    """Thinking, errors, promises, spend and drift of recorded runs, and what to fit anew."""
    from adaptive_reasoner.traces.advice import Origin
    from adaptive_reasoner.traces.monitoring_report import report as make_report

    recorded = read_runs(file, labels)
    if last is not None:
        recorded = replace(recorded, runs=recorded.runs[-last:])
    gate = load_profile(profile, recorded)
    origin = Origin(str(file), tuple(map(str, labels or ())), profile if gate else None)
    figures = make_report(
        recorded, gate, origin, window=by.value, least_share=least_thinking, most_share=most_thinking
    )
    if as_json:
        typer.echo(json.dumps(figures, ensure_ascii=False))
        return
    from adaptive_reasoner.cli.monitoring_table import show_report
    from adaptive_reasoner.cli.render import make_console

    show_report(figures, make_console(no_color=no_color))


@traces_app.command(epilog="Example: adaptive-reasoner traces label runs.jsonl 3f2a9c --answer 42")
def label(
    file: Runs,
    run_id: Annotated[str, typer.Argument(help="The run's id, or the beginning of it.")],
    correct: Annotated[
        bool | None, typer.Option("--correct/--wrong", help="Whether the answer handed on was right.")
    ] = None,
    answer: Annotated[
        str | None, typer.Option(help="The right answer: tells of every round's answer.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say of one run whether it was right: a line of its own at the end of the file."""
    from adaptive_reasoner.traces.jsonl_recorder import JsonlRecorder

    if (correct is None) == (answer is None or not answer.strip()):
        raise ConfigurationError("Say --correct or --wrong, or give the right one with --answer.")
    found = [one.record["run_id"] for one in read_runs(file, None).runs]
    matching = [one for one in found if run_id and one.startswith(run_id)]
    if len(matching) != 1:
        problem = f"{len(matching)} runs of {file} have ids that begin with {run_id!r}"
        raise InvalidInputError(f"{problem}; give one run's id, as `traces export` shows it.")
    said: dict[str, Any] = {"correct": correct} if answer is None else {"answer": answer}
    JsonlRecorder(file).record({"run_id": matching[0], **said})
    typer.echo(json.dumps({"run_id": matching[0], **said}) if as_json else f"Labelled {matching[0]}.")


@traces_app.command(
    epilog="Example: adaptive-reasoner traces export runs.jsonl --for triage --out triage.jsonl"
)
def export(
    file: Runs,
    purpose: Annotated[
        Purpose,
        typer.Option(
            "--for",
            help="answers: a row for each answer; labels: unlabelled runs to fill in; triage: for `train triage`.",
        ),
    ] = Purpose.ANSWERS,
    labels: Labels = None,
    out: Annotated[Path | None, typer.Option(help="Write here instead of to standard output.")] = None,
) -> None:
    """Write recorded runs as JSON Lines of another shape."""
    from adaptive_reasoner.traces.exporting import export_rows

    rows = export_rows(read_runs(file, labels).runs, purpose.value)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ConfigurationError(f"Cannot write {out}: {error.strerror}.") from error
    typer.echo(f"{out}: {len(rows)} rows")


def read_runs(file: Path, labels: list[Path] | None) -> "RecordedRuns":
    """The runs with their labels.

    Raises:
        InvalidInputError: a file cannot be used; the message names the line.
    """
    from adaptive_reasoner.traces.runs import load_runs

    return load_runs(file, *(labels or ()))


def load_profile(name: str, recorded: "RecordedRuns") -> "GateProfile | None":
    """The profile by its file, or the one that ships for the recorded model; None where none does.

    Raises:
        ProfileError: the file is no profile.
    """
    from adaptive_reasoner.gate.profile import GateProfile
    from adaptive_reasoner.gate.shipped import profile_for
    from adaptive_reasoner.traces.expectations import model_of

    if name != SHIPPED:
        return GateProfile.load(name)
    shipped = profile_for(model_of(recorded.runs))
    return None if shipped.kind == "default" else shipped
