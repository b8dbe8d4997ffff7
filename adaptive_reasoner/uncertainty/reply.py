"""What every reader of a provider's format gives: one reply, whole or a chunk of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from adaptive_reasoner.uncertainty.alignment import align_text
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
        is_snapshot: the whole reply: at the end of a stream it repeats what came before.
    """

    tokens: Sequence[TokenLogprob] = field(default_factory=list[TokenLogprob])
    text: str | None = None
    arguments: dict[int, Any] = field(default_factory=dict[int, Any])
    visible_tokens: int | None = None
    fault: str | None = None
    is_snapshot: bool = False


def merge(chunks: Sequence[Reply]) -> Reply:
    """Join the chunks of a stream in their order; a repetition of the whole at its end counts once."""
    streamed = _join([chunk for chunk in chunks if not chunk.is_snapshot])
    wholes = [chunk for chunk in chunks if chunk.is_snapshot]
    if not wholes:
        return streamed
    has_streamed = bool(streamed.tokens or streamed.text or streamed.arguments)
    if len(wholes) > 1 and not has_streamed:
        fault = f"these are {len(wholes)} whole responses, not the chunks of one: give one of them"
        return Reply(fault=fault)
    return _complete(wholes[-1], streamed) if has_streamed or streamed.fault else wholes[-1]


def _join(chunks: Sequence[Reply]) -> Reply:
    texts = [chunk.text for chunk in chunks if chunk.text is not None]
    counts = [chunk.visible_tokens for chunk in chunks if chunk.visible_tokens is not None]
    joined = Reply(
        tokens=[token for chunk in chunks for token in chunk.tokens],
        text="".join(texts) if texts else None,
        visible_tokens=counts[-1] if counts else None,
        fault=next((chunk.fault for chunk in chunks if chunk.fault), None),
    )
    for chunk in chunks:
        for index, piece in chunk.arguments.items():
            before = joined.arguments.get(index)
            joined.arguments[index] = (
                before + piece if isinstance(before, str) and isinstance(piece, str) else piece
            )
    return joined


def _complete(whole: Reply, streamed: Reply) -> Reply:
    """The whole's text with the streamed tokens, which are exact where a last event rounds them."""
    text = whole.text or streamed.text
    is_streamed = not whole.tokens or (bool(text) and align_text(streamed.tokens, text or "") is not None)
    source = streamed if is_streamed else whole
    return replace(
        whole,
        tokens=source.tokens,
        fault=source.fault,
        text=text,
        arguments=whole.arguments or streamed.arguments,
        visible_tokens=streamed.visible_tokens if whole.visible_tokens is None else whole.visible_tokens,
    )
