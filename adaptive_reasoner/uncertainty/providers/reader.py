"""What a family of formats gives to the table of readers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adaptive_reasoner.uncertainty.reply import Reply

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reader:
    """One family of formats, known by the keys of its JSON and never by a vendor's name.

    Attributes:
        family: its name in docs/logprobs.md.
        recognises: whether an object is a response, or a chunk of one, in this format.
        read: reads such an object.
        join: reads a whole stream of them where joining the chunks in their order would be wrong.
    """

    family: str
    recognises: Callable[[Json], bool]
    read: Callable[[Json], Reply]
    join: Callable[[Sequence[Json]], Reply] | None = None
