"""A tool call is run once, whatever happens to the process: what `deliver` does for the graph's hand-off.

The calls that are to be run are claimed in the state, and the checkpointer keeps the claims; this process keeps the
right to act on them (see `nodes.claims`). A process that was killed in the middle of a tool leaves it unknown what
the tool did, so another one that resumes the thread says so instead of running it again. A call that pauses for a
person runs anew after the answer, in whatever process, as LangGraph has it.
"""

# LangChain leaves the type arguments of its middleware open.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import BaseTool
from langgraph.prebuilt import ToolNode
from langgraph.types import Command

from adaptive_reasoner.nodes.answered_runs import answered_runs
from adaptive_reasoner.nodes.claims import Claims
from adaptive_reasoner.prompts import TOOL_UNKNOWN

ToolResult = ToolMessage | Command[Any]


class ToolClaims:
    """Claims the calls of a model's message, and lets each be run once.

    Args:
        claims_in: from the state to the claims in it, by the calls' ids.
    """

    def __init__(self, claims_in: Callable[[Mapping[str, Any]], Mapping[str, str] | None]) -> None:
        self._claims = Claims()
        self._claims_in = claims_in

    def claim(self, messages: list[Any]) -> dict[str, str]:
        """A claim for each call that the newest message asks for; none where it asks for nothing."""
        newest = messages[-1] if messages else None
        calls = newest.tool_calls if isinstance(newest, AIMessage) else []
        return {call["id"]: self._claims.new() for call in calls if call["id"]}

    def run(self, request: Any, handler: Callable[[Any], ToolResult]) -> ToolResult:
        """Run the call, or say that it is unknown what became of it."""
        claim = self._claim_of(request)
        if claim is None:
            return handler(request)
        runs, is_claimed = answered_runs(request), self._claims.take(claim)
        if not (runs.begin(is_claimed) if runs else is_claimed):
            return _unknown(request)
        try:
            return handler(request)
        except Exception:  # it paused, or ended by itself; only a process that vanished leaves that unknown
            self._claims.give_back(claim)
            if runs:
                runs.end()
            raise

    async def arun(self, request: Any, handler: Callable[[Any], Awaitable[ToolResult]]) -> ToolResult:
        """The same without blocking the event loop."""
        claim = self._claim_of(request)
        if claim is None:
            return await handler(request)
        runs, is_claimed = answered_runs(request), self._claims.take(claim)
        if not (await runs.abegin(is_claimed) if runs else is_claimed):
            return _unknown(request)
        try:
            return await handler(request)
        except Exception:
            self._claims.give_back(claim)
            if runs:
                await runs.aend()
            raise

    def _claim_of(self, request: Any) -> str | None:
        return (self._claims_in(request.state) or {}).get(request.tool_call["id"])


def make_tools_node(tools: Sequence[BaseTool], claims: ToolClaims) -> ToolNode:
    """Build the node that runs one claimed call of the graph's own tools; what a tool raises is its answer."""
    return ToolNode(tools, handle_tool_errors=True, wrap_tool_call=claims.run, awrap_tool_call=claims.arun)


def _unknown(request: Any) -> ToolMessage:
    call = request.tool_call
    return ToolMessage(
        TOOL_UNKNOWN.format(tool=call["name"]), tool_call_id=call["id"], name=call["name"], status="error"
    )
