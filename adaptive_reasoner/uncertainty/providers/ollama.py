"""Ollama's own /api/chat and /api/generate, whole or streamed (one JSON a line): a list `logprobs` beside the text.

Tokens of the `thinking` text may be listed too; calls of tools come without any.
"""

from adaptive_reasoner.uncertainty.entries import read_entries
from adaptive_reasoner.uncertainty.providers.openai_chat import read_tool_calls
from adaptive_reasoner.uncertainty.providers.reader import Json, Reader
from adaptive_reasoner.uncertainty.reply import Reply
from adaptive_reasoner.uncertainty.shapes import as_count, as_mapping


def _recognises(raw: Json) -> bool:
    return isinstance(raw.get("done"), bool) and ("message" in raw or "response" in raw)


def _read(raw: Json) -> Reply:
    message = as_mapping(raw.get("message"))
    text = message.get("content", raw.get("response"))
    tokens, fault = read_entries(raw.get("logprobs"))
    return Reply(
        tokens,
        text if isinstance(text, str) else None,
        read_tool_calls(message.get("tool_calls")),
        as_count(raw.get("eval_count")),
        fault,
    )


READER = Reader("Ollama", _recognises, _read)
