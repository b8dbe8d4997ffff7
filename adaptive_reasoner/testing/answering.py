"""One request, answered by a chat model: as a whole or as a stream of events."""

from collections.abc import Iterator
from typing import Any

from langchain_core.language_models import LanguageModelInput
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, UsageMetadata
from langchain_core.messages.ai import add_usage
from langchain_core.runnables import Runnable

from adaptive_reasoner.openai_shapes import Envelope, Json, combined_usage
from adaptive_reasoner.testing.defects import Defects, spoil, spoil_stream
from adaptive_reasoner.testing.requests import CompletionRequest
from adaptive_reasoner.testing.responses_api_answers import ResponsesEnvelope


class Answering:
    """Calls the model once for every choice that `request` asks for, and spoils what it says by `defects`."""

    def __init__(self, model: BaseChatModel, request: CompletionRequest, defects: Defects = ()) -> None:
        self._model = model
        self._request = request
        self._defects = defects

    def completion(self) -> Json:
        """Answer as a whole; whatever the model raises passes through."""
        return self._envelope().completion([self._answer(choice) for choice in range(self._request.choices)])

    def events(self) -> Iterator[Json]:
        """Answer as a stream, one choice after the other; whatever the model raises passes through."""
        envelope = self._envelope()
        spent: list[UsageMetadata | None] = []
        for choice in range(self._request.choices):
            spent.append(None)
            yield from envelope.chunk_events(choice, _adding_usage(self._chunks(choice), spent))
        if self._request.wants_usage_event:
            yield envelope.usage_event(combined_usage(spent))

    def response(self, body: Json) -> Json:
        """Answer as a whole in the shape of the Responses API; `body` is what was sent there."""
        return ResponsesEnvelope(body, self._request.wants_logprobs).response(self._answer(0))

    def response_events(self, body: Json) -> Iterator[Json]:
        """The same as a stream."""
        return ResponsesEnvelope(body, self._request.wants_logprobs).events(self._chunks(0))

    def _envelope(self) -> Envelope:
        return Envelope(self._request.settings["model"], self._request.wants_logprobs)

    def _answer(self, choice: int) -> AIMessage:
        message = self._caller().invoke(list(self._request.messages), **self._arguments(choice))
        return spoil(message, self._defects) if self._defects else message

    def _chunks(self, choice: int) -> Iterator[AIMessage]:
        chunks = self._caller().stream(list(self._request.messages), **self._arguments(choice))
        return spoil_stream(chunks, self._defects)

    def _caller(self) -> Runnable[LanguageModelInput, AIMessage]:
        tools = self._request.tools
        if not tools:
            return self._model
        choice = self._request.settings.get("tool_choice")
        return self._model.bind_tools(tools, **({} if choice is None else {"tool_choice": choice}))

    def _arguments(self, choice: int) -> dict[str, Any]:
        return self._request.call_arguments(self._model, choice)


def _adding_usage(chunks: Iterator[AIMessage], spent: list[UsageMetadata | None]) -> Iterator[AIMessage]:
    """Pass `chunks` on, adding their usage to the last entry of `spent`."""
    for chunk in chunks:
        if chunk.usage_metadata is not None:
            spent[-1] = add_usage(spent[-1], chunk.usage_metadata)
        yield chunk
