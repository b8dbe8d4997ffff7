"""From token ids to text that can be shown: whole characters, and nothing of a stop string."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from adaptive_reasoner.decoding.token_choice import ChosenToken

_BROKEN = "\ufffd"  # what decoders write for part of a character
_LONGEST_CHARACTER = 4  # bytes, and so tokens; what is still broken then was never a character


@dataclass(frozen=True, slots=True)
class WrittenToken:
    """A token as its reader sees it.

    Attributes:
        text: whole characters; a character's earlier tokens are joined with the one that completes it.
        logprob: of the token, or of those joined, in nats; None where none was asked for.
        top: (text, logprob) of the most likely tokens.
    """

    text: str
    logprob: float | None
    top: tuple[tuple[str, float], ...]


class TextOfTokens:
    """Decodes an answer token by token, each after the one before it: decoders drop a first space."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._before: list[int] = []
        self._open: list[ChosenToken] = []

    def add(self, token: ChosenToken) -> WrittenToken | None:
        """The text that `token` completes; None while a character is unfinished."""
        self._open.append(token)
        ids = [part.id for part in self._open]
        text = self._text_after(ids)
        if text.endswith(_BROKEN) and len(ids) < _LONGEST_CHARACTER:
            return None
        written = WrittenToken(text, self._joint_logprob(), self._alternatives(ids[:-1], token))
        self._before, self._open = ids, []
        return written

    def finish(self) -> WrittenToken | None:
        """What is left: an unfinished character becomes U+FFFD."""
        if not self._open:
            return None
        written = WrittenToken(self._text_after([part.id for part in self._open]), self._joint_logprob(), ())
        self._open = []
        return written

    def _joint_logprob(self) -> float | None:
        known = [token.logprob for token in self._open if token.logprob is not None]
        return sum(known) if known else None

    def _alternatives(self, started: list[int], token: ChosenToken) -> tuple[tuple[str, float], ...]:
        return tuple((self._text_after([*started, other]), logprob) for other, logprob in token.top)

    def _text_after(self, ids: list[int]) -> str:
        before = self._decode(self._before)
        return self._decode([*self._before, *ids])[len(before) :]

    def _decode(self, ids: list[int]) -> str:
        return self._tokenizer.decode(ids, clean_up_tokenization_spaces=False) if ids else ""


class StopText:
    """Holds text back while it may begin a stop string, and ends before one.

    Attributes:
        stopped: a stop string was reached; no more tokens are wanted.
    """

    def __init__(self, stop: Sequence[str]) -> None:
        self.stopped = False
        self._stop = tuple(text for text in stop if text)
        self._held: list[WrittenToken] = []

    def add(self, token: WrittenToken) -> Iterator[WrittenToken]:
        """Take one token; give what can be shown now."""
        self._held.append(token)
        text = "".join(part.text for part in self._held)
        found = [text.index(stop) for stop in self._stop if stop in text]
        if found:
            self.stopped = True
            yield from first_characters(self._held, min(found))
            self._held = []
            return
        yield from self._shown(len(text) - self._may_begin(text))

    def finish(self) -> Iterator[WrittenToken]:
        """Give what was held back."""
        yield from self._held
        self._held = []

    def _shown(self, safe: int) -> Iterator[WrittenToken]:
        while self._held and len(self._held[0].text) <= safe:
            token = self._held.pop(0)
            safe -= len(token.text)
            yield token

    def _may_begin(self, text: str) -> int:
        """Length of the longest end of `text` that begins a stop string."""
        longest = max((len(stop) for stop in self._stop), default=1) - 1
        lengths = range(min(longest, len(text)), 0, -1)
        return next((n for n in lengths if any(stop.startswith(text[-n:]) for stop in self._stop)), 0)


def first_characters(tokens: Sequence[WrittenToken], characters: int) -> Iterator[WrittenToken]:
    """The tokens up to `characters`; the last one is cut there."""
    for token in tokens:
        if characters <= 0:
            return
        yield token if len(token.text) <= characters else _cut(token, characters)
        characters -= len(token.text)


def _cut(token: WrittenToken, characters: int) -> WrittenToken:
    """The token's beginning, under the same name among its alternatives: it must not be counted twice."""
    text = token.text[:characters]
    top = tuple((text if other == token.text else other, logprob) for other, logprob in token.top)
    return replace(token, text=text, top=top)
