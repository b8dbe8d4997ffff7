"""Runs and labels into a store from JSON Lines, and out of it as JSON Lines or Parquet."""

import json
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from adaptive_reasoner.traces.labels import Label, label_runs
from adaptive_reasoner.traces.runs import recorded_lines
from adaptive_reasoner.traces.store.database import TraceDatabase
from adaptive_reasoner.traces.store.flat_row import flat_row
from adaptive_reasoner.traces.store.keeping import Kept, keep_batch, parse_batch
from adaptive_reasoner.traces.store.lines import line_of
from adaptive_reasoner.traces.store.reading import EVERY, Chosen, read_lines
from adaptive_reasoner.traces.store.redaction import Redaction
from adaptive_reasoner.traces.store.tables import FIGURES

_BATCH = 500
_NAMESPACE = uuid.UUID("0f6c7a52-9d0b-5d8e-8b1c-6a3d8f1f2c11")
Row = Mapping[str, Any]


def import_runs(database: TraceDatabase, path: str | Path, redaction: Redaction) -> Kept:
    """Add a file's runs and labels, all or nothing; what is there already is left out, so it may be done again.

    Raises:
        InvalidInputError: the file cannot be read, or a line is neither a run nor a label.
        TraceStoreError: the database failed.
    """
    total, lines = Kept(), _lines(path, redaction)
    with database.writing() as db:
        while some := list(islice(lines, _BATCH)):
            total += keep_batch(db, parse_batch(some))
    return total


def export_lines(database: TraceDatabase, chosen: Chosen = EVERY) -> Iterator[str]:
    """Each run, and each label after it, as a line that `import_runs` and `load_runs` take."""
    for batch in read_lines(database, chosen):
        for record, labels in batch:
            yield from (json.dumps(one, ensure_ascii=False) + "\n" for one in (record, *labels))


def export_rows(database: TraceDatabase, chosen: Chosen = EVERY) -> Iterator[Row]:
    """Each run as a flat row: its figures, its texts, and its record and labels as JSON."""
    for batch in read_lines(database, chosen):
        for record, labels in batch:
            yield {
                **flat_row(label_runs([record], labels)[0]),
                "question": record["question"],
                "answer": record["answer"],
                "record": json.dumps(record),
                "labels": json.dumps(labels),
            }


def column_kinds() -> dict[str, type]:
    """The types of `export_rows`' columns: a batch may hold nothing but nulls, which tell none."""
    kinds: dict[str, type] = {column.name: column.type.python_type for column in FIGURES.columns}
    return {**kinds, **dict.fromkeys(("question", "answer", "record", "labels"), str)}


def _lines(path: str | Path, redaction: Redaction) -> Iterator[bytes]:
    """What is kept of each run and label; a label's id tells the same label of another time apart from a new one."""
    seen: Counter[str] = Counter()
    for one in recorded_lines(path):
        if one is None:
            continue
        yield line_of(one if "report" in one else _with_id(one, seen), redaction)


def _with_id(label: Label, seen: Counter[str]) -> Mapping[str, Any]:
    text = json.dumps(label, sort_keys=True)
    seen[text] += 1
    return {"label_id": uuid.uuid5(_NAMESPACE, f"{seen[text]} {text}").hex, **label}
