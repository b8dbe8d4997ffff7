"""Budgets over an agent's loop: what a question and its thread took before stands in the answers' reports."""

import pytest
from chat_model_ways import adaptive, call, report_of, sure
from langchain_core.messages import HumanMessage, ToolMessage
from langgraph.graph import START, MessagesState, StateGraph

from adaptive_reasoner import Budget, ReasonerConfig
from adaptive_reasoner.budget import Ledger
from adaptive_reasoner.errors import BudgetExhaustedError

TOOLS = [{"type": "function", "function": {"name": "weather", "description": "", "parameters": {}}}]


def looped(model, *, times, budget=None, thread=()):
    """The thread after `times` calls, each followed by a tool's result."""
    thread = [*thread, HumanMessage("Weather in Rome?")]
    for _ in range(times):
        message = model.invoke(thread, tools=TOOLS, budget=budget)
        thread += [message, ToolMessage("sunny", tool_call_id=message.tool_calls[0]["id"])]
    return thread


def test_a_budget_for_the_query_holds_over_the_whole_loop():
    model, budget = adaptive(*[call("Rome")] * 3), Budget(max_model_calls=2)
    thread = looped(model, times=2, budget=budget)
    assert report_of(thread[-2])["budget"]["used_model_calls"] == 2
    with pytest.raises(BudgetExhaustedError, match="2 of 2 model calls"):
        model.invoke(thread, tools=TOOLS, budget=budget)
    assert len(model.fast.calls) == 2


def test_tokens_and_costs_of_the_loop_count_as_well():
    model = adaptive(call("Rome"), call("Rome"))
    thread = looped(model, times=2, budget=Budget(max_tokens=1_000_000))
    first, second = (report_of(thread[place]) for place in (1, 3))
    assert second["budget"]["used_tokens"] == first["usage"]["total_tokens"] + second["usage"]["total_tokens"]


def test_the_next_question_has_its_own_budget_and_the_thread_one_for_all():
    model = adaptive(*[call("Rome")] * 3)
    thread = looped(model, times=1, budget=Budget(max_model_calls=1))
    thread = looped(model, times=1, budget=Budget(max_model_calls=1), thread=thread)
    with pytest.raises(BudgetExhaustedError, match="budget per thread"):
        looped(model, times=1, budget=Budget(max_model_calls=2, per="thread"), thread=thread)


def test_the_cap_on_calls_is_that_of_one_answer():
    model = adaptive(*[call("Rome")] * 4, config=ReasonerConfig(max_model_calls=2))
    assert len(looped(model, times=4)) == 9


@pytest.mark.parametrize(
    "report",
    [
        {},
        {"usage": None, "rounds": "many"},
        {
            "usage": {"total_tokens": "7", "cost_usd": -3},
            "rounds": [None, {"signal_calls": "x"}],
            "triage": 1,
        },
    ],
)
def test_a_report_that_a_client_spoilt_stops_nobody(report):
    model = adaptive(call("Rome"), sure("Sunny."))
    thread = looped(model, times=1)
    thread[1].response_metadata["adaptive_reasoning"] = report
    assert model.invoke(thread, tools=TOOLS, budget=Budget(max_tokens=10_000)).text == "Sunny."


def test_two_calls_in_one_node_are_counted_twice_for_the_tenant():
    pytest.importorskip("sqlalchemy", reason="the extra `budgets` is not installed")
    ledger = Ledger.open("sqlite://")
    config = ReasonerConfig(budget=Budget(max_model_calls=9, per="tenant"), ledger=ledger)
    model = adaptive(sure("one"), sure("two"), config=config)

    def answer(state):
        return {"messages": [model.invoke("First?"), model.invoke("Second?")]}

    graph = StateGraph(MessagesState).add_node("answer", answer).add_edge(START, "answer").compile()
    state = graph.invoke({"messages": "Go."}, {"configurable": {"tenant": "acme", "thread_id": "1"}})
    (account,) = report_of(state["messages"][-1])["budget"]["accounts"].values()
    assert account["model_calls"] == 2
    ledger.close()
