"""Recordings: JSON Lines (`.gz` too), one answer a line, and the pairing of a question's two answers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from langchain_core.messages import AIMessage

from adaptive_reasoner.errors import InvalidInputError
from adaptive_reasoner.gate.calibration import CalibrationExample
from adaptive_reasoner.recorded import message_of, question_of
from adaptive_reasoner.traces.lines import placed_lines

Record = Mapping[str, Any]

FIELDS = "question, correct; optional: id, choices, model, mode, answer, answer_token_top, response, usage"


@dataclass(frozen=True, slots=True)
class RecordedPair:
    """A question with the recorded answers of both modes; `deep` is None where only the fast one was recorded."""

    question: str
    fast: Record
    deep: Record | None


def load_records(path: str | Path) -> list[Record]:
    """Read a recording.

    Raises:
        InvalidInputError: the file is missing, no JSON Lines, or a line lacks `question` or `correct`.
    """
    try:
        records = [_record(line.decode(), place) for place, line in placed_lines(path, "recording")]
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"Cannot read the recording {path}: {error}.") from error
    if not records:
        raise InvalidInputError(f"The recording {path} is empty.")
    return records


def keep_where(records: Sequence[Record], conditions: Sequence[str]) -> list[Record]:
    """The records whose field has one of the values, for every condition "field=value,value".

    Raises:
        InvalidInputError: a condition has another form, or no record is left.
    """
    kept = list(records)
    for condition in conditions:
        field, sign, values = condition.partition("=")
        if not sign or not field.strip():
            raise InvalidInputError(f"--where {condition!r} has no field=value.")
        wanted = {value.strip() for value in values.split(",")}
        kept = [record for record in kept if str(record.get(field.strip())) in wanted]
    if not kept:
        raise InvalidInputError(f"No record is left by --where {' '.join(conditions)}.")
    return kept


def pair_records(fast: Sequence[Record], deep: Sequence[Record] | None) -> list[RecordedPair]:
    """Pair the answers of mode "fast" with those of mode "deep" to the same questions, in the fast ones' order.

    A record without a mode counts as the mode it is given for. Fast answers without a deep one are left out,
    unless `deep` is None. Records match by `id`, or else by question and choices.

    Raises:
        InvalidInputError: nothing is left.
    """
    answered = {_key(record): record for record in deep or () if record.get("mode", "deep") == "deep"}
    asked = {_key(record): record for record in fast if record.get("mode", "fast") == "fast"}
    pairs = [
        RecordedPair(question_of(record), record, answered.get(key))
        for key, record in asked.items()
        if deep is None or key in answered
    ]
    if not pairs:
        raise InvalidInputError(
            f"{len(asked)} fast and {len(answered)} deep answers have no question in common; records match by "
            "`id`, or by `question` and `choices`, and say by `mode` what they are."
        )
    return pairs


def as_examples(pairs: Sequence[RecordedPair]) -> list[CalibrationExample]:
    """The pairs as `calibrate` takes them."""
    return [
        CalibrationExample(
            question=pair.question,
            fast=message_of(pair.fast),
            fast_correct=bool(pair.fast["correct"]),
            deep=_message(pair.deep),
            deep_correct=None if pair.deep is None else bool(pair.deep["correct"]),
        )
        for pair in pairs
    ]


def _message(record: Record | None) -> AIMessage | None:
    return None if record is None else message_of(record)


def _record(line: str, where: str) -> Record:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise InvalidInputError(f"{where} is not JSON: {error}.") from error
    if not isinstance(record, dict) or "question" not in record or "correct" not in record:
        raise InvalidInputError(f"{where} is no recorded answer; its fields are: {FIELDS}.")
    found = cast("Record", record)
    correct = found["correct"]
    if correct not in (True, False) or isinstance(correct, float):  # NaN would count as right
        raise InvalidInputError(f"{where}: `correct` is {correct!r}; it must be true or false (or 1 or 0).")
    return found


def _key(record: Record) -> str:
    return str(record["id"]) if record.get("id") is not None else question_of(record)
