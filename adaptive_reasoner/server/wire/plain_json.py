"""What of JSON can be kept: Python reads numbers and depths that neither databases nor other programs do."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

_LOWEST, _HIGHEST = -(2**63), 2**64 - 1
_DEEPEST = 64


def problem_of(value: Any) -> str | None:
    """Why `value`, read from JSON, cannot be kept as it is; None where it can."""
    for one, depth in _within(value):
        if depth > _DEEPEST:
            return f"nests deeper than {_DEEPEST} levels"
        if isinstance(one, int) and not _LOWEST <= one <= _HIGHEST:
            return "holds a whole number of more than 64 bits; write it as text"
        if isinstance(one, float) and not math.isfinite(one):
            return "holds a number that is not finite; JSON has none"
    return None


def _within(value: Any) -> Iterator[tuple[Any, int]]:
    """Everything in `value` and how deep it lies; without recursion, which has limits of its own."""
    waiting = [(value, 0)]
    while waiting:
        one, depth = waiting.pop()
        yield one, depth
        if depth > _DEEPEST:
            return
        if isinstance(one, Mapping):
            waiting += [(inner, depth + 1) for inner in cast("Mapping[str, Any]", one).values()]
        elif isinstance(one, Sequence) and not isinstance(one, str | bytes):
            waiting += [(inner, depth + 1) for inner in cast("Sequence[Any]", one)]
