"""hand_off: the final message with the report, whatever happened before."""

import copy
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.config import get_stream_writer

from adaptive_reasoner.config import ReasonerConfig
from adaptive_reasoner.nodes.call_settings import read_call_settings
from adaptive_reasoner.nodes.spending import budget_status, spent_by_scope
from adaptive_reasoner.prompts import NOT_ANSWERED, TOOL_NOT_RUN, WITHHELD
from adaptive_reasoner.state import ReasoningReport, ReasoningState, Recorder, ThreadTotals

Update = dict[str, Any]


def make_hand_off_node(
    config: ReasonerConfig, recorder: Recorder | None, claim: str | None
) -> "_HandOffNode":
    """Build the node.

    Args:
        config: the graph's settings.
        recorder: gets one record a run.
        claim: id under which this process claims the hand-off to `downstream`; None without one.
    """
    return _HandOffNode(config, recorder, claim)


class _HandOffNode:
    """Callable node; its result ends the turn."""

    def __init__(self, config: ReasonerConfig, recorder: Recorder | None, claim: str | None) -> None:
        self._config = config
        self._recorder = recorder
        self._claim = claim

    def __call__(self, state: ReasoningState, config: RunnableConfig) -> Update:
        report = _final_report(state, self._config, config)
        message = _final_message(state, report)
        if self._recorder is not None:
            self._recorder.record(_record(state, message, report, config))
        get_stream_writer()({"event": "hand_off", "report": report})
        return {
            "messages": [message],
            "reasoning": report,
            "candidates": [],
            "turn": {**state["turn"], "claim": self._claim if is_settled(report) else None},
            "thread_totals": _thread_totals(state),
        }


def best_candidate(state: ReasoningState) -> AIMessage:
    """The answer that is handed on: the edited one, the accepted one, or the best so far."""
    report, candidates = state["reasoning"], state["candidates"]
    if report.get("review", {}).get("action") == "edit":
        return candidates[-1]
    index = report["accepted_round"]
    return candidates[index] if 0 <= index < len(candidates) else AIMessage("")


def is_settled(report: ReasoningReport) -> bool:
    """True if the gate accepted the answer or a person did; only then does it go downstream."""
    if "review" in report:
        return report["review"]["action"] in ("approve", "edit")
    return bool(report["rounds"]) and report["rounds"][-1]["verdict"] == "accept"


def _final_report(
    state: ReasoningState, config: ReasonerConfig, run_config: RunnableConfig
) -> ReasoningReport:
    settings = read_call_settings(run_config, config)
    return {**state["reasoning"], "budget": budget_status(state, settings)}


def _final_message(state: ReasoningState, report: ReasoningReport) -> AIMessage:
    best = best_candidate(state)
    text = _replacement_text(best, report)
    content = best.content if text is None else text
    metadata = {**best.response_metadata, "adaptive_reasoning": copy.deepcopy(report)}
    return best.model_copy(update={"content": content, "response_metadata": metadata, "tool_calls": []})


def _replacement_text(best: AIMessage, report: ReasoningReport) -> str | None:
    """What is said instead of the answer where there is none to give."""
    if report.get("review", {}).get("action") == "reject":
        return WITHHELD
    if best.tool_calls:
        return TOOL_NOT_RUN.format(tools=", ".join(call["name"] for call in best.tool_calls))
    if not str(best.text).strip():
        rounds = report["rounds"]
        return NOT_ANSWERED.format(reason=rounds[-1].get("reason", "") if rounds else "no call was made")
    return None


def _thread_totals(state: ReasoningState) -> ThreadTotals:
    spent = spent_by_scope(state)["thread"]
    return {
        "tokens": spent.tokens,
        "model_calls": spent.model_calls,
        "seconds": spent.seconds,
        "cost_usd": spent.cost_usd,
    }


def _record(
    state: ReasoningState, message: AIMessage, report: ReasoningReport, run_config: RunnableConfig
) -> dict[str, Any]:
    asked = run_config.get("configurable") or {}
    question = next((m for m in reversed(state["messages"]) if isinstance(m, HumanMessage)), None)
    return {
        "question": str(question.text) if question else "",
        "answer": str(message.text),
        "report": copy.deepcopy(report),
        "thread_id": asked.get("thread_id"),
        "tenant": asked.get("tenant"),
    }
