"""confidence_gate: scores what came back, asks the gate for a verdict, and says which answer is best so far."""

from dataclasses import dataclass
from typing import Any, Literal

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.config import get_stream_writer

from adaptive_reasoner.config import Decision, Situation
from adaptive_reasoner.errors import BudgetExhaustedError, ConfigurationError, RefusalError
from adaptive_reasoner.gate.early_cut import cut_words
from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.nodes.best_round import answered_by_deep, repeats_doubt
from adaptive_reasoner.nodes.call_settings import CallSettings
from adaptive_reasoner.nodes.parts import Parts
from adaptive_reasoner.nodes.problems import was_cut_off
from adaptive_reasoner.nodes.repair import said
from adaptive_reasoner.nodes.rounds import count_of, round_of, with_best, with_decision, with_round
from adaptive_reasoner.nodes.run_metadata import show_round
from adaptive_reasoner.nodes.token_heat import token_entropies
from adaptive_reasoner.nodes.tool_claims import ToolClaims
from adaptive_reasoner.nodes.two_forms import TwoForms, two_forms_of
from adaptive_reasoner.state import (
    MODE_OF_NODE,
    Attempt,
    ReasoningReport,
    ReasoningState,
    Signal,
    Turn,
    Verdict,
)
from adaptive_reasoner.thinking import is_embedded
from adaptive_reasoner.uncertainty.entropy import Bounds, token_bounds
from adaptive_reasoner.uncertainty.logprobs import parse_response
from adaptive_reasoner.uncertainty.message import with_repeats, with_thought
from adaptive_reasoner.uncertainty.rationale import with_agreement, with_rationale
from adaptive_reasoner.uncertainty.rationale_text import rationale_of
from adaptive_reasoner.uncertainty.score import score_tokens, unknown_signal
from adaptive_reasoner.uncertainty.shapes import as_list, as_mapping
from adaptive_reasoner.uncertainty.support import with_support
from adaptive_reasoner.uncertainty.tokens import TokenLogprobs

Update = dict[str, Any]

NextNode = Literal["refine", "deep_think", "review", "tools", "hand_off"]
NEXT_NODE: dict[Verdict, NextNode] = {
    "accept": "hand_off",
    "refine": "refine",
    "escalate": "deep_think",
    "review": "review",
    "give_up": "hand_off",
}
# Errors after which asking again, even a stronger model, is no help.
_FINAL_ERRORS = frozenset({RefusalError.code, BudgetExhaustedError.code})
# A longer answer is judged in a thread: scoring takes about 0.03 ms a token, in which no other run would go on.
_SHORT_TOKENS, _SHORT_LETTERS = 128, 2048


@dataclass(frozen=True, slots=True)
class _Options:
    """What may still be done, and the limit that rules the rest out."""

    can_refine: bool
    can_escalate: bool
    stopped_by: str | None


def make_confidence_gate_node(parts: Parts, tool_claims: ToolClaims | None = None) -> TwoForms:
    """Build the node from the gates of each mode; with the graph's own tools, it claims the calls to be run."""
    return two_forms_of("confidence_gate", _ConfidenceGate(parts, tool_claims), parts.config)


