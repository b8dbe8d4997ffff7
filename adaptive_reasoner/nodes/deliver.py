"""deliver: gives {answer, report} to `downstream`, once, and only after the answer was settled.

hand_off claims the delivery and the checkpointer keeps the claim; see `nodes.claims` for why a resumed thread does
not repeat it: never twice is worth more than always once. Run the graph with `durability="sync"` where a process
may be killed, so that the claim is on disk before downstream is called.
"""

import copy
from typing import Any, cast

from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
from langgraph.errors import GraphBubbleUp

from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.nodes.claims import Claims
from adaptive_reasoner.nodes.isolated import arun_isolated, run_isolated
from adaptive_reasoner.nodes.two_forms import TwoForms
from adaptive_reasoner.state import ReasoningReport, ReasoningState

Update = dict[str, Any]
INTERRUPTED = "unknown: the process that claimed the hand-off ended before it was done; it is not repeated"


def make_deliver_node(downstream: Runnable[Any, Any], claims: Claims) -> TwoForms:
    """Build the node that calls `downstream` for the turns that `claims` holds."""

    def deliver(state: ReasoningState, config: RunnableConfig) -> Update:
        claim = state["turn"]["claim"]
        if not claims.take(claim):
            return _end(state, INTERRUPTED)
        try:
            result = run_isolated(lambda: downstream.invoke(_payload(state), config))
        except GraphBubbleUp:
            claims.give_back(claim or "")
            raise
        return _end(state, _status(result))

    async def adeliver(state: ReasoningState, config: RunnableConfig) -> Update:
        claim = state["turn"]["claim"]
        if not claims.take(claim):
            return _end(state, INTERRUPTED)
        try:
            result = await arun_isolated(downstream.ainvoke(_payload(state), config))
        except GraphBubbleUp:
            claims.give_back(claim or "")
            raise
        return _end(state, _status(result))

    return TwoForms("deliver", deliver, adeliver)


def as_runnable(downstream: Any) -> Runnable[Any, Any]:
    """A tool or runnable as it is, a function as a runnable.

    Raises:
        ConfigurationError: it is none of these.
    """
    if isinstance(downstream, Runnable):
        return cast("Runnable[Any, Any]", downstream)
    if callable(downstream):
        return cast("Runnable[Any, Any]", RunnableLambda(downstream))
    raise ConfigurationError(f"downstream is {downstream!r}; give a tool, a runnable or a function.")


def _payload(state: ReasoningState) -> dict[str, Any]:
    return {"answer": str(state["messages"][-1].text), "report": copy.deepcopy(state["reasoning"])}


def _status(result: Any) -> str:
    return f"failed: {type(result).__name__}: {result}" if isinstance(result, Exception) else "done"


def _end(state: ReasoningState, status: str) -> Update:
    report = cast("ReasoningReport", {**state["reasoning"], "delivery": status})
    message = state["messages"][-1]
    metadata = {**message.response_metadata, "adaptive_reasoning": copy.deepcopy(report)}
    updated = message.model_copy(update={"response_metadata": metadata})
    return {"reasoning": report, "messages": [updated], "turn": {**state["turn"], "claim": None}}
