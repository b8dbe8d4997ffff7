"""What `train triage` reads: questions with the outcomes of both modes, as JSON Lines or CSV (`.gz` too).

JSON Lines: `question` (text) or `messages` (a thread in LangChain's or OpenAI's form), `fast_correct` and
`deep_correct` (true or false), and perhaps `group` (subject or source: what cross-validation keeps together).
CSV with a header: `question` or `prompt`, `fast_correct` or `weak`, `deep_correct` or `strong`, perhaps `group` or
`family`. Recorded runs with their labels are taken as they are; see `adaptive_reasoner.traces.triage_examples`.
"""

import csv
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, cast

from langchain_core.messages import convert_to_messages

from adaptive_reasoner.errors import InvalidInputError
from adaptive_reasoner.traces.runs import holds_runs, load_runs
from adaptive_reasoner.traces.triage_examples import triage_examples
from adaptive_reasoner.triage.follow_up import question_in_thread

FIELDS = "question (or messages), fast_correct, deep_correct; optional: group"
_FLAGS: Mapping[Any, bool] = {
    "1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TriageExample:
    """One question and who answers it rightly; `group` is what cross-validation keeps together."""

    question: str
    fast_correct: bool
    deep_correct: bool
    group: str = ""


def load_examples(path: str | Path) -> list[TriageExample]:
    """Read the examples of a file.

    Raises:
        InvalidInputError: the file is missing, empty or malformed; the message names the line.
    """
    if holds_runs(path):
        return _from_runs(path)
    opened = gzip.open if str(path).endswith(".gz") else open
    is_csv = str(path).removesuffix(".gz").endswith(".csv")
    try:
        with opened(path, "rt", encoding="utf-8", newline="" if is_csv else None) as lines:
            text = cast("TextIO", lines)
            rows = _csv_rows(text) if is_csv else _json_rows(text, str(path))
            examples = [_example(row, f"{path}, line {number}") for number, row in rows]
    except (OSError, UnicodeDecodeError, EOFError, zlib.error, csv.Error) as error:
        raise InvalidInputError(f"Cannot read the examples {path}: {error}.") from error
    if not examples:
        raise InvalidInputError(f"The file {path} holds no examples; a line has the fields {FIELDS}.")
    return examples


def _from_runs(path: str | Path) -> list[TriageExample]:
    examples = triage_examples(load_runs(path).runs)
    if not examples:
        raise InvalidInputError(
            f'The runs in {path} have no labels; {{"run_id": "…", "answer": "…"}} on a line of its own is one.'
        )
    return [TriageExample(one["question"], one["fast_correct"], one["deep_correct"]) for one in examples]


def _json_rows(lines: TextIO, path: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InvalidInputError(f"{path}, line {number} is not JSON: {error}.") from error
        if not isinstance(row, dict):
            raise InvalidInputError(f"{path}, line {number} is no JSON object.")
        yield number, cast("Mapping[str, Any]", row)


def _csv_rows(lines: TextIO) -> Iterator[tuple[int, Mapping[str, Any]]]:
    names = {"prompt": "question", "weak": "fast_correct", "strong": "deep_correct", "family": "group"}
    reader = csv.DictReader(lines)
    for row in reader:
        yield reader.line_num, {**{names.get(name, name): value for name, value in row.items()}, **row}


def _example(row: Mapping[str, Any], where: str) -> TriageExample:
    return TriageExample(
        question=_question(row, where),
        fast_correct=_flag(row, "fast_correct", where),
        deep_correct=_flag(row, "deep_correct", where),
        group=str(row.get("group") or ""),
    )


def _question(row: Mapping[str, Any], where: str) -> str:
    question: Any = row.get("question")
    if question is None and row.get("messages"):
        try:
            question = question_in_thread(convert_to_messages(row["messages"]))
        except (ValueError, TypeError, KeyError, NotImplementedError) as error:
            raise InvalidInputError(f"{where}: `messages` is no thread of messages: {error}.") from error
    if not isinstance(question, str) or not question.strip():
        raise InvalidInputError(f"{where} has no question; its fields are {FIELDS}.")
    return question


def _flag(row: Mapping[str, Any], name: str, where: str) -> bool:
    """True or false, also as 1 and 0; anything else, a missing label or NaN among it, is refused."""
    value = row.get(name)
    flag = value if isinstance(value, bool) else _FLAGS.get(str(value).strip().lower())
    if flag is None:
        raise InvalidInputError(f"{where}: `{name}` is {value!r}; it must be true or false (or 1 or 0).")
    return flag