class _ConfidenceGate:
    """The node's body; its result completes the last round with a verdict."""

    def __init__(self, parts: Parts, tool_claims: ToolClaims | None) -> None:
        self._parts = parts
        self._tool_claims = tool_claims

    def is_quick(self, state: ReasoningState, settings: CallSettings) -> bool:
        """True if the answer is short, and neither a ledger nor a gate of somebody else's is asked."""
        parts = self._parts
        if parts.config.allocation is not None or callable(parts.config.answer_span):
            return False
        are_own = isinstance(parts.fast_gate, GateProfile) and isinstance(parts.deep_gate, GateProfile)
        return are_own and not parts.purse.accounts(settings) and _is_short(state["candidates"][-1])

    def run(self, state: ReasoningState, settings: CallSettings, config: RunnableConfig) -> Update:
        """Judge the newest answer."""
        message, attempt = state["candidates"][-1], state["turn"]["attempt"]
        assert attempt is not None, "the graph leads here only from a node that made an attempt"  # noqa: S101
        answer = parse_response(message)
        bounds = token_bounds(answer.tokens) if answer.trusted and answer.tokens else None
        signal = self._signal(answer, bounds, message, attempt)
        if (agreement := attempt.get("rationale_agreement")) is not None:
            signal = with_agreement(signal, agreement)
        if attempt["node"] == "refine":
            signal = with_repeats(signal, said(message), said(state["candidates"][-2]))
        if attempt["node"] == "deep_think":
            signal = self._with_support(signal, state, message)
        judged = with_round(state, round_of(attempt, signal, message))
        options = self._options(judged, settings, attempt, message)
        decision = self._decide(judged, attempt, options, settings)
        update = self._update(judged, decision, options, message)
        show_round(update["reasoning"], message, config)
        _announce(update["reasoning"], message, token_entropies(answer, bounds))
        return update

    def _signal(
        self, answer: TokenLogprobs, bounds: Bounds | None, message: AIMessage, attempt: Attempt
    ) -> Signal:
        if attempt["error"]:
            return unknown_signal(attempt["error_message"] or attempt["error"])
        if "cut" in attempt:
            return unknown_signal(cut_words(attempt["cut"]))
        is_whole = not was_cut_off(message)
        if not is_whole and not rationale_of(message):  # the answer stands before its rationale
            return unknown_signal("the answer was cut off at its limit of output tokens")
        if "signal" in attempt:
            return attempt["signal"]
        span = self._parts.config.answer_span
        signal = with_thought(score_tokens(answer, span, bounds), message)
        return with_rationale(signal, message, span) if is_whole else signal

    def _with_support(self, signal: Signal, state: ReasoningState, message: AIMessage) -> Signal:
        rounds, first = state["reasoning"]["rounds"], state["turn"]["answers_from"]
        for index in range(len(rounds) - 1, first - 1, -1):
            if rounds[index]["node"] == "fast_answer" and "cut" not in rounds[index]:
                earlier = rounds[index]["signal"], state["candidates"][index]
                return with_support(signal, message, *earlier, self._parts.config.answer_span)
        return signal

    def _decide(
        self, judged: ReasoningState, attempt: Attempt, options: _Options, settings: CallSettings
    ) -> Decision:
        mode, can_review = MODE_OF_NODE[attempt["node"]], self._parts.config.review == "low_confidence"
        allocation = self._parts.config.allocation
        is_whole = _is_answer(attempt) and not was_cut_off(judged["candidates"][-1])
        situation = Situation(
            mode=mode,
            can_refine=options.can_refine,
            can_escalate=options.can_escalate,
            can_review=can_review,
            accept_unknown=self._parts.config.accept_unknown and is_whole,
            price=allocation.price(settings.tenant) if allocation else None,
            triage=judged["reasoning"]["triage"],
            is_call=bool(judged["candidates"][-1].tool_calls),
        )
        rounds = judged["reasoning"]["rounds"]
        by_deep = mode != "fast" and answered_by_deep(rounds)
        gate = self._parts.deep_gate if by_deep else self._parts.fast_gate
        signal = rounds[-1]["signal"]
        wanted = (
            Decision("escalate", str(signal["reason"]), None)
            if "cut" in attempt
            else gate.decide(signal, situation)
        )
        decision = _allowed(wanted, situation, attempt)
        if options.stopped_by and decision.verdict in ("give_up", "review"):
            return Decision(decision.verdict, f"{decision.reason}; {options.stopped_by}", decision.risk)
        return decision

    def _options(
        self, state: ReasoningState, settings: CallSettings, attempt: Attempt, message: AIMessage
    ) -> _Options:
        may_refine = (
            _is_answer(attempt)
            and self._can_repair(state, message)
            and count_of(state, "refine") < self._parts.config.max_refinements
            and not repeats_doubt(state["candidates"][state["turn"]["answers_from"] :])
        )
        may_escalate = (
            settings.may_think
            and not answered_by_deep(state["reasoning"]["rounds"])
            and attempt["error"] not in _FINAL_ERRORS
        )
        refine_refusal = self._parts.purse.ask(state, settings, "refine").refusal if may_refine else None
        deep_refusal = self._parts.purse.ask(state, settings, "deep_think").refusal if may_escalate else None
        return _Options(
            can_refine=may_refine and refine_refusal is None,
            can_escalate=may_escalate and deep_refusal is None,
            stopped_by=attempt["refused_by"] or deep_refusal or refine_refusal,
        )

    def _can_repair(self, state: ReasoningState, message: AIMessage) -> bool:
        """The embedded model never learned to look at a call of its own again."""
        by_deep = answered_by_deep(state["reasoning"]["rounds"])
        model = (self._parts.deep if by_deep else self._parts.fast).model
        return not (message.tool_calls and is_embedded(model))

    def _update(
        self, state: ReasoningState, decision: Decision, options: _Options, message: AIMessage
    ) -> Update:
        report = with_decision(state["reasoning"], decision)
        if decision.verdict in ("accept", "give_up", "review"):
            report = with_best(report, state["turn"]["answers_from"], self._parts.fast_gate)
        # Calls of tools that the caller brought are handed on; only the graph's own are run here.
        tool_claims = self._tool_claims if decision.verdict == "accept" and message.tool_calls else None
        stopped_by = options.stopped_by if decision.verdict in ("give_up", "review") else None
        turn: Turn = {
            **state["turn"],
            "attempt": None,
            "next_node": "tools" if tool_claims else NEXT_NODE[decision.verdict],
            "stopped_by": stopped_by,
        }
        if tool_claims is None:
            return {"reasoning": report, "turn": turn}
        turn["answers_from"] = len(report["rounds"])
        turn["tool_claims"] = tool_claims.claim([message])
        return {"reasoning": report, "turn": turn, "messages": [message]}


