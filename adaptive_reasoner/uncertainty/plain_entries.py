"""The fast way through what nearly every response holds: entries as OpenAI documents them, nothing odd.

At 20 alternatives a token, reading and checking them one by one is where the time goes. What is plain is read and
checked in bulk; everything else is left to the careful readers, whose results these are equal to.
"""

from collections.abc import Sequence
from itertools import accumulate, chain, pairwise, repeat, starmap
from operator import itemgetter
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from adaptive_reasoner.uncertainty.tokens import (
    MASS_ROUNDING,
    SENTINEL_LOGPROB,
    TokenLogprob,
    find_fault,
    normalize,
)

_TEXT, _LOGPROB, _TOP = itemgetter("token"), itemgetter("logprob"), itemgetter("top_logprobs")
_FLOATS = frozenset({float})


class PlainToken(TokenLogprob):
    """A token whose top list is paired up only when somebody looks at it, which outside the answer span is rare."""

    __slots__ = ("_lists", "_span")

    # Of all tokens of the reply, shared: two lists less a token, which the garbage collector need not look through.
    _lists: tuple[list[str], list[float]]
    _span: slice

    def __init__(
        self,
        token: str,
        logprob: float,
        utf8: bytes | None,
        lists: tuple[list[str], list[float]],
        span: slice,
    ) -> None:
        put = object.__setattr__  # frozen, like every other token
        put(self, "token", token)
        put(self, "logprob", logprob)
        put(self, "utf8", utf8)
        put(self, "_lists", lists)
        put(self, "_span", span)

    @property
    def top(self) -> list[tuple[str, float]]:  # pyright: ignore[reportIncompatibleVariableOverride] - as readable
        """(token, logprob) of the most probable tokens at its place."""
        texts, logprobs = self._lists
        return list(zip(texts[self._span], logprobs[self._span], strict=True))

    @property
    def first(self) -> tuple[str, float]:
        """The first of its list, which must not be empty."""
        texts, logprobs = self._lists
        start: int = self._span.start
        return texts[start], logprobs[start]

    @property
    def top_logprobs(self) -> list[float]:
        """The list's log probabilities alone."""
        return self._lists[1][self._span]

    def __eq__(self, other: object) -> bool:
        """Equal to any token with the same values."""
        return isinstance(other, TokenLogprob) and _values(self) == _values(other)

    __hash__ = None  # pyright: ignore[reportAssignmentType] - lists have none, nor has any other token

    def __reduce__(self) -> tuple[type[TokenLogprob], tuple[Any, ...]]:
        """Copies and pickles are common tokens."""
        return TokenLogprob, _values(self)


def read_plain(entries: Sequence[Any]) -> list[TokenLogprob] | None:
    """Read entries of the common shape; None where one differs, so that a careful reader decides."""
    try:
        lists = list(map(_TOP, entries))
        others = list(chain.from_iterable(lists))
        texts, logprobs = list(map(_TEXT, others)), list(map(_LOGPROB, others))
        chosen, own = list(map(_TEXT, entries)), list(map(_LOGPROB, entries))
        utf8 = [_bytes(entry.get("bytes")) for entry in entries]
        "".join(chain(chosen, texts))  # a TypeError where one is no text
    except (AttributeError, KeyError, TypeError, ValueError, IndexError):
        return None
    if not (set(map(type, logprobs)) | set(map(type, own))) <= _FLOATS:
        return None
    both = (texts, logprobs)
    spans = starmap(slice, pairwise(accumulate(map(len, lists), initial=0)))
    return list(map(PlainToken, chosen, own, utf8, repeat(both), spans))


def check_numbers(tokens: Sequence[TokenLogprob]) -> tuple[list[TokenLogprob], str | None]:
    """`normalize` of every token, and `find_fault`'s answer; what is plain is seen through in bulk."""
    is_plain = _is_plain(tokens)
    odd = np.flatnonzero(~is_plain).tolist()
    suspects = [tokens[index] for index in odd]
    if len(odd) < len(tokens):  # one plain token, so that the others are not judged as the whole answer
        suspects.append(tokens[int(is_plain.argmax())])
    fault = find_fault(suspects)
    kept = list(tokens)
    if fault is None:
        for index in odd:
            kept[index] = normalize(tokens[index])
    return kept, fault


def _values(token: TokenLogprob) -> tuple[str, float, list[tuple[str, float]], bytes | None]:
    return token.token, token.logprob, token.top, token.utf8


def _bytes(value: Any) -> bytes | None:
    """The bytes of a list of numbers.

    Raises:
        TypeError, ValueError: it is none.
    """
    if value is None:
        return None
    if type(value) is not list:
        raise TypeError
    return bytes(cast("list[int]", value))


def _is_plain(tokens: Sequence[TokenLogprob]) -> NDArray[np.bool_]:
    """Which of n tokens are surely without fault and already as `normalize` leaves them, shape (n,)."""
    lists = list(map(_logprobs, tokens))
    plain = np.array([*map(_is_listed, tokens, lists)], dtype=np.bool_)
    if len(plain) and plain.all():
        return _are_lists_plain(lists)
    listed = [one for one, is_listed in zip(lists, plain.tolist(), strict=True) if is_listed]
    if listed:
        plain[plain] = _are_lists_plain(listed)
    return plain


def _is_listed(token: TokenLogprob, logprobs: list[float]) -> bool:
    """True if the token stands in its own list with its own log probability."""
    if not logprobs:
        return False
    if isinstance(token, PlainToken) and token.first == (token.token, token.logprob):
        return True
    return (token.token, token.logprob) in token.top


def _logprobs(token: TokenLogprob) -> list[float]:
    return token.top_logprobs if isinstance(token, PlainToken) else [logprob for _, logprob in token.top]


def _are_lists_plain(lists: Sequence[Sequence[float]]) -> NDArray[np.bool_]:
    """Which of m lists, none of them empty, do not rise, hold no placeholder and add up to at most 1."""
    counts = np.array(list(map(len, lists)), dtype=np.int64)
    starts = np.cumsum(counts) - counts
    flat = np.fromiter(chain.from_iterable(lists), dtype=np.float64, count=int(counts.sum()))
    falls = np.empty(len(flat), dtype=np.bool_)
    falls[1:] = flat[1:] <= flat[:-1]  # equal ones, which rounded numbers make common, keep their order
    falls[starts] = flat[starts] <= 0.0
    falls &= flat > SENTINEL_LOGPROB
    mass = np.add.reduceat(np.exp(np.minimum(flat, 0.0)), starts)
    return np.logical_and.reduceat(falls, starts) & (mass <= 1.0 + MASS_ROUNDING)
