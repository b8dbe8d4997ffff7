"""Anthropic Messages: never with log probabilities, so that the answer is known and its confidence is not."""

from adaptive_reasoner.uncertainty.providers.reader import Json, Reader
from adaptive_reasoner.uncertainty.reply import Reply
from adaptive_reasoner.uncertainty.shapes import as_list, as_mapping

_EVENTS = ("message_start", "message_delta", "message_stop", "content_block_start", "content_block_delta")


def _recognises(raw: Json) -> bool:
    return raw.get("type") in ("message", *_EVENTS, "content_block_stop")


def _read(raw: Json) -> Reply:
    delta = as_mapping(raw.get("delta"))
    parts = [delta] if delta else [as_mapping(one) for one in as_list(raw.get("content")) or ()]
    texts = [part["text"] for part in parts if isinstance(part.get("text"), str)]
    calls = [part.get("input") for part in parts if part.get("type") == "tool_use"]
    return Reply(text="".join(texts), arguments=dict(enumerate(calls)))


READER = Reader("Anthropic Messages", _recognises, _read)
