"""Chat messages in the shapes of OpenAI's Chat Completions: whole answers and stream chunks."""

import json
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk, UsageMetadata

from adaptive_reasoner.thinking.chunks import as_chunk
from adaptive_reasoner.uncertainty.tokens import UNTRUSTED

Json = dict[str, Any]

# The first delta of every choice.
OPENING: Json = {"role": "assistant", "content": "", "refusal": None}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What every part of one response repeats.

    Attributes:
        model: name that the response carries.
        with_logprobs: log probabilities go into the response.
    """

    model: str
    with_logprobs: bool
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))

    def completion(self, messages: Sequence[AIMessage]) -> Json:
        """One response with a choice for each message."""
        choices = [self.choice(index, message) for index, message in enumerate(messages)]
        usage = combined_usage([message.usage_metadata for message in messages])
        fingerprint = messages[0].response_metadata.get("system_fingerprint")
        return {**self.head("chat.completion", fingerprint), "choices": choices, "usage": usage}

    def chunk_events(self, index: int, chunks: Iterable[AIMessage]) -> Iterator[Json]:
        """Stream one choice; its usage metadata is left to `usage_event`."""
        yield self.event(index, dict(OPENING))
        finish: str | None = None
        has_tool_calls = False
        for message in chunks:
            chunk = message if isinstance(message, AIMessageChunk) else as_chunk(message)
            finish = chunk.response_metadata.get("finish_reason") or finish
            has_tool_calls = has_tool_calls or bool(chunk.tool_call_chunks)
            delta, logprobs = _delta(chunk), self._logprobs(chunk)
            if delta or logprobs:
                yield self.event(index, delta or {"content": ""}, logprobs=logprobs)
        yield self.event(index, {}, finish=finish or ("tool_calls" if has_tool_calls else "stop"))

    def usage_event(self, usage: Json | None) -> Json:
        """The last event of a stream that was asked for its usage."""
        return {**self.head("chat.completion.chunk"), "choices": [], "usage": usage}

    def head(self, kind: str, fingerprint: str | None = None) -> Json:
        """What a response, or an event, of this kind begins with."""
        base = {"id": self.id, "object": kind, "created": self.created, "model": self.model}
        return {**base, "system_fingerprint": fingerprint}

    def choice(self, index: int, message: AIMessage) -> Json:
        """One choice of a whole response."""
        metadata = message.response_metadata
        return {
            "index": index,
            "message": message_of(message),
            "logprobs": self._logprobs(message),
            "finish_reason": metadata.get("finish_reason")
            or ("tool_calls" if message.tool_calls else "stop"),
        }

    def event(self, index: int, delta: Json, *, logprobs: Any = None, finish: str | None = None) -> Json:
        """One event of a stream."""
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        return {**self.head("chat.completion.chunk"), "choices": [choice], "usage": None}

    def _logprobs(self, message: AIMessage) -> Any:
        metadata: Json = message.response_metadata
        is_sent = (
            self.with_logprobs and UNTRUSTED not in metadata
        )  # no client could tell that they say nothing
        return metadata.get("logprobs") if is_sent else None


def combined_usage(parts: Sequence[UsageMetadata | None]) -> Json | None:
    """Usage of several answers to one prompt, in OpenAI's shape: the prompt counts once.

    None where a part does not know its usage: a sum of the others would be wrong.
    """
    known = [part for part in parts if part is not None]
    if not known or len(known) < len(parts):
        return None
    prompt = known[0]["input_tokens"]
    output = sum(part["output_tokens"] for part in known)
    reasoning = sum(part.get("output_token_details", {}).get("reasoning", 0) for part in known)
    cached = known[0].get("input_token_details", {}).get("cache_read", 0)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "total_tokens": prompt + output,
        "completion_tokens_details": {"reasoning_tokens": reasoning},
        "prompt_tokens_details": {"cached_tokens": cached},
    }


def reasoning_of(message: AIMessage) -> str:
    """The thoughts of an answer or of a chunk."""
    blocks = message.content_blocks
    return "".join(block.get("reasoning", "") for block in blocks if block["type"] == "reasoning")


def message_of(message: AIMessage) -> Json:
    """The message of a choice: text, thoughts, refusal and tool calls."""
    calls = [
        {"id": call["id"], "type": "function", "function": _function(call["name"], json.dumps(call["args"]))}
        for call in message.tool_calls
    ]
    text, reasoning, refusal = (
        str(message.text),
        reasoning_of(message),
        message.additional_kwargs.get("refusal"),
    )
    return {
        "role": "assistant",
        "content": text if text or not (calls or refusal) else None,
        "refusal": refusal,
        **({"reasoning_content": reasoning} if reasoning else {}),
        **({"tool_calls": calls} if calls else {}),
    }


def _delta(chunk: AIMessageChunk) -> Json:
    parts = {
        "content": str(chunk.text),
        "reasoning_content": reasoning_of(chunk),
        "refusal": chunk.additional_kwargs.get("refusal"),
        "tool_calls": [
            _tool_call_delta(place, cast("Json", call)) for place, call in enumerate(chunk.tool_call_chunks)
        ],
    }
    return {name: value for name, value in parts.items() if value}


def _tool_call_delta(place: int, call: Json) -> Json:
    index = place if call.get("index") is None else call["index"]
    named = {"id": call["id"], "type": "function"} if call.get("id") else {}
    return {"index": index, **named, "function": _function(call.get("name"), call.get("args") or "")}


def _function(name: str | None, arguments: str) -> Json:
    return {"name": name, "arguments": arguments} if name else {"arguments": arguments}
