"""Edge functions: from the state to the next node's name, and nothing else."""

from collections.abc import Callable
from typing import Any, Literal

from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableConfig
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


class Route(Runnable[ReasoningState, Any]):
    """An edge function as LangGraph takes it: of a plain function, an async run would wait for a thread."""

    def __init__(self, route: Callable[[ReasoningState], Any]) -> None:
        self.name = route.__name__
        self._route = route

    def invoke(
        self,
        input: ReasoningState,  # noqa: A002 - LangChain's name for it
        config: RunnableConfig | None = None,  # noqa: ARG002
        **_kwargs: Any,
    ) -> Any:
        """The next node."""
        return self._route(input)

    async def ainvoke(
        self,
        input: ReasoningState,  # noqa: A002
        config: RunnableConfig | None = None,  # noqa: ARG002
        **_kwargs: Any,
    ) -> Any:
        """The next node."""
        return self._route(input)


def _tool_runs(state: ReasoningState) -> list[Send]:
    """A task for each call: one that pauses, or is killed, makes none of the others run again."""
    newest = state["messages"][-1]
    return [Send("tools", [call]) for call in newest.tool_calls] if isinstance(newest, AIMessage) else []
