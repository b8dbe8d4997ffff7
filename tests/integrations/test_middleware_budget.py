"""Budgets hold over all calls that an agent makes for a question, or in a thread."""

import pytest
from graph_ways import disbelieved, sure
from langchain.agents import create_agent
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver

from adaptive_reasoner import AdaptiveReasoningMiddleware, Budget, ReasonerConfig
from adaptive_reasoner.errors import BudgetExhaustedError
from adaptive_reasoner.testing import Reply, ScriptedChatModel

THREAD = {"configurable": {"thread_id": "1"}}


@pytest.fixture
def agent():
    """A function from steps and budgets to an agent with a tool."""

    @tool
    def price(item: str) -> str:
        """Price of an item."""
        return "7 dollars"

    def make(*steps, budget=()):
        config = ReasonerConfig(budget=budget, max_refinements=0)
        model = ScriptedChatModel(steps)
        made = create_agent(
            model,
            [price],
            middleware=[AdaptiveReasoningMiddleware(config=config)],
            checkpointer=InMemorySaver(),
        )
        made.model = model
        return made

    return make


CALL = Reply(tool_calls=[{"name": "price", "args": {"item": "pen"}}])


def test_a_question_with_tools_keeps_to_its_budget(agent):
    made = agent(CALL, disbelieved("20"), sure("never"), budget=Budget(max_model_calls=2))
    state = made.invoke({"messages": "How much?"}, THREAD)
    assert state["messages"][-1].text == "20"
    assert "2 of 2 model calls" in state["adaptive_reasoning"]["budget"]["exhausted"]


def test_a_question_whose_budget_is_used_up_by_its_tools_ends_clearly(agent):
    made = agent(CALL, sure("never"), budget=Budget(max_model_calls=1))
    with pytest.raises(BudgetExhaustedError, match="per query: 1 of 1 model calls"):
        made.invoke({"messages": "How much?"}, THREAD)
    assert len(made.model.calls) == 1


def test_a_threads_budget_holds_over_its_questions_and_a_querys_begins_anew(agent):
    made = agent(
        sure("1"), sure("2"), budget=(Budget(max_model_calls=1), Budget(max_model_calls=2, per="thread"))
    )
    made.invoke({"messages": "One?"}, THREAD)
    made.invoke({"messages": "Two?"}, THREAD)
    with pytest.raises(BudgetExhaustedError, match="per thread: 2 of 2 model calls"):
        made.invoke({"messages": "Three?"}, THREAD)


def test_a_callers_own_budget_holds_over_the_question_too(agent):
    made = agent(CALL, sure("never"))
    config = {"configurable": {**THREAD["configurable"], "budget": {"max_model_calls": 1}}}
    with pytest.raises(BudgetExhaustedError, match="per query: 1 of 1 model calls"):
        made.invoke({"messages": "How much?"}, config)
