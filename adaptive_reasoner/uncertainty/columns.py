"""The tokens of a reply as columns: a verdict reads whole columns, and makes a token only where it looks at one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, repeat, starmap
from typing import Any, cast, overload

import numpy as np
from numpy.typing import NDArray

from adaptive_reasoner.uncertainty.tokens import TokenLogprob, token_bytes

Floats = NDArray[np.float64]


class PlainToken(TokenLogprob):
    """A token whose top list is paired up only when somebody looks at it, which outside the answer span is rare."""

    __slots__ = ("_columns", "_span")

    _columns: "Columns"
    _span: slice

    def __init__(
        self, token: str, logprob: float, utf8: bytes | None, columns: "Columns", span: slice
    ) -> None:
        put = object.__setattr__  # frozen, like every other token
        put(self, "token", token)
        put(self, "logprob", logprob)
        put(self, "utf8", utf8)
        put(self, "_columns", columns)
        put(self, "_span", span)

    @property
    def top(self) -> list[tuple[str, float]]:  # pyright: ignore[reportIncompatibleVariableOverride] - as readable
        """(token, logprob) of the most probable tokens at its place."""
        return list(zip(self._columns.texts[self._span], self.top_logprobs, strict=True))

    @property
    def top_logprobs(self) -> list[float]:
        """The list's log probabilities alone."""
        return self._columns.top[self._span].tolist()

    def __eq__(self, other: object) -> bool:
        """Equal to any token with the same values."""
        return isinstance(other, TokenLogprob) and _values(self) == _values(other)

    __hash__ = None  # pyright: ignore[reportAssignmentType] - lists have none, nor has any other token

    def __repr__(self) -> str:
        """As any other token's."""
        return repr(TokenLogprob(*_values(self)))

    def __reduce__(self) -> tuple[type[TokenLogprob], tuple[Any, ...]]:
        """Copies and pickles are common tokens."""
        return TokenLogprob, _values(self)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Columns(Sequence[TokenLogprob]):
    """n tokens with m alternatives in all, as they arrived; a sequence of tokens for whoever wants these.

    Attributes:
        spelled: n texts, as the provider spells them.
        logprobs: shape (n,), of the chosen tokens.
        utf8: n times the bytes that a token adds to the text; None where the provider does not say.
        texts: m, of the alternatives of the first token, then of the second, and so on.
        top: shape (m,), their log probabilities.
        edges: n + 1 places in `texts` and `top`: the list of token i is edges[i] to edges[i + 1].
    """

    spelled: list[str]
    logprobs: Floats
    utf8: list[bytes | None]
    texts: list[str]
    top: Floats
    edges: list[int]

    def __len__(self) -> int:
        return len(self.spelled)

    def __iter__(self) -> Iterator[TokenLogprob]:
        spans = starmap(slice, pairwise(self.edges))
        return map(PlainToken, self.spelled, self.logprobs.tolist(), self.utf8, repeat(self), spans)

    @overload
    def __getitem__(self, place: int) -> TokenLogprob: ...
    @overload
    def __getitem__(self, place: slice) -> list[TokenLogprob]: ...
    def __getitem__(self, place: int | slice) -> TokenLogprob | list[TokenLogprob]:
        """One token, or a list of them."""
        if isinstance(place, slice):
            return [self[index] for index in range(*place.indices(len(self)))]
        index = range(len(self))[place]  # from the end, too; an IndexError beyond it
        span = slice(self.edges[index], self.edges[index + 1])
        return PlainToken(self.spelled[index], float(self.logprobs[index]), self.utf8[index], self, span)

    def __eq__(self, other: object) -> bool:
        """Equal to a list of the same tokens."""
        return isinstance(other, Sequence) and list(self) == list(cast("Sequence[object]", other))

    __hash__ = None  # pyright: ignore[reportAssignmentType] - nor has a list

    def __repr__(self) -> str:
        """As a list of tokens."""
        return repr(list(self))

    @property
    def pieces(self) -> list[bytes]:
        """The bytes that each token adds to the text, from its spelling where the provider gave none."""
        if None in self.utf8:
            return list(map(token_bytes, self))
        return self.utf8  # pyright: ignore[reportReturnType] - none of them is None


def pieces_of(tokens: Sequence[TokenLogprob]) -> list[bytes]:
    """`token_bytes` of every token."""
    return tokens.pieces if isinstance(tokens, Columns) else [token_bytes(token) for token in tokens]


def _values(token: TokenLogprob) -> tuple[str, float, list[tuple[str, float]], bytes | None]:
    return token.token, token.logprob, token.top, token.utf8
