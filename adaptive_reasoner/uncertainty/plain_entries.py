"""The fast way through what nearly every response holds: entries as OpenAI documents them, nothing odd.

At 20 alternatives a token, reading and checking them one by one is where the time goes. What is plain is read and
checked in bulk; everything else is left to the careful readers, whose results these are equal to.
"""

from collections.abc import Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adaptive_reasoner.uncertainty.tokens import (
    MASS_ROUNDING,
    SENTINEL_LOGPROB,
    TokenLogprob,
    find_fault,
    normalize,
)

_PAIR = itemgetter("token", "logprob")
_TEXT, _LOGPROB = itemgetter(0), itemgetter(1)
_TEXTS, _FLOATS = frozenset({str}), frozenset({float})


def read_plain(entries: Sequence[Any]) -> list[TokenLogprob] | None:
    """Read entries of the common shape; None where one differs, so that a careful reader decides."""
    try:
        tokens = [
            TokenLogprob(
                entry["token"],
                entry["logprob"],
                list(map(_PAIR, entry["top_logprobs"])),
                bytes(entry["bytes"]),
            )
            for entry in entries
            if type(entry["bytes"]) is list
        ]
    except (KeyError, TypeError, ValueError, IndexError):
        return None
    pairs = [(token.token, token.logprob) for token in tokens]
    listed = list(chain(pairs, chain.from_iterable(token.top for token in tokens)))
    is_plain = (
        len(tokens) == len(entries)
        and set(map(type, map(_TEXT, listed))) <= _TEXTS
        and set(map(type, map(_LOGPROB, listed))) <= _FLOATS
    )
    return tokens if is_plain else None


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


def _is_plain(tokens: Sequence[TokenLogprob]) -> NDArray[np.bool_]:
    """Which of n tokens are surely without fault and already as `normalize` leaves them, shape (n,)."""
    plain = np.array([(token.token, token.logprob) in token.top for token in tokens], dtype=np.bool_)
    tops = [token.top for token, is_listed in zip(tokens, plain.tolist(), strict=True) if is_listed]
    if tops:
        plain[plain] = _are_lists_plain(tops)
    return plain


def _are_lists_plain(tops: Sequence[Sequence[tuple[str, float]]]) -> NDArray[np.bool_]:
    """Which of m lists, none of them empty, fall strictly, hold no placeholder and add up to at most 1."""
    counts = np.array(list(map(len, tops)), dtype=np.int64)
    starts = np.cumsum(counts) - counts
    logprobs = map(_LOGPROB, chain.from_iterable(tops))
    flat = np.fromiter(logprobs, dtype=np.float64, count=int(counts.sum()))
    falls = np.empty(len(flat), dtype=np.bool_)
    falls[1:] = flat[1:] < flat[:-1]
    falls[starts] = flat[starts] <= 0.0
    falls &= flat > SENTINEL_LOGPROB
    mass = np.add.reduceat(np.exp(np.minimum(flat, 0.0)), starts)
    return np.logical_and.reduceat(falls, starts) & (mass <= 1.0 + MASS_ROUNDING)
