"""One call of `AdaptiveChatModel` after the graph has run: its message, the sum of its usage, its chunks."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import OutputTokenDetails, UsageMetadata
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatResult

from adaptive_reasoner.errors import (
    AdaptiveReasonerError,
    BudgetExhaustedError,
    ConfigurationError,
    ContextWindowExceededError,
    EmptyAnswerError,
    ModelError,
    ModelRateLimitError,
    ModelTimeoutError,
    RefusalError,
)
from adaptive_reasoner.state import ReasoningReport

Block = str | dict[Any, Any]

_ERRORS: dict[str, type[AdaptiveReasonerError]] = {
    error.code: error
    for error in (
        ModelTimeoutError,
        ModelRateLimitError,
        EmptyAnswerError,
        BudgetExhaustedError,
        ContextWindowExceededError,
    )
}
_LOGPROBS = ("logprobs", "reasoning_logprobs")
_WORD = re.compile(r"\s*\S+\s*")


def answer_of(
    output: Mapping[str, Any], asked: Sequence[BaseMessage], *, keeps_logprobs: bool = False
) -> AIMessage:
    """The graph's answer as a chat model gives it: without the graph's id, with the usage of all calls.

    Args:
        output: what the graph gave.
        asked: the messages that it was given.
        keeps_logprobs: leave the log probabilities on the message: a kilobyte or two a token, which an agent would
            put into every checkpoint of its thread.

    Raises:
        AdaptiveReasonerError: no call gave an answer; what went wrong in the last one.
        ConfigurationError: another call's run was resumed instead of this one's.
    """
    thread, report = (
        cast("list[BaseMessage]", output["messages"]),
        cast("ReasoningReport", output["reasoning"]),
    )
    _check_thread(thread, asked)
    message = thread[-1]
    assert isinstance(message, AIMessage), "hand_off ends every run with an answer"  # noqa: S101
    last = report["rounds"][-1]
    # A refusal is the model's answer, in its own words.
    if report["accepted_round"] < 0 and last.get("error") != RefusalError.code:
        error = _ERRORS.get(last.get("error", ""), ModelError)
        raise error(last["signal"]["reason"] or "No model call gave an answer.")
    update: dict[str, Any] = {"id": None}
    if not keeps_logprobs:
        metadata = message.response_metadata
        update["response_metadata"] = {key: metadata[key] for key in metadata if key not in _LOGPROBS}
    if len(report["rounds"]) > 1 or message.usage_metadata is None or "usage" in report["triage"]:
        update["usage_metadata"] = _usage_of_all(report)
    return message.model_copy(update=update)


def as_result(message: AIMessage) -> ChatResult:
    """`message` as LangChain wants what a model generated."""
    info = {"finish_reason": message.response_metadata.get("finish_reason")}
    return ChatResult(generations=[ChatGeneration(message=message, generation_info=info)])


def chunks_of(message: AIMessage) -> Iterator[AIMessageChunk]:
    """`message` in pieces, whose sum it is: words, tool calls, and last what stands beside the content."""
    content = message.content
    if isinstance(content, str):
        for piece in _WORD.findall(content) or [content]:
            yield AIMessageChunk(content=piece)
    else:
        for place, block in enumerate(content):
            yield from _block_chunks(block, place)
    nothing: Any = "" if isinstance(content, str) else []
    yield AIMessageChunk(
        content=nothing,
        tool_call_chunks=_call_chunks(message),
        additional_kwargs=message.additional_kwargs,
        response_metadata=message.response_metadata,
        usage_metadata=message.usage_metadata,
        name=message.name,
        chunk_position="last",
    )


def _block_chunks(block: Block, place: int) -> Iterator[AIMessageChunk]:
    if isinstance(block, str):
        yield AIMessageChunk(content=[block])
        return
    whole = {**block, "index": block.get("index", place)}
    kind = str(block.get("type"))
    if kind not in ("text", "reasoning") or not isinstance(block.get(kind), str):
        yield AIMessageChunk(content=[whole])
        return
    first, *others = _WORD.findall(block[kind]) or [block[kind]]
    yield AIMessageChunk(content=[{**whole, kind: first}])  # with what else the block holds
    for piece in others:
        yield AIMessageChunk(content=[{"type": kind, kind: piece, "index": whole["index"]}])


def _call_chunks(message: AIMessage) -> list[ToolCallChunk]:
    return [
        tool_call_chunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=place)
        for place, call in enumerate(message.tool_calls)
    ]


def _usage_of_all(report: ReasoningReport) -> UsageMetadata:
    usage = report["usage"]
    return UsageMetadata(
        input_tokens=usage["input_tokens"],
        output_tokens=usage["output_tokens"],
        total_tokens=usage["total_tokens"],
        output_token_details=OutputTokenDetails(reasoning=usage["reasoning_tokens"]),
    )


def _check_thread(thread: Sequence[BaseMessage], asked: Sequence[BaseMessage]) -> None:
    """Calls made side by side in one node share its checkpoints, and may be resumed in another order."""
    if [message.content for message in thread[: len(asked)]] != [message.content for message in asked]:
        raise ConfigurationError(
            "The run that was resumed answers other messages than these. With reviews, call the chat model once a "
            "node, or one call after the other: batch() within a node cannot be resumed."
        )
