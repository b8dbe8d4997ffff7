"""Edge functions: from the state to the next node's name, and nothing else."""

from typing import Literal

from adaptive_reasoner.state import ReasoningState


def route_after_triage(state: ReasoningState) -> Literal["fast_answer", "deep_think"]:
    """Triage's route names the first node."""
    return "deep_think" if state["reasoning"]["route"] == "deep" else "fast_answer"


def route_after_confidence_gate(
    state: ReasoningState,
) -> Literal["refine", "deep_think", "review", "tools", "hand_off"]:
    """The gate's verdict names the next node (see `nodes.confidence_gate.NEXT_NODE`)."""
    return state["turn"]["next_node"]


def route_after_tools(state: ReasoningState) -> Literal["fast_answer", "deep_think"]:
    """A tool's result goes back to the node that asked for it."""
    return "deep_think" if state["reasoning"]["rounds"][-1]["node"] == "deep_think" else "fast_answer"


def route_after_review(state: ReasoningState) -> Literal["tools", "hand_off"]:
    """A person's decision is handed on; only a call of tools that was approved is run first."""
    return "tools" if state["turn"]["next_node"] == "tools" else "hand_off"


def route_after_hand_off(state: ReasoningState) -> Literal["deliver", "__end__"]:
    """Only a settled answer is claimed, and only a claimed one is delivered."""
    return "deliver" if state["turn"]["claim"] else "__end__"
