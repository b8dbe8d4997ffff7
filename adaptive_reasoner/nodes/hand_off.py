"""hand_off: the final message with the report, whatever happened before."""

import copy
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.config import get_stream_writer

from adaptive_reasoner.config import ReasonerConfig
from adaptive_reasoner.nodes.allocating import spending_of
from adaptive_reasoner.nodes.call_settings import CallSettings
from adaptive_reasoner.nodes.claims import Claims
from adaptive_reasoner.nodes.purse import Purse
from adaptive_reasoner.nodes.run_metadata import show_run
from adaptive_reasoner.nodes.run_record import keep, run_id, run_record
from adaptive_reasoner.nodes.spending import budget_status, thread_totals
from adaptive_reasoner.nodes.two_forms import TwoForms, two_forms_of
from adaptive_reasoner.prompts import NOT_ANSWERED, TOOL_NOT_RUN, WITHHELD
from adaptive_reasoner.state import ReasoningReport, ReasoningState, Recorder
from adaptive_reasoner.uncertainty.rationale import with_rationale
from adaptive_reasoner.uncertainty.score import unknown_signal

Update = dict[str, Any]


def make_hand_off_node(
    config: ReasonerConfig, recorder: Recorder | None, claims: Claims | None, purse: Purse
) -> TwoForms:
    """Build the node.

    Args:
        config: the graph's settings.
        recorder: gets one record a run.
        claims: where a settled answer's hand-off to `downstream` is claimed; None without one.
        purse: knows what is used of the budgets that others share.
    """
    return two_forms_of("hand_off", _HandOff(config, recorder, claims, purse), config)


class _HandOff:
    """The node's body; its result ends the turn."""

    def __init__(
        self, config: ReasonerConfig, recorder: Recorder | None, claims: Claims | None, purse: Purse
    ) -> None:
        self._config = config
        self._purse = purse
        self._recorder = recorder
        self._claims = claims

    def is_quick(self, state: ReasoningState, settings: CallSettings) -> bool:  # noqa: ARG002 - the answer does not matter
        """True if nothing is written down anywhere, and no ledger is asked."""
        config = self._config
        writes = self._recorder is not None or config.allocation is not None
        return not (writes or callable(config.answer_span) or self._purse.accounts(settings))

    def run(self, state: ReasoningState, settings: CallSettings, config: RunnableConfig) -> Update:
        """Hand the best answer on."""
        status = budget_status(state, settings, self._purse.standings(settings))
        report: ReasoningReport = {**state["reasoning"], "budget": status}
        if allocation := self._config.allocation:
            allocation.observe(spending_of(report), settings.tenant)
            report["allocation"] = allocation.report(settings.tenant)
        report["rationale_agreement"] = _agreement(state, self._config)
        if self._recorder is not None:
            report["run_id"] = run_id(state, config)
        message = _final_message(state, report, settings)
        if self._recorder is not None:
            record = run_record(state, str(message.text), report, config, settings)
            if problem := keep(self._recorder, record):
                report["recording"] = problem
                message = _final_message(state, report, settings)
        show_run(report, str(message.text), state, config)
        get_stream_writer()({"event": "hand_off", "report": report})
        is_delivered = self._claims is not None and is_settled(report) and not message.tool_calls
        return {
            "messages": [message],
            "reasoning": report,
            "candidates": [],
            "turn": {**state["turn"], "claim": self._claims.new() if self._claims and is_delivered else None},
            "thread_totals": thread_totals(state),
        }


def best_candidate(state: ReasoningState) -> AIMessage:
    """The answer that is handed on: the edited one, the accepted one, or the best so far."""
    report, candidates = state["reasoning"], state["candidates"]
    is_reviewed = bool(report["rounds"]) and report["rounds"][-1]["verdict"] == "review"
    if is_reviewed and report.get("review", {}).get("action") == "edit":
        return candidates[-1]
    index = report["accepted_round"]  # -1, where every call failed: the last one may hold a refusal's words
    return candidates[index] if index < len(candidates) else AIMessage("")


def _agreement(state: ReasoningState, config: ReasonerConfig) -> float | None:
    """Of the answer that is handed on with its work, as far as it was checked; of a person's words there is none."""
    report, best = state["reasoning"], best_candidate(state)
    index = report["accepted_round"]
    if 0 <= index < len(state["candidates"]) and best is state["candidates"][index]:
        checked = report["rounds"][index]["signal"].get("rationale_agreement")
        if checked is not None:
            return checked
    return with_rationale(unknown_signal(""), best, config.answer_span).get("rationale_agreement")


def is_settled(report: ReasoningReport) -> bool:
    """True if the gate accepted the answer or a person did; only then does it go downstream."""
    verdict = report["rounds"][-1]["verdict"]
    if verdict == "review":
        return report.get("review", {}).get("action") in ("approve", "edit")
    return verdict == "accept"


def _final_message(state: ReasoningState, report: ReasoningReport, settings: CallSettings) -> AIMessage:
    best = best_candidate(state)
    text = _replacement_text(best, report, settings.answer_tools)
    metadata = {**best.response_metadata, "adaptive_reasoning": copy.deepcopy(report)}
    if text is not None:  # our words, not the model's: another message, so that a stream does not mix them up
        return AIMessage(text, response_metadata=metadata, usage_metadata=best.usage_metadata)
    return best.model_copy(update={"response_metadata": metadata})


def _replacement_text(best: AIMessage, report: ReasoningReport, answer_tools: frozenset[str]) -> str | None:
    """What is said instead of the answer where there is none to give."""
    if report.get("review", {}).get("action") == "reject":
        return WITHHELD
    has_failed, calls = report["accepted_round"] < 0, [call["name"] for call in best.tool_calls]
    if calls and not has_failed and (is_settled(report) or answer_tools.issuperset(calls)):
        return None  # the caller runs them
    if calls and not has_failed:
        return TOOL_NOT_RUN.format(tools=", ".join(calls))
    was_cut = has_failed and "cut" in report["rounds"][-1]
    if calls or was_cut or best.invalid_tool_calls or not str(best.text).strip():
        return NOT_ANSWERED.format(reason=report["rounds"][-1].get("reason", ""))
    return None
