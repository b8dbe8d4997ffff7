"""`adaptive-reasoner train dataset`: worked answers out of recorded runs or from a teacher, as a dataset."""

import json
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adaptive_reasoner.errors import ConfigurationError

if TYPE_CHECKING:
    from adaptive_reasoner.training.distill.dataset import Candidate


class ExportFormat(StrEnum):
    """Further formats of a dataset."""

    OPENAI = "openai"
    HUGGING_FACE = "hugging_face"
    PARQUET = "parquet"


class Grouping(StrEnum):
    """What questions share where they must not be split."""

    TEXT = "text"
    TEMPLATE = "template"


def dataset(  # noqa: PLR0913, PLR0917 - a command's options are its parameters
    out: Annotated[Path, typer.Argument(help="Folder that receives the splits and the data card.")],
    runs: Annotated[
        list[str] | None,
        typer.Option(
            help="Recorded runs and labels, as JSON Lines (.gz too), or a trace store's URL; repeat it.",
            metavar="RUNS",
        ),
    ] = None,
    tasks: Annotated[
        Path | None, typer.Option(help='JSONL with "question" and "answer", which the teacher works out.')
    ] = None,
    teacher: Annotated[
        str, typer.Option(help='Model of --tasks: "embedded", "local:FOLDER" or "provider:name".')
    ] = "embedded",
    problems: Annotated[
        int, typer.Option(min=0, help="Instead: so many problems of the embedded model's, worked out by it.")
    ] = 0,
    formats: Annotated[
        list[ExportFormat] | None,
        typer.Option("--format", help="Another format to write, in all three orders; repeat it."),
    ] = None,
    calibration: Annotated[
        float, typer.Option(min=0, max=90, help="Percentage for perception and thresholds.")
    ] = 10.0,
    test: Annotated[float, typer.Option(min=0, max=90, help="Percentage never learned from.")] = 10.0,
    grouping: Annotated[
        Grouping, typer.Option(help="What shares a split: equal text, or equal but for its numbers.")
    ] = Grouping.TEXT,
    verified_only: Annotated[
        bool, typer.Option("--verified-only", help="Drop what nothing could verify.")
    ] = False,
    licence: Annotated[str | None, typer.Option(help="Licence of the data, for the card.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of --problems.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the data card as JSON.")] = False,
) -> None:
    """Build a dataset of worked answers: verified, deduplicated, weighted, split without leakage."""
    from adaptive_reasoner.training.distill.card import UNKNOWN_LICENCE, card_text, write_dataset
    from adaptive_reasoner.training.distill.dataset import DatasetConfig, build_dataset
    from adaptive_reasoner.training.distill.exports import FORMATS, Format

    if sum(map(bool, (runs, tasks, problems))) != 1:
        raise ConfigurationError("Give one source of worked answers: --runs, --tasks or --problems.")
    config = DatasetConfig(
        calibration=calibration, test=test, needs_verifier=verified_only, grouping=grouping.value
    )
    given = _from_runs(runs) if runs else _from_tasks(tasks, teacher) if tasks else _problems(problems, seed)
    made = build_dataset(given, config)
    asked = {one.value for one in formats or ()}
    wanted: list[Format] = [kind for kind in FORMATS if kind in asked]
    card: dict[str, Any] = write_dataset(out, made, formats=wanted, licence=licence or UNKNOWN_LICENCE)
    typer.echo(json.dumps({"dataset": str(out), **card}) if as_json else card_text(card))


def _from_runs(sources: list[str]) -> "Iterator[Candidate]":
    from adaptive_reasoner.traces.runs import load_runs
    from adaptive_reasoner.traces.store import is_store_url, open_database
    from adaptive_reasoner.traces.store.reading import read_runs
    from adaptive_reasoner.training.distill.from_runs import candidates_from_runs

    files = [source for source in sources if not is_store_url(source)]
    if files:
        yield from candidates_from_runs(load_runs(*files).runs)
    for url in sources:
        if is_store_url(url):
            yield from candidates_from_runs(read_runs(open_database(url, must_exist=True)))


def _from_tasks(path: Path, teacher: str) -> "Iterator[Candidate]":
    from adaptive_reasoner.models import resolve_model
    from adaptive_reasoner.training.distill.teacher import ask_teacher
    from adaptive_reasoner.training.ibpo.task import read_tasks

    return ask_teacher(resolve_model(teacher), read_tasks(path), _progress)


def _problems(count: int, seed: int) -> "Iterator[Candidate]":
    from adaptive_reasoner.cli.needed import need
    from adaptive_reasoner.embedded.problems import generate

    need("torch")
    from adaptive_reasoner.training.distill.embedded_teacher import SHIPPED, ask_embedded

    return ask_embedded(list(generate("train", count, seed=seed)), SHIPPED, _progress)


def _progress(answered: int) -> None:
    typer.echo(f"{answered:,} worked out", err=True)
