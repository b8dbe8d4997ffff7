"""From generated tokens to visible text: split characters, stop strings, the rationale's heading."""

import codecs
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from adaptive_reasoner.embedded.sampling import TokenScores
from adaptive_reasoner.embedded.tokenizer import encoding, special

RATIONALE_HEADING = "\nBecause:"


@dataclass(frozen=True, slots=True)
class VisibleToken:
    """A token as its reader sees it.

    Attributes:
        id: token id.
        raw: its bytes, cut where a stop string begins inside it.
        scores: where they were asked for.
        alternatives: how the scores' alternatives are shown; None: by their own bytes.
    """

    id: int
    raw: bytes
    scores: TokenScores | None
    alternatives: tuple[bytes, ...] | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole characters that are ready to be shown, and the tokens that spell them."""

    text: str
    tokens: tuple[VisibleToken, ...]


@cache
def visible_bytes(token: int) -> bytes:
    """The bytes of a token as shown: `<because>` becomes a heading, other special tokens their names."""
    if token == special("<because>"):
        return RATIONALE_HEADING.encode()
    return encoding().decode_single_token_bytes(token)


class PieceBuilder:
    """Collects tokens until whole characters are there that belong to no stop string.

    Attributes:
        stopped: a stop string was reached; no more tokens are wanted.
    """

    def __init__(self, stop: Sequence[str] = ()) -> None:
        self.stopped = False
        self._stop = tuple(text for text in stop if text)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._pending: list[Piece] = []
        self._partial: list[VisibleToken] = []

    def add(self, token: VisibleToken) -> Iterator[Piece]:
        """Take one token; give what is ready now."""
        self._partial.append(token)
        text = self._decoder.decode(token.raw)
        if not self._decoder.getstate()[0]:
            self._complete(text)
        yield from self._release()

    def finish(self) -> Iterator[Piece]:
        """Give what is left; an unfinished character becomes U+FFFD."""
        rest = self._decoder.decode(b"", final=True)
        if self._partial:
            self._complete(rest)
        yield from self._pending
        self._pending = []

    def _complete(self, text: str) -> None:
        self._pending.append(Piece(text, tuple(self._partial)))
        self._partial = []

    def _release(self) -> Iterator[Piece]:
        text = "".join(piece.text for piece in self._pending)
        found = [text.index(stop) for stop in self._stop if stop in text]
        if found:
            self.stopped = True
            self._pending = list(_cut(self._pending, min(found)))
            self._partial = []
        safe = min(found) if found else len(text) - self._held_back(text)
        shown = 0
        while self._pending and shown + len(self._pending[0].text) <= safe:
            piece = self._pending.pop(0)
            shown += len(piece.text)
            yield piece

    def _held_back(self, text: str) -> int:
        """Length of the longest end of `text` that begins a stop string."""
        longest = max((len(stop) for stop in self._stop), default=0)
        lengths = range(min(longest - 1, len(text)), 0, -1)
        return next((n for n in lengths if any(stop.startswith(text[-n:]) for stop in self._stop)), 0)


def _cut(pieces: Iterable[Piece], characters: int) -> Iterator[Piece]:
    """The pieces up to `characters`; a token that reaches beyond is cut: tokens still spell the text."""
    for piece in pieces:
        if characters <= 0:
            return
        if len(piece.text) <= characters:
            yield piece
        else:
            yield _shorten(piece, piece.text[:characters])
        characters -= len(piece.text)


def _shorten(piece: Piece, text: str) -> Piece:
    room = len(text.encode())
    kept: list[VisibleToken] = []
    for token in piece.tokens:
        raw = token.raw[:room]
        room -= len(raw)
        if raw:
            kept.append(replace(token, raw=raw))
    return Piece(text, tuple(kept))
