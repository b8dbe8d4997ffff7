"""second_opinion: where an answer's own log probabilities tell nothing, other signals are sought before the gate.

It stands between the answering nodes and the gate where `ReasonerConfig.fallback_signals` names sources, and where
`agreement_share` has answers held against their work. Every model call is asked of the budget first and counted in
the round that it is made for; nothing of it is streamed.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.config import get_stream_writer
from langgraph.constants import TAG_NOSTREAM

from adaptive_reasoner.nodes.call_settings import CallSettings, read_call_settings
from adaptive_reasoner.nodes.deep_think import deep_request
from adaptive_reasoner.nodes.fast_answer import fast_request
from adaptive_reasoner.nodes.model_call import ModelCaller, ModelRequest, Outcome
from adaptive_reasoner.nodes.parts import Parts
from adaptive_reasoner.nodes.problems import was_cut_off
from adaptive_reasoner.nodes.purse import Asked
from adaptive_reasoner.nodes.refine import refine_request
from adaptive_reasoner.nodes.rounds import round_of, with_round
from adaptive_reasoner.nodes.run_record import thread_id_in
from adaptive_reasoner.nodes.sendable import sendable
from adaptive_reasoner.nodes.spending import total_usage
from adaptive_reasoner.nodes.till import Till, Wish
from adaptive_reasoner.nodes.two_forms import TwoForms
from adaptive_reasoner.state import AnsweringNode, Attempt, ReasoningState, Signal
from adaptive_reasoner.thinking import is_embedded, logprob_kwargs, takes_temperature, thinking_kwargs
from adaptive_reasoner.thinking.policy import policy_of
from adaptive_reasoner.thinking.thoughts import thought_text
from adaptive_reasoner.triage.least_thinking import lot_of
from adaptive_reasoner.uncertainty.message import score_message
from adaptive_reasoner.uncertainty.opinion import Ask, cheapest_informative
from adaptive_reasoner.uncertainty.rederived import Rederivation, rederive
from adaptive_reasoner.uncertainty.score import unknown_signal

Update = dict[str, Any]
Call = tuple[ModelCaller, ModelRequest]
Result = TypeVar("Result")

_REQUESTS: dict[AnsweringNode, Callable[[Parts, ReasoningState, CallSettings], Call]] = {
    "fast_answer": fast_request,
    "deep_think": deep_request,
    "refine": refine_request,
}


def make_second_opinion_node(parts: Parts) -> TwoForms:
    """Build the node from the configuration's sources."""
    opinion = _SecondOpinion(parts)
    return TwoForms("second_opinion", opinion.ask, opinion.aask)