def _is_short(message: AIMessage) -> bool:
    """True if its log probabilities are scored in a few milliseconds."""
    entries = as_list(as_mapping(message.response_metadata.get("logprobs")).get("content"))
    return len(entries or ()) <= _SHORT_TOKENS and len(str(message.content)) <= _SHORT_LETTERS


def _is_answer(attempt: Attempt) -> bool:
    return not attempt["error"] and "cut" not in attempt


def _allowed(decision: Decision, situation: Situation, attempt: Attempt) -> Decision:
    """The decision, unless it takes a way that is closed: a caller's own gate must not make the graph run on."""
    if decision.verdict not in NEXT_NODE:
        raise ConfigurationError(
            f"The gate's verdict is {decision.verdict!r}; use one of: {', '.join(NEXT_NODE)}."
        )
    is_open = {
        "accept": _is_answer(attempt),
        "refine": situation.can_refine,
        "escalate": situation.can_escalate,
        "review": situation.can_review,
    }
    if is_open.get(decision.verdict, True):
        return decision
    reason = f"{decision.reason}; the gate said {decision.verdict}, which is not possible"
    return Decision("review" if situation.can_review else "give_up", reason, decision.risk)


def _announce(report: ReasoningReport, message: AIMessage, tokens: list[list[str | float]] | None) -> None:
    """Tell a watching caller; the token entropies are for showing and stay out of the state.

    Who shows drafts as they stream takes back what came under the restart's `message_id`.
    """
    index, last, tell = len(report["rounds"]) - 1, report["rounds"][-1], get_stream_writer()
    event: dict[str, Any] = {"event": "round", "index": index, "round": last}
    tell({**event, "text": str(message.text), "tokens": tokens})
    if last["verdict"] in ("refine", "escalate"):
        restart = {"event": "restart", "index": index, "message_id": message.id}
        tell({**restart, "next": NEXT_NODE[last["verdict"]], "reason": last.get("reason", "")})
