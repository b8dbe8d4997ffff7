"""How a round enters the report: first the call and its signal, then the verdict, then which answer is best."""

from langchain_core.messages import AIMessage

from adaptive_reasoner.config import Decision, Gate
from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.nodes.best_round import best_round
from adaptive_reasoner.nodes.spending import probe_usages, total_usage
from adaptive_reasoner.state import (
    AnsweringNode,
    Attempt,
    ReasoningReport,
    ReasoningState,
    Round,
    Signal,
    UncertainStep,
)
from adaptive_reasoner.thinking.steps import thought_steps
from adaptive_reasoner.thinking.thoughts import thought_text
from adaptive_reasoner.uncertainty.shapes import as_list, as_mapping


def round_of(attempt: Attempt, signal: Signal, message: AIMessage) -> Round:
    """The round of a call that was not judged yet."""
    one: Round = {
        "node": attempt["node"],
        "verdict": "give_up",
        "signal": signal,
        "usage": attempt["usage"],
        "latency_seconds": attempt["latency_seconds"],
    }
    if attempt["error"]:
        one["error"] = attempt["error"]
    if attempt["usage_estimated"]:
        one["usage_estimated"] = True
    if calls := attempt.get("signal_calls"):
        one["signal_calls"] = calls
    if (most := attempt.get("capped_to")) is not None:
        one["capped_to"] = most
    if note := attempt.get("thinking"):
        one["thinking"] = note
    if "cut" in attempt:
        one["cut"] = attempt["cut"]
    if message.response_metadata.get("reasoning_logprobs"):
        one["uncertain_steps"] = uncertain_steps(message)
    if message.tool_calls:
        one["tool_calls"] = [call["name"] for call in message.tool_calls]
    return one


def uncertain_steps(message: AIMessage) -> list[UncertainStep]:
    """The steps of the visible thought that the model was unsure of."""
    told = as_mapping(message.response_metadata.get("reasoning_logprobs"))
    entries = [as_mapping(entry) for entry in as_list(told.get("content")) or ()]
    return [
        {
            "step": one["step"],
            "text": one["text"],
            "start": one["start"],
            "end": one["end"],
            "entropy_nats": one["entropy_nats"],
        }
        for one in thought_steps(thought_text(message), entries)
        if one["is_uncertain"] and one["entropy_nats"] is not None
    ]


def with_round(state: ReasoningState, one: Round) -> ReasoningState:
    """The state with `one` as its newest round, and what it used."""
    report = state["reasoning"]
    rounds = [*report["rounds"], one]
    usage = total_usage([*probe_usages(state), *(each["usage"] for each in rounds)])
    return {**state, "reasoning": {**report, "rounds": rounds, "usage": usage}}


def with_decision(report: ReasoningReport, decision: Decision) -> ReasoningReport:
    """The report with the verdict on its newest round; a gate's number may be NumPy's, the state's is plain."""
    last = report["rounds"][-1]
    risk = None if decision.risk is None else float(decision.risk)
    signal: Signal = {**last["signal"], "risk": risk}
    judged: Round = {**last, "verdict": decision.verdict, "signal": signal, "reason": decision.reason}
    return {**report, "rounds": [*report["rounds"][:-1], judged]}


def with_best(report: ReasoningReport, answers_from: int, gate: Gate) -> ReasoningReport:
    """The best answer so far is not always the newest (see `best_round`); -1 where every call failed.

    Args:
        report: the newest round judged.
        answers_from: index of the first round that counts.
        gate: the fast answers' gate; a profile may know how to compare them with deep ones.
    """
    comparison = gate.comparison if isinstance(gate, GateProfile) else None
    best = best_round(report["rounds"], answers_from, comparison=comparison)
    return {**report, "accepted_round": best, "signal": report["rounds"][best]["signal"]}


def count_of(state: ReasoningState, node: AnsweringNode) -> int:
    """How often `node` has answered since the last tool result."""
    rounds = state["reasoning"]["rounds"][state["turn"]["answers_from"] :]
    return sum(one["node"] == node for one in rounds)
