"""The embedded model's calculator in every way in: agent, graph, chat model, endpoint; no network, no script."""

from collections import Counter
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from adaptive_reasoner import (
    AdaptiveChatModel,
    AdaptiveReasoningMiddleware,
    EmbeddedChatModel,
    ReasonerConfig,
    build_reasoning_graph,
    score_message,
)
from adaptive_reasoner.config import Decision
from adaptive_reasoner.embedded.problems.formula import value_of
from adaptive_reasoner.testing import serve_openai

pytestmark = pytest.mark.usefixtures("shipped_weights")

EASY = "Nora has 73 boxes. She breaks 34. How many boxes does Nora have now?"
THREAD: Any = {"configurable": {"thread_id": "1"}}


@tool
def calculator(expression: str) -> str:
    """Compute a formula."""
    return str(value_of(expression))


def rounds_of(message: AIMessage) -> list[Any]:
    return message.response_metadata["adaptive_reasoning"]["rounds"]


def test_an_agent_computes_with_it_offline() -> None:
    agent = create_agent(EmbeddedChatModel(), [calculator], middleware=[AdaptiveReasoningMiddleware()])
    _, call, result, answer = agent.invoke({"messages": [("user", EASY)]})["messages"]
    assert call.tool_calls[0]["args"] == {"expression": "73 - 34"}
    assert isinstance(result, ToolMessage)
    assert answer.text == "Answer: 39"
    assert [one["verdict"] for one in rounds_of(call)] == ["accept"]
    assert rounds_of(call)[0]["signal"]["risk"] < 0.05


def test_the_graph_runs_it_as_a_tool_of_its_own() -> None:
    state = build_reasoning_graph("embedded", tools=[calculator]).invoke({"messages": [("user", EASY)]})
    assert state["messages"][-1].text == "Answer: 39"
    assert "tool_calls" in state["reasoning"]["rounds"][0]


def test_the_chat_model_hands_the_call_on_whole_and_streamed() -> None:
    model = AdaptiveChatModel(fast="embedded").bind_tools([calculator])
    whole, chunks = model.invoke(EASY), list(model.stream(EASY))
    total = chunks[0]
    for chunk in chunks[1:]:
        total += chunk
    for message in (whole, total):
        assert [call["args"] for call in message.tool_calls] == [{"expression": "73 - 34"}]


def test_an_endpoint_reports_log_probabilities_of_the_arguments() -> None:
    with serve_openai(EmbeddedChatModel()) as endpoint:
        model = ChatOpenAI(
            model="adaptive-reasoner-embedded",
            base_url=endpoint.base_url,
            api_key="none",
            logprobs=True,
            top_logprobs=20,
        ).bind_tools([calculator])
        assert score_message(model.invoke(EASY))["min_probability"] > 0.9


class _DoubtsCalls:
    """A gate that lets no call pass without a person."""

    def decide(self, signal: Any, situation: Any) -> Decision:
        return Decision("review" if situation.is_call else "accept", "", 0.5)


@pytest.mark.parametrize(("reply", "executions"), [("approve", 1), ("reject", 0)])
def test_a_person_decides_about_a_doubted_call_which_runs_once_or_never(reply: str, executions: int) -> None:
    executed: Counter[str] = Counter()

    @tool
    def counted(expression: str, call: Annotated[str, InjectedToolCallId]) -> str:
        """Compute a formula."""
        executed[call] += 1
        return str(value_of(expression))

    middleware = AdaptiveReasoningMiddleware(
        config=ReasonerConfig(gate=_DoubtsCalls(), review="low_confidence")
    )
    agent = create_agent(
        EmbeddedChatModel(), [counted], middleware=[middleware], checkpointer=InMemorySaver()
    )
    waiting = agent.invoke({"messages": [("user", EASY)]}, THREAD, durability="sync")
    question = waiting["__interrupt__"][0].value
    assert question["tool_calls"] == [{"name": "counted", "args": {"expression": "73 - 34"}}]
    assert not executed
    state = agent.invoke(Command(resume=reply), THREAD, durability="sync")
    assert list(executed.values()) == [1] * executions
    assert (state["messages"][-1].text == "Answer: 39") == bool(executions)
