"""Chat messages in the shapes of OpenAI's Responses API: whole answers and the events of a stream."""

import json
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk, UsageMetadata

from adaptive_reasoner.openai_shapes import reasoning_of
from adaptive_reasoner.thinking.chunks import as_chunk

Json = dict[str, Any]

_EMPTY: Json = {"content": []}


@dataclass(frozen=True, slots=True)
class ResponsesEnvelope:
    """What every part of one response repeats.

    Attributes:
        body: the request's body.
        with_logprobs: log probabilities go into the response.
    """

    body: Mapping[str, Any]
    with_logprobs: bool
    id: str = field(default_factory=lambda: f"resp_{uuid.uuid4().hex}")
    created_at: int = field(default_factory=lambda: int(time.time()))

    def response(self, message: AIMessage) -> Json:
        """The whole response; thoughts, the text and each call are items of their own."""
        items = [
            *_thoughts(reasoning_of(message)),
            *self._text_items(message),
            *map(_call_item, message.tool_calls),
        ]
        return self._closed(items, message)

    def events(self, chunks: Iterable[AIMessage]) -> Iterator[Json]:
        """The response as a stream."""
        for number, event in enumerate(self._unnumbered(chunks)):
            yield {**event, "sequence_number": number}

    def _unnumbered(self, chunks: Iterable[AIMessage]) -> Iterator[Json]:
        coming = iter(chunks)
        first = list(islice(coming, 1))  # a model that fails at once leaves no half-open stream
        for kind in ("response.created", "response.in_progress"):
            yield {"type": kind, "response": self._base([], "in_progress")}
        writer = _ItemWriter()
        whole: AIMessageChunk | None = None
        for message in chain(first, coming):
            chunk = message if isinstance(message, AIMessageChunk) else as_chunk(message)
            whole = chunk if whole is None else whole + chunk
            yield from writer.write(chunk, self._entries(chunk))
        yield from writer.close()
        closed = self._closed(writer.items, whole or AIMessage(""))
        yield {"type": f"response.{closed['status']}", "response": closed}

    def _text_items(self, message: AIMessage) -> list[Json]:
        refusal = message.additional_kwargs.get("refusal")
        if refusal is not None:
            return [_message_item([{"type": "refusal", "refusal": refusal}])]
        text = str(message.text)
        if not text and message.tool_calls:
            return []
        return [_message_item([_text_part(text, self._entries(message))])]

    def _entries(self, message: AIMessage) -> Sequence[Any]:
        logprobs = message.response_metadata.get("logprobs") if self.with_logprobs else None
        return (cast("Json", logprobs).get("content") or []) if isinstance(logprobs, dict) else []

    def _closed(self, items: Sequence[Json], message: AIMessage) -> Json:
        stopped = {"length": "max_output_tokens", "content_filter": "content_filter"}
        reason = stopped.get(message.response_metadata.get("finish_reason", ""))
        response = self._base(items, "incomplete" if reason else "completed")
        details = {"reason": reason} if reason else None
        return {**response, "incomplete_details": details, "usage": _usage(message.usage_metadata)}

    def _base(self, items: Sequence[Json], status: str) -> Json:
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created_at,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "model": self.body["model"],
            "output": list(items),
            "parallel_tool_calls": True,
            "tool_choice": self.body.get("tool_choice", "auto"),
            "tools": self.body.get("tools", []),
            "text": self.body.get("text", {"format": {"type": "text"}}),
            "usage": None,
        }


