"""What a model answered, and whether it is right."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer to one prompt.

    Attributes:
        prompt: number of the task.
        text: the answer without its end token.
        right: as the checker found.
        tokens: of the answer, the end token included.
    """

    prompt: int
    text: str
    right: bool
    tokens: int