class _SecondOpinion:
    """The node's two forms around one body, `_steps`, which yields the calls that it wants."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._till = Till(parts.purse)
        # A cache would give the same sample again and again.
        self._fast_sampler = self._caller(parts.fast.model, cached=False)
        self._deep_sampler = self._caller(parts.deep.model, cached=False)
        self._others: dict[int, ModelCaller] = {}  # by the identity of a source's own model

    def ask(self, state: ReasoningState, config: RunnableConfig) -> Update:
        """Seek a signal, waiting for each call."""
        steps, outcome = self._steps(state, config), None
        while True:
            try:
                wish = steps.send(outcome)
            except StopIteration as finished:
                return finished.value
            outcome = self._till.call(wish, _unstreamed(config))

    async def aask(self, state: ReasoningState, config: RunnableConfig) -> Update:
        """The same without blocking the event loop."""
        steps, outcome = self._steps(state, config), None
        while True:
            try:
                wish = steps.send(outcome)
            except StopIteration as finished:
                return finished.value
            outcome = await self._till.acall(wish, _unstreamed(config))

    def _steps(self, state: ReasoningState, config: RunnableConfig) -> Generator[Wish, Any, Update]:
        message, attempt = state["candidates"][-1], state["turn"]["attempt"]
        if attempt is None or attempt["error"] or "cut" in attempt or was_cut_off(message):
            return {"turn": state["turn"]}
        settings, given = read_call_settings(config, self._parts.config), self._parts.config
        if given.fallback_signals and self._is_needed(message):
            get_stream_writer()({"event": "second_opinion", "node": attempt["node"]})
            inquiry = cheapest_informative(given.fallback_signals, sendable(state["messages"]), message)
            signal, attempt, refusal = yield from self._driven(inquiry, state, settings, attempt)
            if refusal and signal["kind"] == "unknown":
                signal = unknown_signal(f"{signal['reason']} ({refusal})")
            attempt = _with_signal(attempt, signal)
        if not message.tool_calls and is_drawn(state, config, given.agreement_share):
            inquiry = self._rederivation(state, message)
            agreement, attempt, _ = yield from self._driven(inquiry, state, settings, attempt)
            if agreement is not None:
                attempt = _with_agreement(attempt, agreement)
        return {"turn": {**state["turn"], "attempt": attempt}}

    def _driven(
        self,
        inquiry: Generator[Ask, AIMessage | None, Result],
        state: ReasoningState,
        settings: CallSettings,
        attempt: Attempt,
    ) -> Generator[Wish, Any, tuple[Result, Attempt, str | None]]:
        """What the inquiry comes to, the attempt with the calls that it took, and what refused the last one."""
        reply, refusal = None, None
        while True:
            try:
                ask = inquiry.send(reply)
            except StopIteration as finished:
                return finished.value, attempt, refusal
            outcome = yield self._wish(state, settings, attempt, ask)
            refusal = outcome.refused_by
            attempt = attempt if refusal else _with_call(attempt, outcome)
            reply = None if outcome.error else outcome.message

    def _rederivation(self, state: ReasoningState, message: AIMessage) -> Rederivation:
        """The embedded model writes out its calculations, and never learned to follow somebody else's."""
        return rederive(
            sendable(state["messages"]),
            message,
            thought_text(message),
            by_model=not is_embedded(self._parts.fast.model),
            answer_span=self._parts.config.answer_span,
        )

    def _is_needed(self, message: AIMessage) -> bool:
        return score_message(message, self._parts.config.answer_span)["kind"] == "unknown"

    def _wish(self, state: ReasoningState, settings: CallSettings, attempt: Attempt, ask: Ask) -> Wish:
        """The call, which the budgets are asked about as if the answer that it is for were judged."""
        caller, request = self._call(state, settings, attempt, ask)
        message = state["candidates"][-1]
        so_far = with_round(state, round_of(attempt, unknown_signal("sought"), message))
        asked = Asked(so_far, settings, attempt["node"], request, caller.model, ask.max_output_tokens)
        return Wish(asked, caller, request)

    def _call(self, state: ReasoningState, settings: CallSettings, attempt: Attempt, ask: Ask) -> Call:
        if ask.messages is None:
            before: ReasoningState = {**state, "candidates": state["candidates"][:-1]}
            caller, request = _REQUESTS[attempt["node"]](self._parts, before, settings)
            sampler = self._deep_sampler if caller is self._parts.deep else self._fast_sampler
            kwargs = {**request.kwargs, **_sampling(sampler, request.kwargs, attempt, ask)}
            return sampler, replace(request, kwargs=kwargs)
        caller = self._parts.fast if ask.model is None else self._caller_of(ask.model)
        logprobs = logprob_kwargs(caller.model, "off", self._parts.config.top_logprobs)
        kwargs = {**thinking_kwargs(caller.model, "off"), **logprobs}
        return caller, ModelRequest(list(ask.messages), kwargs)

    def _caller_of(self, model: BaseChatModel) -> ModelCaller:
        caller = self._others.get(id(model))
        if caller is None or caller.model is not model:
            caller = self._others[id(model)] = self._caller(model)
        return caller

    def _caller(self, model: BaseChatModel, *, cached: bool = True) -> ModelCaller:
        price, config = self._parts.purse.price_of(model), self._parts.config
        thoughts = policy_of(config.thoughts)
        return ModelCaller(model, config.model_timeout_seconds, price=price, cached=cached, thoughts=thoughts)


def is_drawn(state: ReasoningState, config: RunnableConfig, share: float) -> bool:
    """True for `share` of all runs; one that is resumed is drawn as it was before."""
    if share <= 0 or share >= 1:
        return share >= 1
    return lot_of(f"{thread_id_in(config)} {state['turn']['started_at']!r}") < share


def _sampling(caller: ModelCaller, given: Mapping[str, Any], attempt: Attempt, ask: Ask) -> dict[str, Any]:
    """What makes a model that is set to repeat itself sample; models that think set their own temperature.

    Args:
        caller: who is called.
        given: the call's arguments, which may set it to repeat itself as well.
        attempt: the answer that samples are drawn for.
        ask: what the signal's source asks for.
    """
    model, kwargs = caller.model, dict[str, Any]()
    own = getattr(model, "temperature", None)
    takes_one = takes_temperature(model)
    if ask.temperature is not None and takes_one and given.get("temperature", own) == 0:
        kwargs["temperature"] = ask.temperature
    seed = given.get("seed", getattr(model, "seed", None))
    if isinstance(seed, int):
        kwargs["seed"] = seed + 1 + attempt.get("signal_calls", 0)
    return kwargs


def _with_signal(attempt: Attempt, signal: Signal) -> Attempt:
    return {**attempt, "signal": signal}


def _with_agreement(attempt: Attempt, agreement: float) -> Attempt:
    return {**attempt, "rationale_agreement": agreement}


def _with_call(attempt: Attempt, outcome: Outcome) -> Attempt:
    return {
        **attempt,
        "usage": total_usage([attempt["usage"], outcome.usage]),
        "usage_estimated": attempt["usage_estimated"] or outcome.usage_estimated,
        "latency_seconds": attempt["latency_seconds"] + outcome.latency_seconds,
        "signal_calls": attempt.get("signal_calls", 0) + 1,
    }


def _unstreamed(config: RunnableConfig) -> RunnableConfig:
    return {**config, "tags": [*(config.get("tags") or []), TAG_NOSTREAM]}
