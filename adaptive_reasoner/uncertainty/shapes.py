"""Views of parsed JSON whose shape is not known yet."""

from collections.abc import Mapping, Sequence
from typing import Any, cast


def as_mapping(value: object) -> Mapping[str, Any]:
    """`value` where it is an object, an empty one otherwise."""
    if isinstance(value, (dict, Mapping)):  # dict first: asking for an abstract class takes ten times as long
        return cast("Mapping[str, Any]", value)
    return {}


def as_list(value: object) -> Sequence[Any] | None:
    """`value` where it is a list, None otherwise; text is no list."""
    if isinstance(value, (list, Sequence)) and not isinstance(value, str | bytes):
        return cast("Sequence[Any]", value)
    return None
