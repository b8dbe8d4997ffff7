"""The embedded model's tokenizer: a tiktoken encoding of bytes, digits and the problems' words.

Every digit is a token of its own, with or without a space before it, so that numbers are
spelled the same way everywhere. Text beyond the word list falls back to bytes: any Unicode
round-trips.
"""

from functools import cache
from importlib.resources import files
from typing import Any

import tiktoken

NAME = "adaptive_reasoner"
PATTERN = r" ?[0-9]| ?[A-Za-z]+| ?[^\sA-Za-z0-9]|\s"
_NAMED_SPECIALS = (
    "<bos>", "<eos>", "<user>", "<assistant>", "<fast>", "<think>", "</think>", "<post>",
    "<because>", "<refine>", "<auto>",
)  # fmt: skip
_SPARE_SPECIALS = 5


def _read_ranks() -> dict[bytes, int]:
    text = (files("adaptive_reasoner.embedded") / "vocabulary.txt").read_text(encoding="utf-8")
    pieces = [bytes([byte]) for byte in range(256)]
    pieces += [line.encode() for line in text.splitlines()]
    return {piece: rank for rank, piece in enumerate(pieces)}


def _special_names() -> list[str]:
    return [*_NAMED_SPECIALS, *(f"<spare_{n}>" for n in range(_SPARE_SPECIALS))]


def encoding_arguments() -> dict[str, Any]:
    """The arguments of `tiktoken.Encoding`, as tiktoken's plugin protocol wants them."""
    ranks = _read_ranks()
    specials = {name: len(ranks) + index for index, name in enumerate(_special_names())}
    return {
        "name": NAME,
        "pat_str": PATTERN,
        "mergeable_ranks": ranks,
        "special_tokens": specials,
    }


@cache
def encoding() -> tiktoken.Encoding:
    """The encoding, built once a process."""
    return tiktoken.Encoding(**encoding_arguments())


@cache
def special(name: str) -> int:
    """The id of a special token such as "<think>".

    Raises:
        KeyError: there is no such special token.
    """
    return encoding_arguments()["special_tokens"][name]
