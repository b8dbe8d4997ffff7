"""`adaptive-reasoner traces report|label|export`: what recorded runs come to, their labels, and their export."""

import json
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adaptive_reasoner.cli.options import NoColor
from adaptive_reasoner.cli.trace_store import import_file, prune_store, sum_up
from adaptive_reasoner.errors import ConfigurationError, InvalidInputError

if TYPE_CHECKING:
    from adaptive_reasoner.gate.profile import GateProfile
    from adaptive_reasoner.traces.runs import RecordedRuns

SHIPPED = "shipped"

NEWEST = 5000  # of a store's runs are looked at one by one, unless --last says otherwise

Runs = Annotated[
    str,
    typer.Argument(
        help="Recorded runs: JSON Lines (.gz too), or a trace store's URL, sqlite:///FILE or postgresql://…",
        metavar="RUNS",
    ),
]
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
    RUNS = "runs"


traces_app = typer.Typer(
    help="Recorded runs: report on them, label them, export them.",
    epilog="Example: adaptive-reasoner traces report runs.jsonl --labels labels.jsonl",
    no_args_is_help=True,
)
traces_app.command(
    "import", epilog="Example: adaptive-reasoner traces import runs.jsonl sqlite:///runs.sqlite"
)(import_file)
traces_app.command(
    "prune", epilog="Example: adaptive-reasoner traces prune sqlite:///runs.sqlite --older-than-days 90"
)(prune_store)


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
    last: Annotated[
        int | None,
        typer.Option(min=1, help=f"Only so many of the newest runs; of a store, {NEWEST} unless it says so."),
    ] = None,
    by: Annotated[Window, typer.Option(help="Compare the halves of the file, or its days.")] = Window.HALF,
    html: Annotated[
        Path | None,
        typer.Option(help="Write a page with plots here, which needs no network.", metavar="FILE"),
    ] = None,
    as_json: AsJson = False,
    no_color: NoColor = False,
) -> None:
    """Thinking, errors, promises, spend and drift of recorded runs, and what to fit anew."""
    from adaptive_reasoner.traces.advice import Origin
    from adaptive_reasoner.traces.monitoring_report import report as make_report
    from adaptive_reasoner.traces.store import is_store_url, shown_source

    summed = None if html is None and not is_store_url(file) else sum_up(file, labels)
    recorded = read_runs(file, labels, newest=last or NEWEST)
    if last is not None:
        recorded = replace(recorded, runs=recorded.runs[-last:])
    gate = load_profile(profile, recorded)
    origin = Origin(shown_source(file), tuple(map(str, labels or ())), profile if gate else None)
    figures = make_report(
        recorded, gate, origin, window=by.value, least_share=least_thinking, most_share=most_thinking
    )
    if summed is not None:
        figures["overview"] = summed
    if html is not None:
        from adaptive_reasoner.traces.page import write_page

        write_page(figures, html)
    if as_json:
        typer.echo(json.dumps(figures, ensure_ascii=False))
        return
    from adaptive_reasoner.cli.monitoring_table import show_report
    from adaptive_reasoner.cli.overview_table import show_overview
    from adaptive_reasoner.cli.render import make_console

    console = make_console(no_color=no_color)
    if summed is not None:
        show_overview(summed, console)
    show_report(figures, console)
    if html is not None:
        typer.echo(f"{html}: the same with plots")


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
    from adaptive_reasoner.traces.recorders import open_recorder, run_ids
    from adaptive_reasoner.traces.store import shown_source

    if (correct is None) == (answer is None or not answer.strip()):
        raise ConfigurationError("Say --correct or --wrong, or give the right one with --answer.")
    matching = run_ids(file, run_id)
    if len(matching) != 1:
        problem = f"{len(matching)} runs of {shown_source(file)} have ids that begin with {run_id!r}"
        raise InvalidInputError(f"{problem}; give one run's id, as `traces export` shows it.")
    said: dict[str, Any] = {"correct": correct} if answer is None else {"answer": answer}
    with open_recorder(file) as recorder:
        recorder.record({"run_id": matching[0], **said})
    typer.echo(json.dumps({"run_id": matching[0], **said}) if as_json else f"Labelled {matching[0]}.")


@traces_app.command(
    epilog="Example: adaptive-reasoner traces export sqlite:///runs.sqlite --for runs --out runs.parquet"
)
def export(
    file: Runs,
    purpose: Annotated[
        Purpose,
        typer.Option(
            "--for",
            help="answers: a row for each answer; labels: unlabelled runs to fill in; triage: for `train triage`; "
            "runs: all of a store's runs and labels, to be imported elsewhere.",
        ),
    ] = Purpose.ANSWERS,
    labels: Labels = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write here instead of to standard output; a file .parquet gets that format."),
    ] = None,
) -> None:
    """Write recorded runs as JSON Lines, or as Parquet."""
    if purpose is Purpose.RUNS:
        from adaptive_reasoner.cli.trace_store import export_store

        export_store(file, out)
        return
    from adaptive_reasoner.cli.trace_store import write_rows
    from adaptive_reasoner.traces.exporting import export_rows

    write_rows(export_rows(read_runs(file, labels).runs, purpose.value), out)


def read_runs(file: str, labels: list[Path] | None, newest: int | None = None) -> "RecordedRuns":
    """The runs with their labels; of a store at most so many of the newest.

    Raises:
        InvalidInputError: a file cannot be used; the message names the line.
        TraceStoreError: a store cannot be read.
    """
    from adaptive_reasoner.traces.runs import load_runs

    return load_runs(file, *(labels or ()), newest=newest)


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
