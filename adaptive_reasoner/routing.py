"""Edge functions: from the state to the next node's name, and nothing else."""

from typing import Literal

from langchain_core.messages import AIMessage
from langgraph.types import Send

from adaptive_reasoner.state import ReasoningState


def route_after_triage(state: ReasoningState) -> Literal["fast_answer", "deep_think"]:
    """Triage's route names the first node."""
    return "deep_think" if state["reasoning"]["route"] == "deep" else "fast_answer"


def route_after_confidence_gate(
    state: ReasoningState,
) -> Literal["refine", "deep_think", "review", "hand_off"] | list[Send]:
    """The gate's verdict names the next node (see `nodes.confidence_gate.NEXT_NODE`)."""
    node = state["turn"]["next_node"]
    return _tool_runs(state) if node == "tools" else node


def route_after_tools(state: ReasoningState) -> Literal["fast_answer", "deep_think"]:
    """A tool's result goes back to the model that asked for it."""
    nodes = [one["node"] for one in state["reasoning"]["rounds"]]
    return "deep_think" if "deep_think" in nodes else "fast_answer"


def route_after_review(state: ReasoningState) -> Literal["deep_think", "hand_off"] | list[Send]:
    """A person's decision is handed on, unless an approved call of tools is run first, or a thought goes on."""
    node = state["turn"]["next_node"]
    if node == "tools":
        return _tool_runs(state)
    return "deep_think" if node == "deep_think" else "hand_off"


def route_after_hand_off(state: ReasoningState) -> Literal["deliver", "__end__"]:
    """Only a settled answer is claimed, and only a claimed one is delivered."""
    return "deliver" if state["turn"]["claim"] else "__end__"


def _tool_runs(state: ReasoningState) -> list[Send]:
    """A task for each call: one that pauses, or is killed, makes none of the others run again."""
    newest = state["messages"][-1]
    return [Send("tools", [call]) for call in newest.tool_calls] if isinstance(newest, AIMessage) else []
