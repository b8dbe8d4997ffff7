"""The options that `calibrate` and `replay` share: which recorded answers to take."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adaptive_reasoner.errors import ConfigurationError

if TYPE_CHECKING:
    from adaptive_reasoner.traces.recordings import RecordedPair

File = Annotated[
    str | None,
    typer.Argument(
        help="Recorded answers of both modes, as JSON Lines (.gz too): question, correct; and id, choices, "
        "model, mode (fast or deep), answer, answer_token_top, response where known. `calibrate` also takes "
        "recorded runs with their labels, and a trace store's URL."
    ),
]
FastFile = Annotated[
    Path | None, typer.Option("--fast", help="Take the answers of mode fast from this file.", metavar="FILE")
]
DeepFile = Annotated[
    Path | None, typer.Option("--deep", help="Take the answers of mode deep from this file.", metavar="FILE")
]
Where = Annotated[
    list[str] | None,
    typer.Option(help="Only records whose field has one of these values; repeat it.", metavar="FIELD=A,B"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def read_pairs(
    file: str | None, fast: Path | None, deep: Path | None, where: list[str] | None, *, needs_deep: bool
) -> "list[RecordedPair]":
    """The recorded questions with their answers.

    Raises:
        ConfigurationError: no file was named, or one too many.
        InvalidInputError: a file cannot be used.
    """
    from adaptive_reasoner.traces.recordings import keep_where, load_records, pair_records

    if (file is None) == (fast is None):
        raise ConfigurationError(
            "Name the recorded answers: FILE with both modes, or --fast FILE --deep FILE."
        )
    first = file or fast
    second = deep or file
    if needs_deep and second is None:
        raise ConfigurationError("--deep FILE is missing: whose answers does thinking give?")
    if first is None:
        return []
    asked = load_records(first)
    answered = asked if second == first else load_records(second) if second else None
    if answered is asked and not needs_deep and not any(record.get("mode") == "deep" for record in asked):
        answered = None
    return pair_records(keep_where(asked, where or []), answered)
