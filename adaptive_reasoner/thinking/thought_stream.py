"""A text under way, parted into what was thought, the answer and its rationale as soon as that can be known.

`written.split_thoughts` does the same with a whole text. What may still turn out to be a mark is held back.
"""

from collections.abc import Iterator
from typing import Literal

from adaptive_reasoner.thinking.written import OWN_OPENINGS, split_thoughts
from adaptive_reasoner.uncertainty.rationale_text import (
    BEFORE_RATIONALE,
    find_heading,
    held_back,
    split_rationale,
)

Part = Literal["thought", "answer", "rationale"]
Pieces = Iterator[tuple[Part, str]]


class ThoughtStream:
    """Takes a text piece by piece; gives its parts piece by piece.

    Args:
        has_rationale: the model was asked for a rationale after its answer.
        is_opened: the prompt may have opened the thought, so that only its end is marked; nothing is given before
            the mark, or before the end where none comes.
    """

    def __init__(self, *, has_rationale: bool = False, is_opened: bool = False) -> None:
        self._held = ""
        self._has_rationale = has_rationale
        self._closing = "</think>" if is_opened else ""
        self._is_opened = is_opened
        self._part: Part | None = None
        self._has_begun = False  # of the part under way; blanks before it are dropped

    def add(self, text: str) -> Pieces:
        """Take the next piece; give what is certain now."""
        self._held += text
        if self._part is None:
            self._begin()
        if self._part == "thought":
            yield from self._think()
        if self._part == "answer":
            yield from self._answer()
        if self._part == "rationale":
            yield from self._give(self._held, keep=_blank_end(self._held))

    def finish(self) -> Pieces:
        """Give what was held back."""
        rest, self._held = self._held, ""
        if self._part is None or (self._part == "thought" and not self._streams):
            thoughts, answer = split_thoughts(rest)
            if thoughts:
                yield "thought", thoughts
            yield from self._whole_answer(answer or "")
        elif self._part == "answer":
            yield from self._whole_answer(rest)
        elif rest := rest.rstrip():
            yield self._part, rest if self._has_begun else rest.lstrip(BEFORE_RATIONALE)

    @property
    def _streams(self) -> bool:
        """Thoughts between two plain marks can be shown as they come; others must be seen whole."""
        return bool(self._closing) and not self._is_opened

    def _begin(self) -> None:
        """Does it open a thought?"""
        start = self._held.lstrip()
        for opening, closing in OWN_OPENINGS.items():
            if start.startswith(opening):
                self._part, self._is_opened, self._closing = "thought", False, closing
                if closing:
                    self._held = start[len(opening) :]
                return
        if not start or any(opening.startswith(start) for opening in OWN_OPENINGS):
            return
        self._part = "thought" if self._is_opened else "answer"
        self._has_begun = self._part == "answer"

    def _think(self) -> Pieces:
        if not self._closing:
            thought, rest = split_thoughts(self._held)
            if not rest:
                return
        elif (end := self._held.find(self._closing)) >= 0:
            thought, rest = self._held[:end], self._held[end + len(self._closing) :]
        else:
            if self._streams:
                sure = self._held[: len(self._held) - _overlap(self._held, self._closing)].rstrip()
                yield from self._give(self._held, keep=len(self._held) - len(sure))
            return
        yield from self._give(thought.rstrip(), keep=0)
        self._part, self._held, self._has_begun = "answer", rest, False

    def _answer(self) -> Pieces:
        if not self._has_rationale:
            yield from self._give(self._held, keep=0)
            return
        heading = find_heading(self._held)
        if heading is None:
            yield from self._give(self._held, keep=held_back(self._held))
            return
        rationale = self._held[heading.end() :]
        yield from self._give(self._held[: heading.start()].rstrip(), keep=0)
        self._part, self._held, self._has_begun = "rationale", rationale, False

    def _whole_answer(self, text: str) -> Pieces:
        answer, rationale = split_rationale(text) if self._has_rationale else (text, None)
        if answer := answer if self._has_begun else answer.lstrip():
            yield "answer", answer
        if rationale:
            yield "rationale", rationale

    def _give(self, text: str, *, keep: int) -> Pieces:
        """Give `text` but for its last `keep` characters, which stay."""
        cut = len(text) - keep
        piece, self._held = text[:cut], text[cut:]
        if not self._has_begun:
            piece = piece.lstrip(BEFORE_RATIONALE if self._part == "rationale" else None)
        if piece and self._part is not None:
            self._has_begun = True
            yield self._part, piece


def _blank_end(text: str) -> int:
    return len(text) - len(text.rstrip())


def _overlap(text: str, mark: str) -> int:
    """Length of the longest end of `text` that begins `mark`."""
    lengths = range(min(len(mark) - 1, len(text)), 0, -1)
    return next((n for n in lengths if mark.startswith(text[-n:])), 0)
