"""Recorded runs and their labels, read back from JSON Lines (`.gz` too)."""

import json
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


def load_runs(*paths: str | Path) -> RecordedRuns:
    """Read files of runs, or of labels, or of both mixed; all of them are checked before anything is returned.

    Raises:
        InvalidInputError: a file cannot be read, a line is neither a run nor a label, or there is no run.
    """
    records: dict[str, RunRecord] = {}
    labels: list[Label] = []
    torn = repeated = 0
    for path in paths:
        for place, line in placed_lines(path, "runs"):
            data = _parse(line, place)
            if data is None:
                torn += 1
            elif "report" in data:
                record = _checked_run(data, place)
                repeated += record["run_id"] in records
                records[record["run_id"]] = record
            else:
                labels.append(_checked_label(data, place))
    if not records:
        raise InvalidInputError(f"There is no recorded run in {', '.join(map(str, paths))}.")
    in_time = sorted(records.values(), key=lambda record: datetime.fromisoformat(record["recorded_at"]))
    stray = sum(label["run_id"] not in records for label in labels)
    return RecordedRuns(tuple(label_runs(in_time, labels)), torn, repeated, stray)


def holds_runs(path: str | Path) -> bool:
    """True if the first whole line of the file is a run or a label; recorded answers have other fields."""
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
