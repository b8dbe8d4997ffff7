"""Views of parsed JSON whose shape is not known yet."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

# No answer has more tokens; a larger number is no count, and Python refuses to print the largest.
_MAX_COUNT = 10**9


def as_mapping(value: object) -> Mapping[str, Any]:
    """`value` where it is an object, an empty one otherwise."""
    # What JSON holds first: asking for an abstract class takes ten times as long.
    if isinstance(value, dict) or (value is not None and isinstance(value, Mapping)):
        return cast("Mapping[str, Any]", value)
    return {}


def as_list(value: object) -> Sequence[Any] | None:
    """`value` where it is a list, None otherwise; text is no list."""
    if isinstance(value, list):
        return cast("list[Any]", value)
    if value is None or isinstance(value, (str, bytes, dict)) or not isinstance(value, Sequence):
        return None
    return cast("Sequence[Any]", value)


def first_mapping(value: object) -> Mapping[str, Any]:
    """The first element of a list, where it is an object; an empty one otherwise."""
    elements = as_list(value)
    return as_mapping(elements[0]) if elements else {}


def as_count(value: object) -> int | None:
    """`value` where it is a number of tokens, None otherwise."""
    return value if type(value) is int and 0 <= value < _MAX_COUNT else None


def text_of(value: object) -> str | None:
    """A text, or the texts of a list of parts joined, thoughts left out; None where there is neither."""
    if isinstance(value, str):
        return value
    if (parts := as_list(value)) is None:
        return None
    texts = [part if isinstance(part, str) else as_mapping(part).get("text") for part in parts]
    return "".join(text for text in texts if isinstance(text, str))


def either(fields: Mapping[str, Any], camel: str, snake: str) -> Any:
    """The field by its name in REST's JSON, or by the one that an SDK gives it; None where it has neither."""
    value = fields.get(camel)
    return fields.get(snake) if value is None else value
