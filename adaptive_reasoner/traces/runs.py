"""Recorded runs and their labels, read back from JSON Lines (`.gz` too) and from trace stores."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from adaptive_reasoner.errors import InvalidInputError
from adaptive_reasoner.state import RunRecord
from adaptive_reasoner.traces.jsonl_recorder import TORN_MARK
from adaptive_reasoner.traces.labels import Label, LabelledRun, label_runs
from adaptive_reasoner.traces.lines import placed_lines
from adaptive_reasoner.traces.run_schema import find_label_fault, find_run_fault
from adaptive_reasoner.traces.store.trace_store import is_store_url, open_to_read, shown_source


@dataclass(frozen=True, slots=True)
class RecordedRuns:
    """What files of runs hold.

    Attributes:
        runs: in the order of their time, each once.
        torn: lines that a killed process left unfinished.
        repeated: lines that recorded a run again; the last one counts.
        stray_labels: labels of runs that are not in the files.
    """

    runs: tuple[LabelledRun, ...]
    torn: int = 0
    repeated: int = 0
    stray_labels: int = 0


def load_runs(*paths: str | Path, newest: int | None = None) -> RecordedRuns:
    """Read files of runs, or of labels, or of both mixed, and trace stores; all is checked before it is returned.

    Args:
        paths: files, and URLs of stores.
        newest: of a store so many of its newest runs at most.

    Raises:
        InvalidInputError: a file cannot be read, a line is neither a run nor a label, or there is no run.
        TraceStoreError: a store cannot be read.
    """
    records: dict[str, RunRecord] = {}
    labels: list[Label] = []
    torn = repeated = elsewhere = 0
    for path in paths:
        if is_store_url(path):
            elsewhere += _add_store(str(path), newest, records, labels)
            continue
        for one in recorded_lines(path):
            if one is None:
                torn += 1
            elif "report" in one:
                repeated += one["run_id"] in records
                records[one["run_id"]] = one
            else:
                labels.append(one)
    if not records:
        raise InvalidInputError(
            f"There is no recorded run in {', '.join(shown_source(str(path)) for path in paths)}."
        )
    in_time = sorted(records.values(), key=lambda record: datetime.fromisoformat(record["recorded_at"]))
    stray = elsewhere + sum(label["run_id"] not in records for label in labels)
    return RecordedRuns(tuple(label_runs(in_time, labels)), torn, repeated, stray)


def recorded_lines(path: str | Path) -> Iterator[RunRecord | Label | None]:
    """The runs and labels of a file, in their order; None for a line that a killed process left torn.

    Raises:
        InvalidInputError: the file cannot be read, or a line is neither a run nor a label.
    """
    for place, line in placed_lines(path, "runs"):
        data = _parse(line, place)
        if data is None:
            yield None
        else:
            yield _checked_run(data, place) if "report" in data else _checked_label(data, place)


def _add_store(url: str, newest: int | None, records: dict[str, RunRecord], labels: list[Label]) -> int:
    """Add a store's runs and their labels; returns how many labels have no run in it."""
    from adaptive_reasoner.traces.store.reading import Chosen, read_lines, stray_labels

    database = open_to_read(url)
    try:
        for batch in read_lines(database, Chosen(newest=newest)):
            for record, told in batch:
                records[record["run_id"]] = record
                labels.extend(told)
        return stray_labels(database)
    finally:
        database.close()


def holds_runs(path: str | Path) -> bool:
    """True for a store, and for a file whose first whole line is a run or a label; answers have other fields."""
    if is_store_url(path):
        return True
    with suppress(InvalidInputError):  # whoever reads the file next says so
        for _, line in placed_lines(path, "runs"):
            with suppress(ValueError, RecursionError):
                data: Any = json.loads(line)
                return isinstance(data, dict) and ("report" in data or "run_id" in data)
    return False


def _parse(line: bytes, place: str) -> dict[str, Any] | None:
    """The line's object; None if it is torn."""
    try:
        data = json.loads(line.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        if line.rstrip().endswith(TORN_MARK) or not line.endswith(b"\n"):
            return None
        raise InvalidInputError(f"{place} is not JSON: {error}.") from error
    if not isinstance(data, dict):
        raise InvalidInputError(f"{place} is neither a recorded run nor a label, which are JSON objects.")
    return cast("dict[str, Any]", data)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _checked_run(data: dict[str, Any], place: str) -> RunRecord:
    if fault := find_run_fault(data):
        raise InvalidInputError(f"{place} is no recorded run: {fault}.")
    return cast("RunRecord", data)


def _checked_label(data: dict[str, Any], place: str) -> Label:
    if fault := find_label_fault(data):
        raise InvalidInputError(
            f'{place} is neither a recorded run nor a label such as {{"run_id": "…", "correct": true}} or '
            f'{{"run_id": "…", "answer": "42"}}: {fault}.'
        )
    return cast("Label", data)
