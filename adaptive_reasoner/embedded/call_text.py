"""From the tokens of a formula to the JSON arguments of a tool call, with the log probabilities beside them."""

import json
from collections.abc import Iterator

import numpy as np

from adaptive_reasoner.embedded.answer_text import Piece, VisibleToken, visible_bytes
from adaptive_reasoner.embedded.sampling import TokenScores
from adaptive_reasoner.embedded.tokenizer import special

_CLOSING = '"}'


class CallBuilder:
    """Shows the tokens of a call as its arguments: {"expression": "7 * 14"}.

    What is put around the formula is no choice of the model's and has log probability 0; the closing quote
    stands for `<eos>`, where the model chose to end the formula, and carries that token's.

    Attributes:
        stopped: the formula has ended.
    """

    def __init__(self, parameter: str) -> None:
        self.stopped = False
        self._opening = json.dumps({parameter: ""})[: -len(_CLOSING)]
        self._is_first = True

    def add(self, token: VisibleToken) -> Iterator[Piece]:
        """Take one token; give what it shows as."""
        if self._is_first:
            yield self._open(token)
        if token.id == special("<eos>"):
            self.stopped = True
            yield Piece(_CLOSING, (_renamed(token, _CLOSING.encode()),))
            return
        shown = _without_space(token) if self._is_first else token
        self._is_first = False
        yield Piece(shown.raw.decode(), (shown,))

    def finish(self) -> Iterator[Piece]:
        """Nothing is held back."""
        yield from ()

    def _open(self, token: VisibleToken) -> Piece:
        nothing = TokenScores(0.0, np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))
        scores = None if token.scores is None else nothing
        return Piece(self._opening, (VisibleToken(-1, self._opening.encode(), scores),))


def _without_space(token: VisibleToken) -> VisibleToken:
    """The first token of a formula, whose space before it is not shown; neither is its alternatives'."""
    if token.scores is None:
        return VisibleToken(token.id, token.raw.lstrip(b" "), None)
    shown = tuple(visible_bytes(other).removeprefix(b" ") for other in token.scores.top_ids.tolist())
    return VisibleToken(token.id, token.raw.lstrip(b" "), token.scores, shown)


def _renamed(token: VisibleToken, raw: bytes) -> VisibleToken:
    """The token under another name, in the list of its alternatives as well."""
    if token.scores is None:
        return VisibleToken(token.id, raw, None)
    listed = token.scores.top_ids.tolist()
    shown = tuple(raw if other == token.id else visible_bytes(other) for other in listed)
    return VisibleToken(token.id, raw, token.scores, shown)
