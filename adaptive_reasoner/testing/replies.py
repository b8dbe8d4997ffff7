"""One scripted answer, and the messages and stream chunks that it becomes."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ToolCall,
    UsageMetadata,
)
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.messages.utils import count_tokens_approximately

from adaptive_reasoner.testing.logprobs import (
    ScriptedToken,
    even_tokens,
    logprobs_of,
    text_pieces,
    words_of,
)

Content = str | list[str | dict[Any, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a scripted model answers once.

    Attributes:
        text: the visible answer; left out, it is what `tokens` join to.
        tokens: the answer's tokens with their probabilities, see `logprobs_of`. They need not join to `text`:
            that is how a server whose log probabilities do not belong to its answer is played.
        probability: of every word of the answer (of a tool call's arguments where there is no text), where no
            `tokens` are given.
        logprobs: `response_metadata["logprobs"]` as it stands, of any shape, for servers that send odd ones.
        drop_logprobs: send none although they were asked for.
        reasoning: thoughts, sent as a `reasoning` block before the text.
        tool_calls: each `{"name", "args"}`, with an "id" or without.
        usage: tokens to report; left out, words are counted, and the input approximated.
        delay_seconds: time before the answer begins.
        finish_reason: left out, "tool_calls" with tool calls and "stop" without.
        refusal: the model's words for declining.
    """

    text: str | None = None
    tokens: Sequence[ScriptedToken] | None = None
    probability: float = 0.99
    logprobs: Mapping[str, Any] | None = None
    drop_logprobs: bool = False
    reasoning: str | None = None
    tool_calls: Sequence[Mapping[str, Any]] = ()
    usage: UsageMetadata | None = None
    delay_seconds: float = 0.0
    finish_reason: str | None = None
    refusal: str | None = None

    @property
    def visible_text(self) -> str:
        """The text of the answer."""
        return "".join(text_pieces(self.tokens or ())) if self.text is None else self.text

    @property
    def scored_tokens(self) -> Sequence[ScriptedToken]:
        """The tokens that carry log probabilities."""
        if self.tokens is not None:
            return self.tokens
        arguments = "".join(json.dumps(call["args"]) for call in self.tool_calls)
        return even_tokens(self.visible_text or arguments, self.probability)


@dataclass(frozen=True, slots=True)
class Rendering:
    """How one reply appears in one call.

    Attributes:
        reply: what is played.
        prompt: the messages that it answers.
        model_name: reported as `response_metadata["model_name"]`.
        top_logprobs: entries of each top list; None where no log probabilities were asked for.
        logprobs_in_chunks: each streamed chunk carries its own, instead of the last one all.
    """

    reply: Reply
    prompt: Sequence[BaseMessage]
    model_name: str
    top_logprobs: int | None
    logprobs_in_chunks: bool

    def message(self) -> AIMessage:
        """The whole answer."""
        return AIMessage(
            content=self._content(),
            tool_calls=self._tool_calls(),
            additional_kwargs=self._additional_kwargs(),
            response_metadata={**self._metadata(), "logprobs": self._logprobs()},
            usage_metadata=self._usage(),
        )

    def chunks(self) -> Iterator[AIMessageChunk]:
        """The answer in pieces, whose sum equals `message()`."""
        pieces, entries = self._text_pieces(), self._entries()
        spread = bool(entries) and self.logprobs_in_chunks
        for word in words_of(self.reply.reasoning or ""):
            yield AIMessageChunk(content=[{"type": "reasoning", "reasoning": word, "index": 0}])
        for piece, entry in zip_longest(pieces, entries if spread else ()):
            shown = {"logprobs": {"content": [entry], "refusal": None}} if entry else {}
            yield AIMessageChunk(content=self._text_content(piece or ""), response_metadata=shown)
        yield from self._tool_call_chunks()
        yield AIMessageChunk(
            content=self._no_content(),
            additional_kwargs=self._additional_kwargs(),
            response_metadata=self._metadata() | ({} if spread else {"logprobs": self._logprobs()}),
            usage_metadata=self._usage(),
            chunk_position="last",
        )

    def _content(self) -> Content:
        text = self.reply.visible_text
        if not self.reply.reasoning:
            return text
        thought = {"type": "reasoning", "reasoning": self.reply.reasoning, "index": 0}
        return [thought, {"type": "text", "text": text, "index": 1}] if text else [thought]

    def _text_content(self, piece: str) -> Content:
        return [{"type": "text", "text": piece, "index": 1}] if self.reply.reasoning else piece

    def _no_content(self) -> Content:
        return [] if self.reply.reasoning else ""

    def _text_pieces(self) -> list[str]:
        text = self.reply.visible_text
        pieces = list(text_pieces(self.reply.scored_tokens))
        return pieces if "".join(pieces) == text else words_of(text)

    def _tool_calls(self) -> list[ToolCall]:
        return [
            ToolCall(name=call["name"], args=call["args"], id=call.get("id", f"call_{place + 1}"))
            for place, call in enumerate(self.reply.tool_calls)
        ]

    def _tool_call_chunks(self) -> Iterator[AIMessageChunk]:
        content = self._no_content()
        for place, call in enumerate(self._tool_calls()):
            opening = tool_call_chunk(name=call["name"], args="", id=call["id"], index=place)
            yield AIMessageChunk(content=content, tool_call_chunks=[opening])
            for word in words_of(json.dumps(call["args"])):
                part = tool_call_chunk(args=word, index=place)
                yield AIMessageChunk(content=content, tool_call_chunks=[part])

    def _additional_kwargs(self) -> dict[str, Any]:
        return {} if self.reply.refusal is None else {"refusal": self.reply.refusal}

    def _metadata(self) -> dict[str, Any]:
        reason = self.reply.finish_reason or ("tool_calls" if self.reply.tool_calls else "stop")
        return {"model_name": self.model_name, "model_provider": "scripted", "finish_reason": reason}

    def _logprobs(self) -> dict[str, Any] | None:
        if self.top_logprobs is None or self.reply.drop_logprobs:
            return None
        if self.reply.logprobs is not None:
            return dict(self.reply.logprobs)
        return logprobs_of(self.reply.scored_tokens, top_logprobs=self.top_logprobs)

    def _entries(self) -> list[Any]:
        """Log probabilities that can be spread over the stream, one entry a token."""
        if self.reply.logprobs is not None:
            return []
        return (self._logprobs() or {}).get("content", [])

    def _usage(self) -> UsageMetadata:
        if self.reply.usage is not None:
            return self.reply.usage
        thought = len(words_of(self.reply.reasoning or ""))
        output = len(self.reply.scored_tokens) + thought
        asked = count_tokens_approximately(self.prompt)
        return UsageMetadata(
            input_tokens=asked,
            output_tokens=output,
            total_tokens=asked + output,
            output_token_details={"reasoning": thought},
        )
