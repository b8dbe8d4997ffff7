"""Where the doubt about a call of tools lies: which argument of which call, and what nearly stood there."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adaptive_reasoner.state import UncertainSpan
from adaptive_reasoner.uncertainty.structured import Range, named_values


@dataclass(frozen=True, slots=True)
class DoubtedValue:
    """An uncertain stretch of one argument.

    Attributes:
        call: index of the call in its message.
        name: of the argument, the innermost one where they are nested; "" where it has none.
        value: the argument's whole text, without quotes.
        alternatives: [text, probability] of the stretch, the chosen text first.
    """

    call: int
    name: str
    value: str
    alternatives: list[list[Any]]


def doubted_values(
    text: str, calls: Sequence[Mapping[str, Any]], spans: Sequence[UncertainSpan]
) -> list[DoubtedValue]:
    """The uncertain stretches of a message's tool calls, each with its argument.

    Args:
        text: the arguments as the model wrote them, from the first call's to the last one's; the spans' offsets
            refer to it.
        calls: the parsed arguments of each call, in their order.
        spans: of the message's signal.

    Returns:
        One for each span within a value; spans of anything else tell nothing and are left out.
    """
    found: list[DoubtedValue] = []
    for place, (start, end) in enumerate(_call_ranges(text, calls)):
        for name, (low, high) in named_values(text[start:end]):
            value = (start + low, start + high)
            found += [
                DoubtedValue(place, name, text[slice(*value)], span["alternatives"])
                for span in spans
                if span["start"] < value[1] and value[0] < span["end"]
            ]
    return found


def _call_ranges(text: str, calls: Sequence[Mapping[str, Any]]) -> list[Range]:
    """[start, end) of each call's JSON object; of one that is not found, and of those after it, nothing."""
    decoder, ranges, position = json.JSONDecoder(), list[Range](), 0
    for call in calls:
        while (position := text.find("{", position)) >= 0:
            value, end = _decoded(decoder, text, position)
            if value == call:
                ranges.append((position, end))
                position = end
                break
            position += 1
        else:
            break
    return ranges


def _decoded(decoder: json.JSONDecoder, text: str, position: int) -> tuple[Any, int]:
    try:
        return decoder.raw_decode(text, position)
    except (ValueError, RecursionError):
        return None, position
