"""The compiled graph as a node of a larger one whose state has other keys, or which branches on the report.

A parent whose state has the keys `messages` and `reasoning` takes the compiled graph itself:
`parent.add_node("reasoner", build_reasoning_graph(...))`. Everything else is `reasoning_node`.
"""

# LangGraph and LangChain leave the type arguments of their commands and runnables open.
# pyright: reportUnknownMemberType=false

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.messages import AIMessage, MessageLikeRepresentation
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
from langgraph.types import Command, Send

from adaptive_reasoner.graph import ReasoningGraph
from adaptive_reasoner.nodes.hand_off import is_settled
from adaptive_reasoner.state import ReasoningReport

__all__ = ["is_settled", "reasoning_node"]

Update = dict[str, Any]
Ask = Callable[[Any], str | Sequence[MessageLikeRepresentation]]
Tell = Callable[[AIMessage, ReasoningReport], Update]
Destination = str | Send | Sequence[str | Send]
Goto = Callable[[ReasoningReport], Destination]


def reasoning_node(
    graph: ReasoningGraph, *, ask: Ask, tell: Tell, goto: Goto | None = None, leave: bool = False
) -> Runnable[Any, Any]:
    """A node that reads its question from the parent's state and writes the answer back into it.

    Inside a parent with a checkpointer, a review interrupts the parent, and a resumed or restarted parent goes on
    within the graph: no model is asked twice. `ask` runs again then, so it must only read.

    Args:
        graph: compiled without a checkpointer, so that it uses the parent's; with `checkpointer=True` it remembers
            its thread from one visit to the next.
        ask: from the parent's state to the question, or to the messages that end with it.
        tell: from the final message and the report to the parent's update.
        goto: from the report to the next node (`is_settled` tells accepted answers from doubtful ones); name the
            possible ones in `add_node(..., destinations=(...))`, so that they are drawn. None: edges decide.
        leave: the update and `goto` are meant for the parent of the graph that this node stands in, as an agent's
            hand-off to another is.
    """

    def run(state: Any, config: RunnableConfig) -> Any:
        return end(graph.invoke(asking(state), config))

    async def arun(state: Any, config: RunnableConfig) -> Any:
        return end(await graph.ainvoke(asking(state), config))

    def asking(state: Any) -> Any:
        asked = ask(state)
        return {"messages": [("user", asked)] if isinstance(asked, str) else list(asked)}

    def end(output: Any) -> Update | Command[Any]:
        report: ReasoningReport = output["reasoning"]
        update = tell(output["messages"][-1], report)
        if goto is None and not leave:
            return update
        return Command(
            graph=Command.PARENT if leave else None, update=update, goto=goto(report) if goto else ()
        )

    return RunnableLambda(run, afunc=arun, name="reasoning")
