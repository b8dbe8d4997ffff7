"""A run of the graph without LangGraph's engine, which costs more than all the nodes of a fast answer together.

What the engine is for (checkpoints, streams, interrupts, tracing, tasks side by side) a plain served question does
not use. Here the graph's own nodes are called one after the other along the graph's own edges; whatever needs more
goes through LangGraph, see `can_walk`.
"""

import asyncio
import uuid
from typing import Any, cast

from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import get_async_callback_manager_for_config, set_config_context
from langgraph.constants import END, START
from langgraph.errors import GraphRecursionError
from langgraph.graph.message import add_messages
from langgraph.runtime import Runtime

from adaptive_reasoner.config import ReasonerConfig
from adaptive_reasoner.graph import ReasoningGraph
from adaptive_reasoner.state import ReasoningContext

Json = dict[str, Any]

# LangGraph's names for where it keeps a run's context, and for one task of a run.
_RUNTIME, _TASK = "__pregel_runtime", "checkpoint_ns"


def can_walk(config: ReasonerConfig) -> bool:
    """True if such a run never waits for a person, and no tracer or other handler of LangChain looks on now."""
    return config.review == "never" and not get_async_callback_manager_for_config({}).handlers


class Walk:
    """The way through one graph.

    Args:
        graph: without tools of its own, whose calls would run side by side.
    """

    def __init__(self, graph: ReasoningGraph) -> None:
        built: Any = graph.builder
        self._nodes: dict[str, Runnable[Any, Json]] = {
            name: spec.runnable for name, spec in built.nodes.items()
        }
        self._edges: dict[str, str] = dict(built.edges)
        self._routes: dict[str, Runnable[Any, str]] = {
            name: next(iter(branches.values())).path for name, branches in built.branches.items()
        }

    async def run(
        self, messages: list[BaseMessage], config: RunnableConfig, context: ReasoningContext
    ) -> Json:
        """The finished run's state.

        Raises:
            GraphRecursionError: it takes more steps than `config` allows.
        """
        runtime = Runtime(context=context)
        whole: RunnableConfig = {
            **config,
            "configurable": {**(config.get("configurable") or {}), _RUNTIME: runtime},
        }
        with set_config_context(whole) as around:
            return await asyncio.create_task(self._steps(messages, whole), context=around)

    async def _steps(self, messages: list[BaseMessage], config: RunnableConfig) -> Json:
        state: Json = {"messages": add_messages([], cast("Any", messages))}
        name = self._edges[START]
        for _ in range(config.get("recursion_limit", 25)):
            update = await self._nodes[name].ainvoke(state, _of_task(config, name))
            if "messages" in update:
                update = {**update, "messages": add_messages(state["messages"], update["messages"])}
            state |= update
            name = await self._routes[name].ainvoke(state) if name in self._routes else self._edges[name]
            if name == END:
                return state
        raise GraphRecursionError("The run took more steps than its limit.")


def _of_task(config: RunnableConfig, name: str) -> RunnableConfig:
    """The budgets know a call by the task that makes it."""
    configurable = {**(config.get("configurable") or {}), _TASK: f"{name}:{uuid.uuid4().hex}"}
    return {**config, "configurable": configurable}
