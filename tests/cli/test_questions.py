import io
import sys

import pytest

from adaptive_reasoner.cli.question import MAX_BYTES, read_question
from adaptive_reasoner.errors import InvalidInputError


def _type(monkeypatch: pytest.MonkeyPatch, raw: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))


def test_question_is_stripped() -> None:
    assert read_question("  What is 2 + 2? \n") == "What is 2 + 2?"


def test_dash_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    _type(monkeypatch, b"Wie viel ist 2 + 2?\n")
    assert read_question("-") == "Wie viel ist 2 + 2?"


@pytest.mark.parametrize("question", ["", "   ", "\n\t"])
def test_empty_question_is_refused(question: str) -> None:
    with pytest.raises(InvalidInputError, match="empty"):
        read_question(question)


@pytest.mark.parametrize("size", [MAX_BYTES, 2**20, 3 * 2**20])
def test_a_megabyte_is_refused(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    _type(monkeypatch, b"7" * size)
    with pytest.raises(InvalidInputError, match="1,000,000 bytes or more"):
        read_question("-")


def test_size_counts_bytes_not_characters() -> None:
    with pytest.raises(InvalidInputError, match="bytes"):
        read_question("é" * (MAX_BYTES // 2))


def test_what_is_not_utf8_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _type(monkeypatch, b"caf\xe9?")
    with pytest.raises(InvalidInputError, match="UTF-8"):
        read_question("-")
    with pytest.raises(InvalidInputError, match="UTF-8"):
        read_question("caf\udce9?")
