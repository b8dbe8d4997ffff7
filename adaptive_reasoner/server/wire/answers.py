"""Answers in OpenAI's shape: whole, and as the events of a stream."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.messages import AIMessage

from adaptive_reasoner.openai_shapes import OPENING, Envelope, Json, message_of
from adaptive_reasoner.server.questions import Answer
from adaptive_reasoner.server.wire.messages import plain
from adaptive_reasoner.uncertainty.tokens import UNTRUSTED

REPORT = "adaptive_reasoning"
# Between a draft that was taken back and what follows it.
_RESTART = "\n\n"
# Each provider has words of its own for why an answer ends.
_FINISH = {
    "length": "length", "max_tokens": "length", "max_output_tokens": "length",
    "content_filter": "content_filter", "refusal": "content_filter", "safety": "content_filter",
}  # fmt: skip
# A held answer is whole already; pieces of a few words make a stream of it without an event a word.
_PIECE = re.compile(r"\s*(?:\S+\s*){1,6}")


@dataclass(frozen=True, slots=True)
class Look:
    """What a client wants to see.

    Attributes:
        logprobs: log probabilities.
        top_logprobs: alternatives a token.
        thoughts: what was thought, as `reasoning_content`.
        usage: a stream ends with its usage.
        events: a stream tells what happens.
        drafts: a stream shows thoughts and drafts as they come, as `reasoning_content`.
    """

    logprobs: bool = False
    top_logprobs: int = 0
    thoughts: bool = False
    usage: bool = False
    events: bool = False
    drafts: bool = False


def completion(envelope: Envelope, answers: Sequence[Answer], look: Look) -> Json:
    """The whole response; with several choices, each carries its own report, too."""
    choices = [_choice(index, answer, look) for index, answer in enumerate(answers)]
    if len(answers) > 1:
        for choice, answer in zip(choices, answers, strict=True):
            choice[REPORT] = answer.report
    fingerprint = answers[0].message.response_metadata.get("system_fingerprint")
    return {
        **envelope.head("chat.completion", fingerprint),
        "choices": choices,
        "usage": usage_of(answers),
        REPORT: answers[0].report,
    }


def choice_events(envelope: Envelope, index: int, answer: Answer, look: Look) -> Iterator[Json]:
    """The events of one choice, its opening left out and its report on the last one."""
    shown = plain(answer.message, with_thoughts=look.thoughts)
    message = message_of(shown)
    if (thoughts := message.get("reasoning_content")) and not look.drafts:
        for piece in _pieces(thoughts):
            yield envelope.event(index, {"reasoning_content": piece})
    tokens = _tokens(answer.message, look)
    for text, logprobs in _content_pieces(message.get("content") or "", tokens):
        yield envelope.event(index, {"content": text}, logprobs=logprobs)
    if message["refusal"]:
        yield envelope.event(index, {"refusal": message["refusal"]})
    for place, call in enumerate(message.get("tool_calls", ())):
        yield envelope.event(index, {"tool_calls": [{"index": place, **call}]})
    last = envelope.event(index, {}, finish=_finish_reason(answer.message))
    yield {**last, REPORT: answer.report}


def opening_event(envelope: Envelope, index: int) -> Json:
    """The first event of a choice."""
    return envelope.event(index, dict(OPENING))


def usage_event(envelope: Envelope, answers: Sequence[Answer]) -> Json:
    """The last event of a stream that was asked for its usage; it carries the report, too."""
    event = envelope.usage_event(usage_of(answers))
    return {**event, REPORT: answers[0].report}


def happening_events(envelope: Envelope, happening: Json, look: Look) -> Iterator[Json]:
    """What goes on inside: drafts as thoughts of the first choice, the rest as events without choices."""
    kind = happening.get("event")
    if kind == "draft":
        yield envelope.event(0, {"reasoning_content": happening["thought"] + happening["text"]})
    if kind == "restart" and look.drafts:
        yield envelope.event(0, {"reasoning_content": _RESTART})
    if look.events:
        head = envelope.head("chat.completion.chunk")
        yield {**head, "choices": [], "usage": None, REPORT: {"event": happening}}


def sse(event: Json) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


SSE_END = b"data: [DONE]\n\n"
SSE_KEEP_ALIVE = b": thinking\n\n"


def usage_of(answers: Sequence[Answer]) -> Json:
    """Tokens of all calls of all answers: each run sends its prompt anew."""
    parts = [answer.report["usage"] for answer in answers]
    sent = sum(part["input_tokens"] for part in parts)
    received = sum(part["output_tokens"] for part in parts)
    details = [answer.message.usage_metadata or {} for answer in answers]
    cached = sum((one.get("input_token_details") or {}).get("cache_read") or 0 for one in details)
    return {
        "prompt_tokens": sent,
        "completion_tokens": received,
        "total_tokens": sent + received,
        "completion_tokens_details": {"reasoning_tokens": sum(part["reasoning_tokens"] for part in parts)},
        "prompt_tokens_details": {"cached_tokens": min(cached, sent)},
    }


def _choice(index: int, answer: Answer, look: Look) -> Json:
    message = message_of(plain(answer.message, with_thoughts=look.thoughts))
    tokens = _tokens(answer.message, look)
    return {
        "index": index,
        "message": message,
        "logprobs": None if tokens is None else {"content": tokens, "refusal": None},
        "finish_reason": _finish_reason(answer.message),
    }


def _finish_reason(message: AIMessage) -> str:
    metadata = message.response_metadata
    said = str(metadata.get("finish_reason") or metadata.get("stop_reason") or "").lower()
    if message.tool_calls:
        return "tool_calls"
    return _FINISH.get(said, "stop")


def _tokens(message: AIMessage, look: Look) -> list[Json] | None:
    """The answer's log probabilities with as many alternatives as were asked for, None where there are none.

    Where the loop's own words stand instead of the answer, those of the answer do not belong to them.
    """
    metadata: Json = message.response_metadata
    logprobs = metadata.get("logprobs") if look.logprobs and UNTRUSTED not in metadata else None
    content = cast("Json", logprobs).get("content") if isinstance(logprobs, dict) else None
    if not isinstance(content, list) or not content:
        return None
    entries = [cast("Json", entry) for entry in cast("list[Any]", content) if isinstance(entry, dict)]
    text = str(message.text)
    if text and text.strip() not in "".join(str(entry.get("token", "")) for entry in entries):
        return None
    return [
        {**entry, "top_logprobs": (entry.get("top_logprobs") or [])[: look.top_logprobs]} for entry in entries
    ]


def _content_pieces(text: str, tokens: list[Json] | None) -> Iterator[tuple[str, Json | None]]:
    """Pieces of the text, each with the log probabilities of its tokens where these join to the text."""
    if tokens is None:
        yield from ((piece, None) for piece in _pieces(text))
    elif "".join(str(entry["token"]) for entry in tokens) == text:
        for place in range(0, len(tokens), 6):
            some = tokens[place : place + 6]
            yield "".join(str(entry["token"]) for entry in some), {"content": some, "refusal": None}
    else:
        yield text, {"content": tokens, "refusal": None}


def _pieces(text: str) -> list[str]:
    """`text` in pieces that join to it."""
    return _PIECE.findall(text) or ([text] if text else [])
