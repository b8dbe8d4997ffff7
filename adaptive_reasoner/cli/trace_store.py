"""`adaptive-reasoner traces import|prune`, and what `report` and `export` ask of a trace store."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from adaptive_reasoner.errors import ConfigurationError

Store = Annotated[
    str, typer.Argument(help="The trace store: sqlite:///FILE or postgresql://…", metavar="URL")
]
_DAY_SECONDS = 86400.0


def import_file(
    file: Annotated[Path, typer.Argument(help="Recorded runs and labels, as JSON Lines (.gz too).")],
    store: Store,
    redact: Annotated[
        list[str] | None,
        typer.Option(
            help="What to keep of texts: keep, hash or drop, for questions, answers, thoughts, threads or tenants; "
            "repeat it.",
            metavar="WHAT=HOW",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Add a file's runs to a store, all or nothing; what is there already is left out."""
    from adaptive_reasoner.traces.store import Redaction, open_database
    from adaptive_reasoner.traces.store.transfer import import_runs

    kept = import_runs(open_database(store), file, Redaction.of(redact or ()))
    found = {"runs": kept.runs, "revisions": kept.revisions, "labels": kept.labels}
    new = f"{kept.runs} runs, {kept.revisions} later records of known runs and {kept.labels} labels are new."
    typer.echo(json.dumps(found) if as_json else new)


def prune_store(
    store: Store,
    older_than_days: Annotated[
        float | None, typer.Option(min=0, help="Remove runs that were recorded longer ago than this.")
    ] = None,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's, as the store names it.")] = None,
    keep_figures: Annotated[
        bool, typer.Option("--keep-figures", help="Remove all texts and labels, but go on counting the runs.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Remove runs for good, by age, by tenant or both; their room goes back to the disk."""
    from adaptive_reasoner.traces.store import open_database
    from adaptive_reasoner.traces.store.reading import Chosen, compact, prune

    if older_than_days is None and tenant is None:
        raise ConfigurationError("Say which runs to remove: --older-than-days, --tenant or both.")
    before = None if older_than_days is None else time.time() - older_than_days * _DAY_SECONDS
    database = open_database(store, must_exist=True)
    removed = prune(database, Chosen(before=before, tenant=tenant), keep_figures=keep_figures)
    compact(database)
    typer.echo(json.dumps({"removed": removed}) if as_json else f"Removed {removed} runs.")


def sum_up(source: str, labels: Sequence[Path] | None) -> dict[str, Any]:
    """The overview of a store, or of files by way of one in memory."""
    from adaptive_reasoner.traces.overview import overview
    from adaptive_reasoner.traces.store import Redaction, is_store_url, open_database, open_to_read
    from adaptive_reasoner.traces.store.transfer import import_runs

    if is_store_url(source):
        database = open_to_read(source)
    else:
        database = open_database("sqlite://")
        for path in (source, *(labels or ())):
            import_runs(database, path, Redaction())
    try:
        return overview(database)
    finally:
        database.close()


def export_store(source: str, out: Path | None) -> None:
    """Every run of a store with its labels, a few in memory at a time."""
    from adaptive_reasoner.traces.parquet import write_parquet
    from adaptive_reasoner.traces.store import is_store_url, open_to_read
    from adaptive_reasoner.traces.store.transfer import column_kinds, export_lines, export_rows

    if not is_store_url(source):
        raise ConfigurationError(f"{source} is a file of runs already; `--for runs` is for a store's URL.")
    database = open_to_read(source)
    if out is not None and out.suffix == ".parquet":
        count = write_parquet(export_rows(database), out, column_kinds())
        typer.echo(f"{out}: {count} runs")
    else:
        _write_lines(export_lines(database), out, "lines")


def write_rows(rows: Sequence[Mapping[str, Any]], out: Path | None) -> None:
    """Rows as Parquet or as JSON Lines, by the file's name."""
    from adaptive_reasoner.traces.parquet import write_parquet

    if out is not None and out.suffix == ".parquet":
        typer.echo(f"{out}: {write_parquet(rows, out)} rows")
    else:
        _write_lines((json.dumps(row, ensure_ascii=False) + "\n" for row in rows), out, "rows")


def _write_lines(lines: Iterable[str], out: Path | None, what: str) -> None:
    if out is None:
        for line in lines:
            typer.echo(line, nl=False)
        return
    partial, count = out.with_name(f".{out.name}.partial"), 0
    try:
        with partial.open("w", encoding="utf-8", errors="backslashreplace") as file:
            for line in lines:
                file.write(line)
                count += 1
        partial.replace(out)
    except OSError as error:
        raise ConfigurationError(f"Cannot write {out}: {error.strerror}.") from error
    finally:
        partial.unlink(missing_ok=True)
    typer.echo(f"{out}: {count} {what}")
