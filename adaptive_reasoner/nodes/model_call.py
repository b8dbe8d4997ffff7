"""One model call: its deadline, and one clear outcome whatever the model does."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import RunnableConfig

from adaptive_reasoner.budget.tokens import count_tokens
from adaptive_reasoner.errors import (
    AdaptiveReasonerError,
    EmptyAnswerError,
    ModelError,
    ModelTimeoutError,
    RefusalError,
)
from adaptive_reasoner.nodes.isolated import arun_isolated, run_isolated
from adaptive_reasoner.nodes.whole_logprobs import WholeLogprobs
from adaptive_reasoner.state import Usage
from adaptive_reasoner.thinking import is_embedded, model_name_of


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """What is sent: the messages and the call-time arguments."""

    messages: list[BaseMessage]
    kwargs: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back.

    Attributes:
        message: the answer; empty after an error.
        usage: tokens, counted here where the model reported none.
        latency_seconds: wall-clock time of the call.
        error: why there is no usable answer, None if there is one.
        usage_estimated: True if the tokens were counted here.
    """

    message: AIMessage
    usage: Usage
    latency_seconds: float
    error: AdaptiveReasonerError | None = None
    usage_estimated: bool = False


class ModelCaller:
    """Calls one model, sync or async, with a deadline."""

    def __init__(self, model: BaseChatModel, timeout_seconds: float | None) -> None:
        self.model = model
        self._whole = WholeLogprobs.around(model)
        self._timeout_seconds = timeout_seconds

    @property
    def takes_max_tokens(self) -> bool:
        """True if a call's output can be capped by `max_tokens`."""
        return "max_tokens" in type(self.model).model_fields

    def call(self, request: ModelRequest, config: RunnableConfig) -> Outcome:
        """Call the model; never raises what the model raises."""
        started = time.monotonic()
        result = run_isolated(
            lambda: self._whole.invoke(request.messages, config, **request.kwargs), self._timeout_seconds
        )
        return self._outcome(result, request, time.monotonic() - started)

    async def acall(self, request: ModelRequest, config: RunnableConfig) -> Outcome:
        """The same without blocking the event loop."""
        started = time.monotonic()
        result = await arun_isolated(
            self._whole.ainvoke(request.messages, config, **request.kwargs), self._timeout_seconds
        )
        return self._outcome(result, request, time.monotonic() - started)

    def _outcome(self, result: AIMessage | Exception, request: ModelRequest, latency: float) -> Outcome:
        if isinstance(result, Exception):
            return Outcome(AIMessage(""), no_usage(), latency, _as_our_error(result))
        reported = usage_of(result)
        usage = reported or self._estimated_usage(result, request)
        if is_embedded(self.model):
            usage["cost_usd"] = 0.0  # it runs on the caller's own machine
        return Outcome(result, usage, latency, _problem_with(result), usage_estimated=reported is None)

    def _estimated_usage(self, message: AIMessage, request: ModelRequest) -> Usage:
        name = model_name_of(self.model)
        sent, received = _tokens(request.messages, name), _tokens([message], name)
        return {
            "input_tokens": sent,
            "output_tokens": received,
            "reasoning_tokens": 0,
            "total_tokens": sent + received,
            "cost_usd": None,
        }


def no_usage() -> Usage:
    """Usage of a call that was not made or gave nothing back."""
    return {"input_tokens": 0, "output_tokens": 0, "reasoning_tokens": 0, "total_tokens": 0, "cost_usd": 0.0}


def usage_of(message: AIMessage) -> Usage | None:
    """Usage as the model reported it, its price unknown; None where it reported none."""
    reported = message.usage_metadata
    if reported is None:
        return None
    return {
        "input_tokens": reported["input_tokens"],
        "output_tokens": reported["output_tokens"],
        "reasoning_tokens": reported.get("output_token_details", {}).get("reasoning", 0),
        "total_tokens": reported["total_tokens"],
        "cost_usd": None,
    }


def _tokens(messages: Sequence[BaseMessage], model_name: str) -> int:
    return count_tokens(messages, model_name).tokens


def _problem_with(message: AIMessage) -> AdaptiveReasonerError | None:
    refusal = message.additional_kwargs.get("refusal")
    if refusal or message.response_metadata.get("finish_reason") == "content_filter":
        return RefusalError(f"The model declined to answer: {refusal or 'its provider filtered the answer'}.")
    if not str(message.text).strip() and not message.tool_calls:
        return EmptyAnswerError(
            "The model returned neither text nor a tool call; it may have spent its output tokens on thinking."
        )
    return None


def _as_our_error(error: Exception) -> AdaptiveReasonerError:
    if isinstance(error, AdaptiveReasonerError):
        return error
    # Every SDK has a timeout class of its own and none shares a base class with the others.
    if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
        return ModelTimeoutError(f"The model call timed out: {type(error).__name__}: {error}")
    return ModelError(f"The model call failed: {type(error).__name__}: {error}")
