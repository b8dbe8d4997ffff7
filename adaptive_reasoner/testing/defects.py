"""What real servers get wrong about log probabilities, to be played by `serve_openai(defects=…)`."""

from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk

from adaptive_reasoner.testing.errors import BadRequestError
from adaptive_reasoner.testing.logprobs import IMPROBABLE_LOGPROB

Json = dict[str, Any]


class Defect(StrEnum):
    """One way to lose or spoil log probabilities."""

    NEVER_SENDS = "never_sends"  # asked for, ignored
    LOST_IN_STREAMS = "lost_in_streams"
    LOST_WITH_TOOLS = "lost_with_tools"  # of tool calls: Ollama, OpenAI's Responses API
    ONLY_THE_LAST = "only_the_last"  # of all tokens
    REPEATED_AT_THE_END = "repeated_at_the_end"  # a stream's last chunk holds all of them again
    PLACEHOLDERS = "placeholders"  # -9999 everywhere, as DeepSeek's reasoner
    REFUSES = "refuses"  # 400, as Gemini 3.5 Flash
    REFUSES_WHILE_THINKING = (
        "refuses_while_thinking"  # 400 unless the effort is "none", as OpenAI since gpt-5.1
    )
    REFUSES_STREAMED_TOOLS = "refuses_streamed_tools"  # 400 for both at once, as llama.cpp
    AT_MOST_FIVE = "at_most_five"  # 400 for more alternatives, as Together or xAI


Defects = Collection[Defect]


def refuse(defects: Defects, settings: Mapping[str, Any]) -> None:
    """Refuse a request for log probabilities as the server with these defects does.

    Raises:
        BadRequestError: always with status 400.
    """
    if not settings.get("logprobs"):
        return
    if Defect.REFUSES in defects:
        raise BadRequestError("This model does not support logprobs.")
    if Defect.REFUSES_WHILE_THINKING in defects and settings.get("reasoning_effort", "medium") != "none":
        raise BadRequestError("'logprobs' is not supported with this reasoning effort.")
    if Defect.REFUSES_STREAMED_TOOLS in defects and settings.get("stream") and settings.get("tools"):
        raise BadRequestError("logprobs is not supported with tools + stream.")
    if Defect.AT_MOST_FIVE in defects and settings.get("top_logprobs", 0) > 5:
        raise BadRequestError("Invalid value for 'top_logprobs': it must be at most 5.")


def spoil(message: AIMessage, defects: Defects) -> AIMessage:
    """The answer as the server sends it without streaming."""
    lost = Defect.NEVER_SENDS in defects or (Defect.LOST_WITH_TOOLS in defects and bool(message.tool_calls))
    if lost:
        return _with_entries(message, None)
    entries = _spoiled(_entries(message), defects)
    return _with_entries(message, entries[-1:] if Defect.ONLY_THE_LAST in defects else entries)


def spoil_stream(chunks: Iterator[AIMessage], defects: Defects) -> Iterator[AIMessage]:
    """The chunks as the server streams them."""
    if not defects:
        yield from chunks
        return
    whole = list(chunks)  # which chunk is the last with log probabilities shows only at the end
    calls = any(chunk.tool_call_chunks for chunk in whole if isinstance(chunk, AIMessageChunk))
    never = [Defect.NEVER_SENDS, Defect.LOST_IN_STREAMS, *([Defect.LOST_WITH_TOOLS] if calls else [])]
    held = (
        []
        if any(one in defects for one in never)
        else [_spoiled(_entries(chunk), defects) for chunk in whole]
    )
    last = max((place for place, entries in enumerate(held) if entries), default=-1)
    for place, chunk in enumerate(whole):
        entries = held[place] if held else []
        if Defect.ONLY_THE_LAST in defects:
            entries = entries[-1:] if place == last else []
        yield _with_entries(chunk, entries or None)
    if Defect.REPEATED_AT_THE_END in defects:
        everything = [entry for entries in held for entry in entries]
        yield _with_entries(AIMessageChunk(content=""), everything)


def _entries(message: AIMessage) -> list[Json]:
    logprobs = message.response_metadata.get("logprobs")
    return cast("Json", logprobs).get("content") or [] if isinstance(logprobs, dict) else []


def _spoiled(entries: list[Json], defects: Defects) -> list[Json]:
    if Defect.PLACEHOLDERS not in defects:
        return entries
    return [{**entry, "logprob": IMPROBABLE_LOGPROB, "top_logprobs": []} for entry in entries]


def _with_entries(message: AIMessage, entries: list[Json] | None) -> AIMessage:
    logprobs = {"content": entries, "refusal": None} if entries else None
    metadata = {**message.response_metadata, "logprobs": logprobs}
    return message.model_copy(update={"response_metadata": metadata})
