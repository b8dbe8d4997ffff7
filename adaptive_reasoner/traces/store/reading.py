"""Reads runs back from a store, with their labels, and prunes what is too old."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, delete, func, or_, select

from adaptive_reasoner.errors import TraceStoreError
from adaptive_reasoner.state import RunRecord
from adaptive_reasoner.traces.labels import Label, LabelledRun, label_runs
from adaptive_reasoner.traces.store.database import TraceDatabase
from adaptive_reasoner.traces.store.keeping import labels_by_run, newest_records
from adaptive_reasoner.traces.store.tables import FIGURES, LABELS, RECORDS

_BATCH = 500  # runs that are in memory at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which runs; what is not given does not choose.

    Attributes:
        since: recorded at this time or later, in seconds since the epoch.
        before: recorded earlier than this.
        tenant: of this tenant, as it is stored.
        newest: so many of them at most, the newest.
    """

    since: float | None = None
    before: float | None = None
    tenant: str | None = None
    newest: int | None = None

    def conditions(self) -> list[Any]:
        """What they are chosen by, but for `newest`."""
        given = [
            (self.since, lambda: FIGURES.c.recorded_at >= self.since),
            (self.before, lambda: FIGURES.c.recorded_at < self.before),
            (self.tenant, lambda: FIGURES.c.tenant == self.tenant),
        ]
        return [condition() for value, condition in given if value is not None]


EVERY = Chosen()


def read_lines(
    database: TraceDatabase, chosen: Chosen = EVERY
) -> Iterator[list[tuple[RunRecord, list[Label]]]]:
    """The runs with their labels as they were recorded, in the order of their time, a few at a time.

    Runs whose records were pruned are left out.
    """
    with database.reading() as db:
        names = [str(name) for name in db.execute(_names(chosen)).scalars()]
        if chosen.newest is not None:
            names.reverse()
        for start in range(0, len(names), _BATCH):
            batch = names[start : start + _BATCH]
            records, labels = newest_records(db, batch), labels_by_run(db, batch)
            yield [(records[name], labels.get(name, [])) for name in batch if name in records]


def read_runs(database: TraceDatabase, chosen: Chosen = EVERY) -> Iterator[LabelledRun]:
    """The runs with what their labels tell, in the order of their time."""
    for batch in read_lines(database, chosen):
        for record, labels in batch:
            yield from label_runs([record], labels)


def stray_labels(database: TraceDatabase) -> int:
    """Labels of runs that are not in the store."""
    known = select(FIGURES.c.run_id).where(FIGURES.c.run_id == LABELS.c.run_id).exists()
    with database.reading() as db:
        return int(db.execute(select(func.count()).select_from(LABELS).where(~known)).scalar_one())


def matching_ids(database: TraceDatabase, beginning: str, most: int = 2) -> list[str]:
    """Ids of runs that begin so."""
    query = (
        select(FIGURES.c.run_id).where(FIGURES.c.run_id.startswith(beginning, autoescape=True)).limit(most)
    )
    with database.reading() as db:
        return [str(name) for name in db.execute(query).scalars()]


def prune(database: TraceDatabase, chosen: Chosen, *, keep_figures: bool = False) -> int:
    """Remove runs for good, with their labels; labels of runs that never came go by their own time.

    Args:
        database: the store.
        chosen: which runs, by `before` or `tenant`.
        keep_figures: remove only the records, that is all texts, and go on counting the runs in reports.

    Returns:
        How many runs' records were removed.
    """
    names = select(FIGURES.c.run_id).where(*chosen.conditions())
    of_runs = RECORDS.c.run_id.in_(names)
    strays = LABELS.c.run_id.not_in(select(FIGURES.c.run_id))
    old = [] if chosen.before is None else [strays & (LABELS.c.labelled_at < chosen.before)]
    with database.writing() as db:
        runs = db.execute(select(func.count(RECORDS.c.run_id.distinct())).where(of_runs)).scalar_one()
        db.execute(delete(RECORDS).where(of_runs))
        db.execute(delete(LABELS).where(or_(LABELS.c.run_id.in_(names), *old)))
        if not keep_figures:
            db.execute(delete(FIGURES).where(*chosen.conditions()))
    return int(runs)


def compact(database: TraceDatabase) -> None:
    """Give the room of what was removed back to the disk; in Postgres its own vacuum does.

    Raises:
        TraceStoreError: the file cannot be written anew.
    """
    if database.file is None:
        return
    try:
        with closing(sqlite3.connect(database.file, isolation_level=None)) as db:
            db.execute("VACUUM")
    except sqlite3.Error as error:
        raise TraceStoreError(
            f"{database.file} keeps its size: {error}. Nothing else was changed."
        ) from error


def _names(chosen: Chosen) -> Select[tuple[Any]]:
    query = select(FIGURES.c.run_id).where(*chosen.conditions())
    if chosen.newest is None:
        return query.order_by(FIGURES.c.recorded_at, FIGURES.c.run_id)
    newest_first = query.order_by(FIGURES.c.recorded_at.desc(), FIGURES.c.run_id.desc())
    return newest_first.limit(chosen.newest)
