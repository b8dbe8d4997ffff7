"""What every reader of a provider's format gives: one reply, whole or a chunk of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from adaptive_reasoner.uncertainty.tokens import TokenLogprob


@dataclass(slots=True)
class Reply:
    """One reply before its tokens are matched with what it shows.

    Attributes:
        tokens: as listed; thoughts and end marks may be among them.
        text: the visible text, None where the format does not carry it.
        arguments: of tool calls, by their index: JSON text, or what it parses to.
        visible_tokens: output tokens less reasoning tokens, by the provider's count.
        fault: why the list of log probabilities could not be read.
    """

    tokens: list[TokenLogprob] = field(default_factory=list[TokenLogprob])
    text: str | None = None
    arguments: dict[int, Any] = field(default_factory=dict[int, Any])
    visible_tokens: int | None = None
    fault: str | None = None


def merge(chunks: Sequence[Reply]) -> Reply:
    """Join the chunks of a stream in their order."""
    texts = [chunk.text for chunk in chunks if chunk.text is not None]
    counts = [chunk.visible_tokens for chunk in chunks if chunk.visible_tokens is not None]
    whole = Reply(
        tokens=[token for chunk in chunks for token in chunk.tokens],
        text="".join(texts) if texts else None,
        visible_tokens=counts[-1] if counts else None,
        fault=next((chunk.fault for chunk in chunks if chunk.fault), None),
    )
    for chunk in chunks:
        for index, piece in chunk.arguments.items():
            before = whole.arguments.get(index)
            whole.arguments[index] = (
                before + piece if isinstance(before, str) and isinstance(piece, str) else piece
            )
    return whole
