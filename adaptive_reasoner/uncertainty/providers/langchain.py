"""LangChain messages, as objects or as JSON: log probabilities where the integrations leave them.

`response_metadata["logprobs"]`: langchain-openai (the object of Chat Completions) and langchain-ollama (a list);
`["logprobs_result"]`: langchain-google (a list of entries, or Gemini's own object);
`["additionalModelResponseFields"]`: langchain-aws; a text block's own `logprobs`: the Responses API.
"""

from collections.abc import Iterator
from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk

from adaptive_reasoner.uncertainty.entries import Entries, read_entries
from adaptive_reasoner.uncertainty.providers.bedrock import read_model_fields
from adaptive_reasoner.uncertainty.providers.gemini import read_result
from adaptive_reasoner.uncertainty.providers.reader import Json, Reader
from adaptive_reasoner.uncertainty.reply import Reply
from adaptive_reasoner.uncertainty.shapes import as_count, as_list, as_mapping, text_of
from adaptive_reasoner.uncertainty.tokens import UNTRUSTED


def read_message(message: AIMessage) -> Reply:
    """Read a message, or a chunk of a streamed one."""
    is_chunk = isinstance(message, AIMessageChunk)
    metadata = cast("dict[str, Any]", message.response_metadata)
    tokens, fault = _entries(metadata, message.content)
    if isinstance(message, AIMessageChunk) and message.tool_call_chunks:
        arguments = {call["index"] or 0: call["args"] or "" for call in message.tool_call_chunks}
    else:
        calls = [*message.tool_calls, *message.invalid_tool_calls]
        arguments = {index: call["args"] for index, call in enumerate(calls)}
    visible = _visible_tokens(as_mapping(message.usage_metadata))
    text = str(message.text)
    return Reply(tokens, text, cast("dict[int, Any]", arguments), visible, fault, is_snapshot=not is_chunk)


def _recognises(raw: Json) -> bool:
    return "response_metadata" in raw and "content" in raw


def _read(raw: Json) -> Reply:
    tokens, fault = _entries(as_mapping(raw.get("response_metadata")), raw.get("content"))
    calls = [as_mapping(call).get("args") for call in as_list(raw.get("tool_calls")) or ()]
    return Reply(
        tokens,
        text_of(raw.get("content")) or "",
        dict(enumerate(calls)),
        _visible_tokens(as_mapping(raw.get("usage_metadata"))),
        fault,
    )


def _visible_tokens(usage: Json) -> int | None:
    output = as_count(usage.get("output_tokens"))
    thought = as_count(as_mapping(usage.get("output_token_details")).get("reasoning"))
    return None if output is None else output - (thought or 0)


def _entries(metadata: Json, content: Any) -> Entries:
    nothing: Entries = ([], None)
    tokens, fault = next((found for found in _places(metadata, content) if found[0] or found[1]), nothing)
    doubted = metadata.get(UNTRUSTED)
    return tokens, doubted if tokens and isinstance(doubted, str) else fault


def _places(metadata: Json, content: Any) -> Iterator[Entries]:
    yield read_entries(metadata.get("logprobs"))
    result = metadata.get("logprobs_result")
    yield read_entries(result) if as_list(result) is not None else read_result(result)
    yield read_model_fields(metadata.get("additionalModelResponseFields"))
    blocks = [as_mapping(block) for block in as_list(content) or ()]
    shown = [block for block in blocks if block.get("type") in ("text", "output_text")]
    read = [read_entries(block.get("logprobs")) for block in shown]
    yield (
        [token for tokens, _ in read for token in tokens],
        next((fault for _, fault in read if fault), None),
    )


READER = Reader("LangChain message as JSON", _recognises, _read)
