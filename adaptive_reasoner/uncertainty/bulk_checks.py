"""The checks of `tokens.py` on all tokens at once: what is plain is seen through in bulk, the rest one by one."""

from collections.abc import Sequence
from itertools import accumulate, chain

import numpy as np
from numpy.typing import NDArray

from adaptive_reasoner.uncertainty.columns import Columns, Floats
from adaptive_reasoner.uncertainty.tokens import (
    MASS_ROUNDING,
    SENTINEL_LOGPROB,
    TokenLogprob,
    find_fault,
    normalize,
)


def check_numbers(tokens: Sequence[TokenLogprob]) -> tuple[Sequence[TokenLogprob], str | None]:
    """`normalize` of every token, and `find_fault`'s answer."""
    is_plain = _plain_tokens(tokens)
    if is_plain.all():
        return tokens, None
    odd = np.flatnonzero(~is_plain).tolist()
    suspects = [tokens[index] for index in odd]
    if is_plain.any():  # one plain token, so that the others are not judged as the whole answer
        suspects.append(tokens[int(is_plain.argmax())])
    fault = find_fault(suspects)
    kept = list(tokens)
    if fault is None:
        for index in odd:
            kept[index] = normalize(tokens[index])
    return kept, fault


def _plain_tokens(tokens: Sequence[TokenLogprob]) -> NDArray[np.bool_]:
    """Which of n tokens are surely without fault and already as `normalize` leaves them, shape (n,)."""
    if isinstance(tokens, Columns):
        return _are_own(tokens) & _are_lists_plain(tokens.top, np.array(tokens.edges, dtype=np.int64))
    own = [(token.token, token.logprob) in token.top for token in tokens]
    lists = [[logprob for _, logprob in token.top] for token in tokens]
    edges = np.array(list(accumulate(map(len, lists), initial=0)), dtype=np.int64)
    flat = np.fromiter(chain.from_iterable(lists), dtype=np.float64, count=int(edges[-1]))
    return np.array(own, dtype=np.bool_) & _are_lists_plain(flat, edges)


def _are_own(columns: Columns) -> NDArray[np.bool_]:
    """Which tokens stand in their own list with their own log probability; nearly always they are its first."""
    texts, starts, ends = columns.texts, columns.edges, columns.edges[1:]
    tokens = zip(columns.spelled, starts, ends, strict=False)  # one start more: the end of the last
    own = np.array(
        [start < end and texts[start] == spelled for spelled, start, end in tokens], dtype=np.bool_
    )
    first = np.array(starts[:-1], dtype=np.int64)[own]
    own[own] = columns.top[first] == columns.logprobs[own]
    for index in np.flatnonzero(~own).tolist():
        token = columns[index]
        own[index] = (token.token, token.logprob) in token.top
    return own


def _are_lists_plain(top: Floats, edges: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of n lists hold something, do not rise, hold no placeholder and add up to at most 1; shape (n,).

    Args:
        top: shape (m,), the lists one after another.
        edges: shape (n + 1,), where each begins, and m.
    """
    plain = edges[:-1] < edges[1:]
    starts = edges[:-1][plain]
    if not len(starts):
        return plain
    falls = np.empty(len(top), dtype=np.bool_)
    falls[1:] = top[1:] <= top[:-1]  # equal ones, which rounded numbers make common, keep their order
    falls[starts] = top[starts] <= 0.0
    falls &= top > SENTINEL_LOGPROB
    mass = np.add.reduceat(np.exp(np.minimum(top, 0.0)), starts)
    plain[plain] = np.logical_and.reduceat(falls, starts) & (mass <= 1.0 + MASS_ROUNDING)
    return plain