class _ItemWriter:
    """Opens, fills and closes the output items of a stream, one after the other."""

    def __init__(self) -> None:
        self.items: list[Json] = []
        self._calls: dict[Any, Json] = {}
        self._open: Json | None = None
        # Of tokens before the text, such as the first byte of a character; calls carry none in this API.
        self._unwritten: list[Any] = []

    def write(self, chunk: AIMessageChunk, entries: Sequence[Any]) -> Iterator[Json]:
        """The events of one chunk."""
        if thought := reasoning_of(chunk):
            yield from self._write_thought(thought)
        if (refusal := chunk.additional_kwargs.get("refusal")) is not None:
            yield from self._write_refusal(refusal)
        self._unwritten += entries
        if chunk.text or (self._unwritten and self._open and self._open["type"] == "message"):
            yield from self._write_text(str(chunk.text), self._unwritten)
            self._unwritten = []
        for place, call in enumerate(chunk.tool_call_chunks):
            yield from self._write_call(place, cast("Json", call))

    def close(self) -> Iterator[Json]:
        """The events that end the open item."""
        item, self._open = self._open, None
        if item is None:
            return
        item["status"] = "completed"
        here = {"output_index": len(self.items) - 1, "item_id": item["id"]}
        if item["type"] == "message":
            part = item["content"][0]
            if part["type"] == "output_text":
                done = {"text": part["text"], "logprobs": part["logprobs"]}
                yield {"type": "response.output_text.done", **here, "content_index": 0, **done}
            else:
                yield {
                    "type": "response.refusal.done",
                    **here,
                    "content_index": 0,
                    "refusal": part["refusal"],
                }
            yield {"type": "response.content_part.done", **here, "content_index": 0, "part": part}
        elif item["type"] == "function_call":
            said = {"name": item["name"], "arguments": item["arguments"]}
            yield {"type": "response.function_call_arguments.done", **here, **said}
        yield {"type": "response.output_item.done", "output_index": here["output_index"], "item": item}

    def _begin(self, item: Json) -> Iterator[Json]:
        yield from self.close()
        self.items.append(item)
        self._open = item
        bare: Json = {**item, **(_EMPTY if item["type"] == "message" else {}), "status": "in_progress"}
        yield {"type": "response.output_item.added", "output_index": len(self.items) - 1, "item": bare}

    def _here(self) -> Json:
        return {"output_index": len(self.items) - 1, "item_id": self.items[-1]["id"]}

    def _write_thought(self, thought: str) -> Iterator[Json]:
        if self._open is None or self._open["type"] != "reasoning":
            yield from self._begin({**_thoughts(" ")[0], "summary": []})
            part = {"type": "summary_text", "text": ""}
            self.items[-1]["summary"].append(part)
            place = {**self._here(), "summary_index": 0}
            yield {"type": "response.reasoning_summary_part.added", **place, "part": dict(part)}
        self.items[-1]["summary"][0]["text"] += thought
        place = {**self._here(), "summary_index": 0}
        yield {"type": "response.reasoning_summary_text.delta", **place, "delta": thought}

    def _write_refusal(self, refusal: str) -> Iterator[Json]:
        part = {"type": "refusal", "refusal": refusal}
        yield from self._begin(_message_item([part]))
        yield {"type": "response.content_part.added", **self._here(), "content_index": 0, "part": part}

    def _write_text(self, text: str, entries: Sequence[Any]) -> Iterator[Json]:
        if self._open is None or self._open["type"] != "message":
            yield from self._begin(_message_item([_text_part("", [])]))
            part = _text_part("", [])
            yield {"type": "response.content_part.added", **self._here(), "content_index": 0, "part": part}
        part = self.items[-1]["content"][0]
        part["text"] += text
        part["logprobs"] += entries
        delta = {"delta": text, "logprobs": list(entries)}
        yield {"type": "response.output_text.delta", **self._here(), "content_index": 0, **delta}

    def _write_call(self, place: int, call: Json) -> Iterator[Json]:
        index = place if call.get("index") is None else call["index"]
        if index not in self._calls:
            self._calls[index] = _call_item({"name": call.get("name"), "id": call.get("id"), "args": None})
            yield from self._begin(self._calls[index])
        if args := call.get("args"):
            self._calls[index]["arguments"] += args
            yield {"type": "response.function_call_arguments.delta", **self._here(), "delta": args}


def _message_item(content: list[Json]) -> Json:
    head = {"type": "message", "id": f"msg_{uuid.uuid4().hex}", "role": "assistant"}
    return {**head, "status": "completed", "content": content}


def _text_part(text: str, entries: Sequence[Any]) -> Json:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": list(entries)}


def _call_item(call: Mapping[str, Any]) -> Json:
    arguments = "" if call["args"] is None else json.dumps(call["args"])
    said = {"call_id": call["id"], "name": call["name"], "arguments": arguments}
    return {"type": "function_call", "id": f"fc_{uuid.uuid4().hex}", "status": "completed", **said}


def _thoughts(reasoning: str) -> list[Json]:
    if not reasoning:
        return []
    summary = [{"type": "summary_text", "text": reasoning}]
    return [{"type": "reasoning", "id": f"rs_{uuid.uuid4().hex}", "summary": summary}]


def _usage(usage: UsageMetadata | None) -> Json | None:
    if usage is None:
        return None
    thought = usage.get("output_token_details", {}).get("reasoning", 0)
    cached = usage.get("input_token_details", {}).get("cache_read", 0)
    return {
        "input_tokens": usage["input_tokens"],
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": usage["output_tokens"],
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": usage["total_tokens"],
    }
