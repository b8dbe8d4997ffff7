"""One model call: its deadline, and one clear outcome whatever the model does."""

import time
from dataclasses import dataclass, field
from typing import Any, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import RunnableConfig

from adaptive_reasoner.budget.prices import Price
from adaptive_reasoner.budget.tokens import count_tokens
from adaptive_reasoner.errors import AdaptiveReasonerError, ModelTimeoutError
from adaptive_reasoner.nodes.isolated import DaemonThreads, arun_isolated, run_isolated
from adaptive_reasoner.nodes.problems import as_our_error, find_problem
from adaptive_reasoner.nodes.stream_collector import EARLY_CUT
from adaptive_reasoner.nodes.stream_watch import Watch
from adaptive_reasoner.nodes.whole_logprobs import WholeLogprobs
from adaptive_reasoner.state import Cut, Usage
from adaptive_reasoner.thinking import (
    Thinking,
    keep_thoughts,
    model_name_of,
    unmet_wish,
    with_thoughts_beside,
)
from adaptive_reasoner.thinking.policy import KEEP, ThoughtPolicy, thoughts_first

_KEEP_THREAD_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """What is sent.

    Attributes:
        messages: the prompt.
        kwargs: call-time arguments.
        max_seconds: what a budget leaves for the call, None if none limits it.
        thinking: what `kwargs` ask of its thinking, "written" where `messages` do; None: nothing is asked.
        watch: when its stream is cut; None: never.
    """

    messages: list[BaseMessage]
    kwargs: dict[str, Any] = field(default_factory=dict[str, Any])
    max_seconds: float | None = None
    thinking: Thinking | Literal["written"] | None = None
    watch: Watch | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back.

    Attributes:
        message: the answer; empty after an error.
        usage: tokens, counted here where the model reported none.
        latency_seconds: wall-clock time of the call.
        error: why there is no usable answer, None if there is one.
        usage_estimated: True if the tokens were counted here.
        refused_by: the limit that forbade the call, None if it was made.
        capped_to: output tokens that a budget left for it, None if it got what it would take.
        thinking: how it thought otherwise than it was asked, None if it did not or nobody can tell.
        cut: where its stream was cut, so that `message` is no answer; None if it came to its end.
    """

    message: AIMessage
    usage: Usage
    latency_seconds: float
    error: AdaptiveReasonerError | None = None
    usage_estimated: bool = False
    refused_by: str | None = None
    capped_to: int | None = None
    thinking: str | None = None
    cut: Cut | None = None


class ModelCaller:
    """Calls one model, sync or async, with a deadline; past LangChain's cache where `cached` is false.

    Args:
        model: the model.
        timeout_seconds: of each call, None for no limit.
        price: of its tokens; None: it is unknown, and so is what a call costs.
        cached: let LangChain's cache answer.
        thoughts: what becomes of them.
    """

    def __init__(
        self,
        model: BaseChatModel,
        timeout_seconds: float | None,
        *,
        price: Price | None = None,
        cached: bool = True,
        thoughts: ThoughtPolicy = KEEP,
    ) -> None:
        self.model = model
        self._price = price
        whole = WholeLogprobs.around(keep_thoughts(model), thoughts)
        self._whole = whole if cached else whole.model_copy(update={"cache": False})
        self._timeout_seconds = timeout_seconds
        self._threads = DaemonThreads(keep_seconds=_KEEP_THREAD_SECONDS)

    def call(self, request: ModelRequest, config: RunnableConfig) -> Outcome:
        """Call the model; never raises what the model raises."""
        started = time.monotonic()
        result = run_isolated(
            lambda: self._model_for(request).invoke(request.messages, config, **request.kwargs),
            self._deadline(request),
            self._threads,
        )
        return self._outcome(result, request, time.monotonic() - started)

    async def acall(self, request: ModelRequest, config: RunnableConfig) -> Outcome:
        """The same without blocking the event loop."""
        started = time.monotonic()
        result = await arun_isolated(
            self._model_for(request).ainvoke(request.messages, config, **request.kwargs),
            self._deadline(request),
        )
        return self._outcome(result, request, time.monotonic() - started)

    def usage_of_cut(self, request: ModelRequest, output_tokens: int) -> Usage:
        """What a call took whose stream was cut after so many tokens: counted here, nobody reports it."""
        sent = self._count_sent(request)
        usage: Usage = {**no_usage(), "input_tokens": sent, "output_tokens": output_tokens}
        usage["total_tokens"] = sent + output_tokens
        usage["cost_usd"] = None if self._price is None else self._price.cost(sent, output_tokens)
        return usage

    def _model_for(self, request: ModelRequest) -> WholeLogprobs:
        return self._whole if request.watch is None else self._whole.watched_by(request.watch)

    def _deadline(self, request: ModelRequest) -> float | None:
        limits = [limit for limit in (self._timeout_seconds, request.max_seconds) if limit is not None]
        return min(limits, default=None)

    def _outcome(self, result: AIMessage | Exception, request: ModelRequest, latency: float) -> Outcome:
        message = AIMessage("") if isinstance(result, Exception) else self._parted(result)
        cut: Cut | None = message.response_metadata.get(EARLY_CUT)
        if cut is not None:
            usage = self.usage_of_cut(request, cut["after_tokens"])
            return Outcome(message, usage, latency, usage_estimated=True, cut=cut)
        error = (
            as_our_error(result) if isinstance(result, Exception) else find_problem(message, request.kwargs)
        )
        if isinstance(result, Exception) and not isinstance(error, ModelTimeoutError):
            return Outcome(message, no_usage(), latency, error)
        # A call that was given up on was still sent, and is likely to be paid for.
        reported = usage_of(message)
        usage = reported or self._estimated_usage(message, request)
        usage["cost_usd"] = _cost(self._price, usage, message)
        thinking = None if error else self._unmet_wish(message, request)
        return Outcome(message, usage, latency, error, usage_estimated=reported is None, thinking=thinking)

    def _parted(self, message: AIMessage) -> AIMessage:
        """What only a whole message shows: the lone end of a thought in a streamed text, and the order of blocks."""
        parted, thoughts = with_thoughts_beside(message), self._whole.thoughts
        if parted is not message:
            return thoughts.applied(parted)
        return message if thoughts is KEEP else thoughts_first(message)

    def _unmet_wish(self, message: AIMessage, request: ModelRequest) -> str | None:
        if request.thinking is None:
            return None
        return unmet_wish(message, request.thinking, model_name_of(self.model))

    def _estimated_usage(self, message: AIMessage, request: ModelRequest) -> Usage:
        name = model_name_of(self.model)
        sent = self._count_sent(request)
        received = count_tokens([message], name).tokens if message.content or message.tool_calls else 0
        return {
            "input_tokens": sent,
            "output_tokens": received,
            "reasoning_tokens": 0,
            "total_tokens": sent + received,
            "cost_usd": None,
        }

    def _count_sent(self, request: ModelRequest) -> int:
        return count_tokens(
            request.messages, model_name_of(self.model), request.kwargs.get("tools", ())
        ).tokens


def _cost(price: Price | None, usage: Usage, message: AIMessage) -> float | None:
    """US dollars; what the provider's cache took in and gave out has prices of its own."""
    if price is None:
        return None
    details = (message.usage_metadata or {}).get("input_token_details") or {}
    read, written = details.get("cache_read") or 0, details.get("cache_creation") or 0
    return price.cost(usage["input_tokens"], usage["output_tokens"], read, written)


def no_usage() -> Usage:
    """Usage of a call that was not made or gave nothing back."""
    return {"input_tokens": 0, "output_tokens": 0, "reasoning_tokens": 0, "total_tokens": 0, "cost_usd": 0.0}


def usage_of(message: AIMessage) -> Usage | None:
    """Usage as the model reported it, its price unknown; None where it reported none."""
    reported = message.usage_metadata
    if reported is None:
        return None
    details = reported.get("output_token_details") or {}
    return {
        "input_tokens": reported["input_tokens"],
        "output_tokens": reported["output_tokens"],
        "reasoning_tokens": details.get("reasoning") or 0,
        "total_tokens": reported["total_tokens"],
        "cost_usd": None,
    }
