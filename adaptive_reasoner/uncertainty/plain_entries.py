"""The fast way through what nearly every response holds: entries as OpenAI documents them, nothing odd.

At 20 alternatives a token, reading them one by one is where the time goes. What is plain is read column by column;
everything else is left to the careful readers, whose results these are equal to.
"""

import marshal
from collections.abc import Sequence
from itertools import accumulate, chain
from operator import itemgetter
from types import NoneType
from typing import Any

import numpy as np

from adaptive_reasoner.uncertainty.columns import Columns, Floats

_TEXT, _LOGPROB, _TOP = itemgetter("token"), itemgetter("logprob"), itemgetter("top_logprobs")
_LIST, _LIST_OR_NONE = frozenset({list}), frozenset({list, NoneType})
# So many lists that their entries are still in the processor's cache when they are read again.
_AT_ONCE = 50
# A list in Python's own binary format: "[" and a count of 4 bytes, then of each float "g" and 8 bytes.
_MARSHALLED_FLOAT = np.dtype([("kind", "S1"), ("value", "<f8")])
_HEADER_BYTES = 5


def read_plain(entries: Sequence[Any]) -> Columns | None:
    """Read entries of the common shape; None where one differs, so that a careful reader decides."""
    try:
        lists, given = list(map(_TOP, entries)), [entry.get("bytes") for entry in entries]
        if not (set(map(type, lists)) <= _LIST and set(map(type, given)) <= _LIST_OR_NONE):
            return None
        spelled, own = list(map(_TEXT, entries)), to_floats(list(map(_LOGPROB, entries)))
        texts, logprobs = _columns_of(lists)
        top = to_floats(logprobs)
        "".join(chain(spelled, texts))  # a TypeError where one is no text
        utf8 = [None if one is None else bytes(one) for one in given]
    except (AttributeError, KeyError, TypeError, ValueError, IndexError):
        return None
    if own is None or top is None:
        return None
    return Columns(spelled, own, utf8, texts, top, list(accumulate(map(len, lists), initial=0)))


def _columns_of(lists: Sequence[list[Any]]) -> tuple[list[Any], list[Any]]:
    """The texts and the log probabilities of all alternatives, in their order."""
    texts, logprobs = list[Any](), list[Any]()
    for start in range(0, len(lists), _AT_ONCE):
        others = list(chain.from_iterable(lists[start : start + _AT_ONCE]))
        texts += map(_TEXT, others)
        logprobs += map(_LOGPROB, others)
    return texts, logprobs


def to_floats(values: list[Any]) -> Floats | None:
    """The values as an array of shape (n,), None where one of them is anything but a float.

    NumPy would take true, 1 and "1" for numbers, and looking at each value's type costs as much as converting it.
    What `marshal` writes says both: a value is a float where every ninth byte is a "g".

    Raises:
        ValueError: one is nothing that JSON holds.
    """
    written = marshal.dumps(values, 2)  # version 2 of the format, whatever Python's own is
    if len(written) != _HEADER_BYTES + len(values) * _MARSHALLED_FLOAT.itemsize:
        return None
    table = np.frombuffer(written, _MARSHALLED_FLOAT, offset=_HEADER_BYTES)
    return np.ascontiguousarray(table["value"]) if (table["kind"] == b"g").all() else None
