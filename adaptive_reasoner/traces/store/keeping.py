"""Puts lines into the database, each once, and derives the figures of the runs that they concern."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Connection, Text, bindparam, delete, insert, select

from adaptive_reasoner.state import RunRecord
from adaptive_reasoner.traces.labels import Label, LabelledRun, label_runs
from adaptive_reasoner.traces.store.flat_row import as_column, flat_row, seconds_of
from adaptive_reasoner.traces.store.lines import digest_of, pack, parse_line, unpack
from adaptive_reasoner.traces.store.strata import stratum_of
from adaptive_reasoner.traces.store.tables import FIGURES, LABELS, RECORDS

# Built once: building them for every batch costs as much as running them.
_RUNS = bindparam("runs", type_=Text, expanding=True)
_KNOWN = select(RECORDS.c.run_id, RECORDS.c.revision, RECORDS.c.digest).where(RECORDS.c.run_id.in_(_RUNS))
_PAYLOADS = (
    select(RECORDS.c.run_id, RECORDS.c.payload)
    .where(RECORDS.c.run_id.in_(_RUNS))
    .order_by(RECORDS.c.revision)
)
_LABELS_OF = (
    select(LABELS.c.run_id, LABELS.c.payload)
    .where(LABELS.c.run_id.in_(_RUNS))
    .order_by(LABELS.c.labelled_at, LABELS.c.id)
)
_KNOWN_LABELS = select(LABELS.c.label_id).where(
    LABELS.c.label_id.in_(bindparam("labels", type_=Text, expanding=True))
)
_FORGET = delete(FIGURES).where(FIGURES.c.run_id.in_(_RUNS))


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of lines: how many runs, later records of known runs, and labels were new."""

    runs: int = 0
    revisions: int = 0
    labels: int = 0

    def __add__(self, other: "Kept") -> "Kept":
        return Kept(self.runs + other.runs, self.revisions + other.revisions, self.labels + other.labels)


@dataclass(frozen=True, slots=True)
class Batch:
    """Parsed lines: the runs' with their digest and payload, the labels', and lines that are neither."""

    runs: Sequence[tuple[dict[str, Any], bytes, bytes]]
    labels: Sequence[dict[str, Any]]
    damaged: Sequence[bytes] = ()


def parse_batch(lines: Iterable[bytes]) -> Batch:
    """Parse and pack lines; packing lets other threads of this process go on: a run that is recorded must not wait."""
    runs: list[tuple[dict[str, Any], bytes, bytes]] = []
    labels: list[dict[str, Any]] = []
    damaged: list[bytes] = []
    for line in lines:
        try:
            data = parse_line(line)
        except (ValueError, RecursionError):
            damaged.append(line)
            continue
        if "report" in data:
            runs.append((data, digest_of(line), pack(line)))
        else:
            labels.append(data)
    return Batch(runs, labels, damaged)


def keep_batch(db: Connection, batch: Batch) -> Kept:
    """Add what is new, in one transaction of a writer's own."""
    newest, rows = _new_records(db, batch.runs)
    if rows:
        db.execute(insert(RECORDS), rows)
    new_labels = _new_labels(db, batch.labels)
    if new_labels:
        db.execute(insert(LABELS), new_labels)
    labelled = {row["run_id"] for row in new_labels} - newest.keys()
    _derive(db, newest, labelled, {row["run_id"] for row in rows if row["revision"]})
    revisions = sum(row["revision"] > 0 for row in rows)
    return Kept(len(rows) - revisions, revisions, len(new_labels))


def _new_records(
    db: Connection, runs: Sequence[tuple[dict[str, Any], bytes, bytes]]
) -> tuple[dict[str, RunRecord], list[dict[str, Any]]]:
    """The newest record of each run that has a new one, and the rows to add."""
    names = list({as_column(data["run_id"]) for data, _, _ in runs})
    known: dict[str, tuple[int, set[bytes]]] = {}
    for run_id, revision, digest in db.execute(_KNOWN, {"runs": names}) if names else ():
        count, digests = known.get(run_id, (0, set[bytes]()))
        known[run_id] = (max(count, revision + 1), digests | {digest})
    newest: dict[str, RunRecord] = {}
    rows: list[dict[str, Any]] = []
    for data, digest, payload in runs:
        name = as_column(data["run_id"])
        revision, digests = known.get(name, (0, set[bytes]()))
        if digest not in digests:
            record = cast("RunRecord", data)
            known[name] = (revision + 1, digests | {digest})
            newest[name] = record
            at = seconds_of(record)
            row = {"run_id": name, "revision": revision, "recorded_at": at, "digest": digest}
            rows.append({**row, "payload": payload})
    return newest, rows


def _new_labels(db: Connection, labels: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    by_id = {str(label["label_id"]): label for label in labels}
    if not by_id:
        return []
    known = set(db.execute(_KNOWN_LABELS, {"labels": list(by_id)}).scalars())
    return [
        {
            "label_id": name,
            "run_id": as_column(label["run_id"]),
            "labelled_at": float(label["labelled_at"]),
            "payload": json.dumps(label),
        }
        for name, label in by_id.items()
        if name not in known
    ]


def _derive(db: Connection, newest: Mapping[str, RunRecord], labelled: set[str], changed: set[str]) -> None:
    """The figures of new records, and anew those of runs that were recorded again or labelled."""
    runs = {**newest, **(newest_records(db, labelled) if labelled else {})}
    stale = changed | (labelled & runs.keys())  # of a run whose record was pruned the figures stay
    if stale:
        db.execute(_FORGET, {"runs": list(stale)})
    if runs:
        rows = [flat_row(run) for run in _with_labels(db, runs)]
        db.execute(insert(FIGURES), [{**row, "stratum": stratum_of(row)} for row in rows])


def newest_records(db: Connection, names: Iterable[str]) -> dict[str, RunRecord]:
    """The newest record of each of these runs that is there, by its id."""
    rows = db.execute(_PAYLOADS, {"runs": list(names)})
    found: dict[str, bytes] = {
        row.run_id: row.payload for row in rows
    }  # the later revision replaces the earlier one
    return {run_id: cast("RunRecord", parse_line(unpack(payload))) for run_id, payload in found.items()}


def labels_by_run(db: Connection, names: Iterable[str]) -> dict[str, list[Label]]:
    """The labels of each of these runs that has any, the later ones last, by its id."""
    by_run: dict[str, list[Label]] = {}
    for run_id, payload in db.execute(_LABELS_OF, {"runs": list(names)}):
        by_run.setdefault(run_id, []).append(cast("Label", json.loads(payload)))
    return by_run


def _with_labels(db: Connection, records: Mapping[str, RunRecord]) -> list[LabelledRun]:
    """The runs with what their labels tell."""
    by_run = labels_by_run(db, records)
    return [label_runs([record], by_run.get(name, ()))[0] for name, record in records.items()]
