"""The state machine.

                 ┌────────────────────────── refine ◄───────────┐
query ─► triage ─┤─► fast_answer ─┐                             │
                 │                ├─► confidence_gate ──────────┤─► hand_off ─► deliver (downstream)
                 └─► deep_think ──┘          │                  │
                        ▲                    ├─ escalate        └─ review (interrupt: a person decides)
                        └────────────────────┘

With fallback signals, `second_opinion` stands before the gate and looks into answers whose confidence is unknown.
With tools, an accepted tool call goes through `tools` and its result back to the node that asked for it.
"""

# LangGraph leaves the type arguments of its caches and savers open.
# pyright: reportUnknownMemberType=false, reportUnknownParameterType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from collections.abc import Sequence
from typing import Any

from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.store.base import BaseStore

from adaptive_reasoner.config import ReasonerConfig
from adaptive_reasoner.models import ModelSpec
from adaptive_reasoner.nodes.claims import Claims
from adaptive_reasoner.nodes.confidence_gate import make_confidence_gate_node
from adaptive_reasoner.nodes.deep_think import make_deep_think_node
from adaptive_reasoner.nodes.deliver import as_runnable, make_deliver_node
from adaptive_reasoner.nodes.fast_answer import make_fast_answer_node
from adaptive_reasoner.nodes.hand_off import make_hand_off_node
from adaptive_reasoner.nodes.parts import assemble
from adaptive_reasoner.nodes.refine import make_refine_node
from adaptive_reasoner.nodes.review import make_review_node
from adaptive_reasoner.nodes.second_opinion import make_second_opinion_node
from adaptive_reasoner.nodes.tool_claims import ToolClaims, make_tools_node
from adaptive_reasoner.nodes.triage import make_triage_node
from adaptive_reasoner.routing import (
    Route,
    route_after_confidence_gate,
    route_after_hand_off,
    route_after_review,
    route_after_tools,
    route_after_triage,
)
from adaptive_reasoner.state import (
    ReasoningContext,
    ReasoningInput,
    ReasoningOutput,
    ReasoningState,
    Recorder,
)

ReasoningGraph = CompiledStateGraph[ReasoningState, ReasoningContext, ReasoningInput, ReasoningOutput]


def build_reasoning_graph(  # noqa: PLR0913 - the public signature is fixed by the contract
    fast: ModelSpec,
    deep: ModelSpec | None = None,
    *,
    tools: Sequence[BaseTool] = (),
    downstream: Runnable[Any, Any] | None = None,
    config: ReasonerConfig | None = None,
    recorder: Recorder | None = None,
    checkpointer: BaseCheckpointSaver[Any] | bool | None = None,
    store: BaseStore | None = None,
) -> ReasoningGraph:
    """Build and compile the graph.

    Args:
        fast: a chat model, "embedded", or a string as `init_chat_model` takes it.
        deep: the model that thinks; None is the fast model with thinking switched on.
        tools: what the answering nodes may call; a call passes the gate before it runs, and runs once (as with
            `downstream`). Without them, a call of the graph may bring its own (`ReasoningContext`), whose calls
            come back with the answer.
        downstream: a tool, runnable or function that gets {"answer", "report"} once an answer is accepted,
            and never twice (under `durability="sync"` not even if the process is killed).
        config: how to triage, doubt and spend.
        recorder: gets one record a run.
        checkpointer: LangGraph's; with one, a thread survives its process.
        store: LangGraph's, for nodes and tools.

    Raises:
        ConfigurationError: a model or a setting cannot be used; the message says what to do.
    """
    config = config or ReasonerConfig()
    parts = assemble(fast, deep, tools, config)
    claims = Claims() if downstream is not None else None
    tool_claims = ToolClaims(lambda state: state["turn"].get("tool_claims")) if tools else None

    graph = StateGraph(
        ReasoningState,
        context_schema=ReasoningContext,
        input_schema=ReasoningInput,
        output_schema=ReasoningOutput,
    )
    graph.add_node("triage", make_triage_node(parts))
    graph.add_node("fast_answer", make_fast_answer_node(parts))
    graph.add_node("deep_think", make_deep_think_node(parts))
    graph.add_node("confidence_gate", make_confidence_gate_node(parts, tool_claims))
    graph.add_node("refine", make_refine_node(parts))
    graph.add_node("review", make_review_node(tool_claims))
    graph.add_node("hand_off", make_hand_off_node(config, recorder, claims, parts.purse))

    graph.add_edge(START, "triage")
    graph.add_conditional_edges("triage", Route(route_after_triage), ["fast_answer", "deep_think"])
    judged_by = "confidence_gate"
    if config.fallback_signals or config.agreement_share:
        judged_by = "second_opinion"
        graph.add_node("second_opinion", make_second_opinion_node(parts))
        graph.add_edge("second_opinion", "confidence_gate")
    graph.add_edge("fast_answer", judged_by)
    graph.add_edge("deep_think", judged_by)
    graph.add_edge("refine", judged_by)
    after_gate, after_review = ["refine", "deep_think", "review", "hand_off"], ["deep_think", "hand_off"]
    if tool_claims:
        graph.add_node("tools", make_tools_node(tools, tool_claims))
        graph.add_conditional_edges("tools", Route(route_after_tools), ["fast_answer", "deep_think"])
        after_gate.append("tools")
        after_review.append("tools")
    graph.add_conditional_edges("confidence_gate", Route(route_after_confidence_gate), after_gate)
    graph.add_conditional_edges("review", Route(route_after_review), after_review)
    if downstream is not None and claims is not None:
        graph.add_node("deliver", make_deliver_node(as_runnable(downstream), claims))
        graph.add_conditional_edges("hand_off", Route(route_after_hand_off), ["deliver", END])
        graph.add_edge("deliver", END)
    else:
        graph.add_edge("hand_off", END)
    return graph.compile(checkpointer=checkpointer, store=store, name="adaptive_reasoner")
