"""triage: reads the newest turn, decides where it starts, and opens a fresh report."""

import time
from collections.abc import Sequence
from typing import Any, cast

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.config import get_stream_writer

from adaptive_reasoner.errors import InvalidInputError
from adaptive_reasoner.nodes.call_settings import CallSettings
from adaptive_reasoner.nodes.paid_probes import PaidProbes
from adaptive_reasoner.nodes.parts import Parts
from adaptive_reasoner.nodes.spending import total_usage, with_abandoned_turn
from adaptive_reasoner.nodes.spent_before import report_on, spent_on
from adaptive_reasoner.nodes.two_forms import TwoForms, two_forms_of
from adaptive_reasoner.state import (
    DifficultyEstimator,
    ReasoningReport,
    ReasoningState,
    Route,
    Signal,
    Turn,
)
from adaptive_reasoner.thinking import model_name_of
from adaptive_reasoner.triage import AsksModel, RouteDecision, TriageRequest, choose_route, estimator_for
from adaptive_reasoner.triage.linear import LinearEstimator
from adaptive_reasoner.uncertainty.score import unknown_signal

Update = dict[str, Any]

_UNDECIDED = RouteDecision("fast", {"gain": 0.0, "difficulty": 0.5, "source": "none", "reason": "undecided"})


def make_triage_node(parts: Parts) -> TwoForms:
    """Build the node from the fast model's estimator, or the caller's."""
    chosen = parts.config.triage
    estimator = estimator_for(model_name_of(parts.fast.model)) if isinstance(chosen, str) else chosen
    return two_forms_of("triage", _Triage(parts, estimator), parts.config)


class _Triage:
    """The node's body; its result names the route in the report."""

    def __init__(self, parts: Parts, estimator: DifficultyEstimator | None) -> None:
        self._config = parts.config
        self._estimator = estimator
        self._purse = parts.purse
        self._asks_model = estimator if isinstance(estimator, AsksModel) else None
        self._paid_probes = PaidProbes(parts)

    def is_quick(self, state: ReasoningState, settings: CallSettings) -> bool:  # noqa: ARG002 - the answer does not matter
        """True if no model, no ledger and no estimator of somebody else's is asked."""
        is_own = self._estimator is None or isinstance(self._estimator, LinearEstimator)
        return is_own and self._config.allocation is None and not self._purse.accounts(settings)

    def run(self, state: ReasoningState, settings: CallSettings, config: RunnableConfig) -> Update:
        """Decide the route."""
        messages, allocation = state.get("messages", []), self._config.allocation
        asked, since = split_at_question(messages)
        state = _with_spent_before(with_abandoned_turn(state))
        begun = _previous_route(since)
        request = TriageRequest(
            messages=asked,
            text=question_text(asked),
            thinking=settings.thinking,
            importance=settings.importance,
            previous_route=begun or _previous_route(asked),
            is_continued=begun is not None,
            price_of_thinking=allocation.price(settings.tenant).of_a_call if allocation else None,
        )
        estimator = self._estimator
        if self._asks_model is not None:
            estimator = self._paid_probes.of(self._asks_model, _starting(state, since), settings, config)
        decision = choose_route(request, self._config, estimator)
        decision = self._within_budget(decision, settings, _starting(state, since, decision))
        get_stream_writer()({"event": "triage", "route": decision.route, "triage": decision.triage})
        fresh: Update = {"reasoning": _fresh_report(decision), "candidates": [], "turn": _fresh_turn(since)}
        if lightened := _lightened(messages):
            fresh["messages"] = lightened
        return fresh | ({"thread_totals": state["thread_totals"]} if "thread_totals" in state else {})

    def _within_budget(
        self, decision: RouteDecision, settings: CallSettings, fresh: ReasoningState
    ) -> RouteDecision:
        """A query that cannot pay for thinking starts fast."""
        if decision.route == "fast" or settings.importance == "high":
            return decision
        refusal = self._purse.ask(fresh, settings, "deep_think").refusal
        if refusal is None:
            return decision
        reason = f"{decision.triage['reason']}; but starts fast, {refusal}"
        return RouteDecision("fast", {**decision.triage, "reason": reason})


def _with_spent_before(state: ReasoningState) -> ReasoningState:
    """Where nothing was kept of the thread, its answers tell what it took."""
    spent = None if "thread_totals" in state else spent_on(state.get("messages", []))
    return {**state, "thread_totals": spent} if spent else state


def _starting(
    state: ReasoningState, since: Sequence[BaseMessage], decision: RouteDecision = _UNDECIDED
) -> ReasoningState:
    """The state as the turn begins, for what asks the budgets before the node has returned."""
    report = _fresh_report(decision)
    return cast("ReasoningState", {**state, "reasoning": report, "turn": _fresh_turn(since)})


def split_at_question(messages: Sequence[BaseMessage]) -> tuple[list[BaseMessage], list[BaseMessage]]:
    """The thread up to the newest question, and what tools were called for it since.

    Raises:
        InvalidInputError: the last message is neither a person's nor a tool's, or nothing was asked.
    """
    questions = [place for place, message in enumerate(messages) if isinstance(message, HumanMessage)]
    if not questions or not isinstance(messages[-1], HumanMessage | ToolMessage):
        raise InvalidInputError(
            'The last message must be the question: {"messages": [("user", "…")]} with at least one message; '
            "or the results of tools that were called for it."
        )
    end = questions[-1] + 1
    return list(messages[:end]), list(messages[end:])


def question_text(asked: Sequence[BaseMessage]) -> str:
    """The text of the last message.

    Raises:
        InvalidInputError: it is empty.
    """
    text = str(asked[-1].text).strip()
    if not text and isinstance(asked[-1].content, str):
        raise InvalidInputError("The question is empty; ask something.")
    return text


def _lightened(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """Earlier answers without their log probabilities, about a kilobyte a token.

    They were scored when they were given; every checkpoint holds the whole thread and would grow with its square.
    """
    return [
        message.model_copy(update={"response_metadata": {**message.response_metadata, "logprobs": None}})
        for message in messages
        if isinstance(message, AIMessage) and message.response_metadata.get("logprobs")
    ]


def _previous_route(messages: Sequence[BaseMessage]) -> Route | None:
    """Where the thread's last answer came from: an escalated turn counts as deep."""
    reports = (report_on(message) for message in reversed(messages))
    return next((_route_of(report) for report in reports if report is not None), None)


def _route_of(report: dict[str, Any]) -> Route:
    """The report may have travelled through a client, so nothing in it is certain."""
    rounds = cast("list[Any]", report.get("rounds") or [])
    nodes = [cast("dict[str, Any]", one).get("node") for one in rounds if isinstance(one, dict)]
    return "deep" if "deep_think" in nodes or report.get("route") == "deep" else "fast"


def _fresh_turn(since: Sequence[BaseMessage]) -> Turn:
    turn: Turn = {
        "started_at": time.time(),
        "attempt": None,
        "next_node": "hand_off",
        "answers_from": 0,
        "stopped_by": None,
        "claim": None,
    }
    if begun := spent_on(since):
        turn["begun"] = begun
    return turn


def _fresh_report(decision: RouteDecision) -> ReasoningReport:
    nothing: Signal = unknown_signal("no answer yet")
    return {
        "route": decision.route,
        "triage": decision.triage,
        "rounds": [],
        "accepted_round": -1,
        "signal": nothing,
        "usage": total_usage([decision.triage["usage"]] if "usage" in decision.triage else []),
        "budget": None,
        "rationale_agreement": None,
    }
