"""deliver: gives {answer, report} to `downstream`, once, and only after the answer was settled.

hand_off claims the delivery under this process's id and the checkpointer keeps the claim. A process that was
killed meanwhile leaves it unknown whether downstream ran, so another process that resumes the thread sees a
foreign claim and does not run it again: never twice is worth more than always once.
"""

from typing import Any, cast

from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda

from adaptive_reasoner.nodes.isolated import arun_isolated, run_isolated
from adaptive_reasoner.state import ReasoningReport, ReasoningState

Update = dict[str, Any]
INTERRUPTED = "unknown: the process that claimed the hand-off ended before it was done; it is not repeated"


def make_deliver_node(downstream: Runnable[Any, Any], claim: str) -> "RunnableLambda[ReasoningState, Update]":
    """Build the node that calls `downstream` under `claim`."""

    def deliver(state: ReasoningState, config: RunnableConfig) -> Update:
        if state["turn"]["claim"] != claim:
            return _end(state, INTERRUPTED)
        return _end(state, _status(run_isolated(lambda: downstream.invoke(_payload(state), config))))

    async def adeliver(state: ReasoningState, config: RunnableConfig) -> Update:
        if state["turn"]["claim"] != claim:
            return _end(state, INTERRUPTED)
        return _end(state, _status(await arun_isolated(downstream.ainvoke(_payload(state), config))))

    return RunnableLambda(deliver, afunc=adeliver, name="deliver")


def _payload(state: ReasoningState) -> dict[str, Any]:
    return {"answer": str(state["messages"][-1].text), "report": state["reasoning"]}


def _status(result: Any) -> str:
    return f"failed: {type(result).__name__}: {result}" if isinstance(result, Exception) else "done"


def _end(state: ReasoningState, status: str) -> Update:
    report = cast("ReasoningReport", {**state["reasoning"], "delivery": status})
    message = state["messages"][-1]
    metadata = {**message.response_metadata, "adaptive_reasoning": report}
    updated = message.model_copy(update={"response_metadata": metadata})
    return {"reasoning": report, "messages": [updated], "turn": {**state["turn"], "claim": None}}
