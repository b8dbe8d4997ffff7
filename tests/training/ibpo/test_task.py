"""Tasks and the verifier."""

import gzip
import json
from pathlib import Path

import pytest

from adaptive_reasoner.errors import InvalidInputError
from adaptive_reasoner.training.ibpo.task import Task, normalise, read_tasks, stated_answer, verify


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ("Answer: 42", "42"),
        ("First 40, then 2.\nThe answer is 42.", "42."),
        ("6 * 7 = 42\n#### 42", "42"),
        (r"so it is \boxed{41}, no, \boxed{42}", "42"),
        ("<think>Answer: 41</think>Answer: 42", "42"),
        ("one\ntwo", "two"),
        ("", ""),
    ],
)
def test_the_stated_answer_is_found(response: str, answer: str) -> None:
    assert stated_answer(response) == answer


@pytest.mark.parametrize(
    ("one", "other"), [("1,234", "1234"), (" Yes. ", "yes"), ("$42", "42.00"), ("3.0", "3")]
)
def test_writing_does_not_matter(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


def test_the_reward_is_for_the_answer_alone() -> None:
    task = Task("6 * 7?", "6 * 7 = 42\n#### 42")
    assert verify("It is 42? Answer: 42", task) == 1.0
    assert verify("Answer: 421", task) == 0.0
    assert verify("", task) == 0.0


def test_a_task_file_may_be_compressed(tmp_path: Path) -> None:
    lines = '{"question": "a?", "answer": 1}\n\n{"question": "b?", "answer": "2"}\n'
    path = tmp_path / "tasks.jsonl.gz"
    path.write_bytes(gzip.compress(lines.encode()))
    assert read_tasks(path) == [Task("a?", "1"), Task("b?", "2")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("{", "Line 1 .* is no JSON"),
        (json.dumps({"question": "a?"}), 'needs a "question"'),
        ("[1]", 'needs a "question"'),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "tasks.jsonl"
    path.write_text(text)
    with pytest.raises(InvalidInputError, match=message):
        read_tasks(path)
    with pytest.raises(InvalidInputError, match="no task file"):
        read_tasks(tmp_path / "none")
