"""The task that another model is trained on: questions with answers, and a verifier of responses.

A task file has one JSON object a line, `{"question": …, "answer": …}`, gzipped if its name ends in `.gz`.
"""

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from adaptive_reasoner.errors import InvalidInputError

_STATED = re.compile(r"(?:answer\s*(?:is|:)|####)\s*(.+)", re.IGNORECASE)
_BOXED = re.compile(r"\\boxed\{([^{}]*)\}")
_THOUGHT_END = "</think>"


@dataclass(frozen=True, slots=True)
class Task:
    """One question and the answer that counts as right."""

    question: str
    answer: str


def read_tasks(path: Path, columns: tuple[str, str] = ("question", "answer")) -> list[Task]:
    """Read a task file.

    Args:
        path: the file.
        columns: the names under which a line holds the question and the answer.

    Raises:
        InvalidInputError: there is no such file, a line is not of the stated form, or there are none.
    """
    if not path.is_file():
        raise InvalidInputError(
            f"There is no task file {path}; it is JSONL with {columns[0]} and {columns[1]}."
        )
    tasks = [_task(line, f"Line {number} of {path}", columns) for number, line in _lines(path)]
    if not tasks:
        raise InvalidInputError(
            f"The task file {path} is empty; it needs lines with {columns[0]} and {columns[1]}."
        )
    return tasks


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        lines = text.decode("utf-8").splitlines()
    except (gzip.BadGzipFile, EOFError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"The task file {path} cannot be read: {error}.") from error
    return ((number, line) for number, line in enumerate(lines, start=1) if line.strip())


def _task(line: str, place: str, columns: tuple[str, str]) -> Task:
    try:
        data: Any = json.loads(line)
    except json.JSONDecodeError as error:
        raise InvalidInputError(f"{place} is no JSON: {error.msg}.") from error
    fields = cast("dict[str, Any]", data) if isinstance(data, dict) else {}
    question, answer = (fields.get(column) for column in columns)
    if not isinstance(question, str) or not question.strip() or not isinstance(answer, str | int | float):
        raise InvalidInputError(f'{place} needs a "{columns[0]}" (text) and an "{columns[1]}".')
    return Task(question, str(answer))


def stated_answer(response: str) -> str:
    """The answer that a response states: boxed, after "Answer:" or "####", or else its last line."""
    text = response.rsplit(_THOUGHT_END, 1)[-1].strip()
    boxed, stated = _BOXED.findall(text), _STATED.findall(text)
    if boxed:
        return str(boxed[-1])
    return str(stated[-1]) if stated else text.splitlines()[-1] if text else ""


def normalise(answer: str) -> str:
    """Lower case, without spaces at the ends, thousands separators, currency signs and a last full stop."""
    text = " ".join(answer.casefold().split()).strip(" .$€£%")
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    return re.sub(r"(\d)\.0+$", r"\1", text)


def verify(response: str, task: Task) -> float:
    """The reward: 1 if the stated answer is the task's, once both are normalised, else 0."""
    return float(normalise(stated_answer(response)) == normalise(stated_answer(task.answer)))
