"""No tool of an agent runs twice within a process: what test_tools_run_once.py cannot see from outside."""

import pytest
from graph_ways import sure
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware, ToolRetryMiddleware
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

from adaptive_reasoner import AdaptiveReasoningMiddleware, build_reasoning_graph
from adaptive_reasoner.testing import Reply, ScriptedChatModel

THREAD = {"configurable": {"thread_id": "1"}}
PAY = Reply(tool_calls=[{"name": "pay", "args": {"amount": 42}}])


@pytest.fixture
def agent():
    """A function from a tool to an agent that calls it once, with a thread of its own."""

    def make(pay, *more):
        model = ScriptedChatModel([PAY, sure("Paid.")])
        middleware = [AdaptiveReasoningMiddleware(), *more]
        return create_agent(model, [pay], middleware=middleware, checkpointer=InMemorySaver())

    return make


def test_resuming_after_the_end_runs_nothing_again(agent):
    paid = []

    @tool
    def pay(amount: int) -> str:
        """Pay."""
        paid.append(amount)
        return "paid"

    made = agent(pay)
    made.invoke({"messages": "Pay 42."}, THREAD)
    made.invoke(None, THREAD)
    made.invoke(Command(resume="approve"), THREAD)
    assert paid == [42]


def test_a_tool_that_was_broken_off_is_not_run_again_in_the_same_process(agent):
    paid = []

    @tool
    def pay(amount: int) -> str:
        """Pay."""
        paid.append(amount)
        raise KeyboardInterrupt

    made = agent(pay)
    with pytest.raises(KeyboardInterrupt):
        made.invoke({"messages": "Pay 42."}, THREAD)
    state = made.invoke(None, THREAD)
    assert paid == [42]
    assert state["messages"][2].status == "error"


def test_a_tool_that_fails_by_itself_may_be_tried_again(agent):
    paid = []

    @tool
    def pay(amount: int) -> str:
        """Pay."""
        paid.append(amount)
        if len(paid) == 1:
            raise OSError("line is busy")
        return "paid"

    made = agent(pay)
    with pytest.raises(OSError, match="line is busy"):
        made.invoke({"messages": "Pay 42."}, THREAD)
    assert made.invoke(None, THREAD)["messages"][2].text == "paid"
    again = agent(pay, ToolRetryMiddleware(max_retries=1, initial_delay=0.0))
    paid.clear()
    assert again.invoke({"messages": "Pay 42."}, THREAD)["messages"][2].text == "paid"
    assert paid == [42, 42]


async def test_without_blocking_a_tool_that_fails_or_asks_by_itself_may_be_tried_again(agent):
    paid = []

    @tool
    async def pay(amount: int) -> str:
        """Pay."""
        if not paid:
            paid.append("busy")
            raise OSError("line is busy")
        amount = interrupt("How much?")
        paid.append(amount)
        if len(paid) == 2:
            raise OSError("line is busy again")
        return "paid"

    made = agent(pay)
    with pytest.raises(OSError, match="line is busy"):
        await made.ainvoke({"messages": "Pay 42."}, THREAD)
    await made.ainvoke(None, THREAD)
    with pytest.raises(OSError, match="line is busy again"):
        await made.ainvoke(Command(resume=41), THREAD)
    state = await made.ainvoke(None, THREAD)
    assert (paid, state["messages"][2].text) == (["busy", 41, 41], "paid")


def test_a_tool_that_asks_a_person_itself_runs_once_after_the_answer(agent):
    paid = []

    @tool
    def pay(amount: int) -> str:
        """Pay."""
        amount = interrupt("How much?")
        paid.append(amount)
        return "paid"

    made = agent(pay)
    made.invoke({"messages": "Pay 42."}, THREAD)
    state = made.invoke(Command(resume=41), THREAD)
    assert (paid, state["messages"][2].text) == ([41], "paid")


def test_an_approved_call_runs_once(agent):
    paid = []

    @tool
    def pay(amount: int) -> str:
        """Pay."""
        paid.append(amount)
        return "paid"

    made = agent(pay, HumanInTheLoopMiddleware(interrupt_on={"pay": True}))
    made.invoke({"messages": "Pay 42."}, THREAD)
    assert paid == []
    made.invoke(Command(resume={"decisions": [{"type": "approve"}]}), THREAD)
    assert paid == [42]


def test_a_tool_that_fails_after_the_answer_may_be_tried_again(agent):
    tried = []

    @tool
    def pay(amount: int) -> str:
        """Pay."""
        amount = interrupt("How much?")
        tried.append(amount)
        if len(tried) == 1:
            raise OSError("line is busy")
        return "paid"

    made = agent(pay)
    made.invoke({"messages": "Pay 42."}, THREAD)
    with pytest.raises(OSError, match="line is busy"):
        made.invoke(Command(resume=41), THREAD)
    assert made.invoke(None, THREAD)["messages"][2].text == "paid"
    assert tried == [41, 41]


def test_a_tool_that_is_broken_off_after_the_answer_is_not_run_again(agent):
    paid = []

    @tool
    def pay(amount: int) -> str:
        """Pay."""
        amount = interrupt("How much?")
        paid.append(amount)
        raise KeyboardInterrupt

    made = agent(pay)
    made.invoke({"messages": "Pay 42."}, THREAD)
    with pytest.raises(KeyboardInterrupt):
        made.invoke(Command(resume=41), THREAD)
    state = made.invoke(Command(resume=41), THREAD)
    assert paid == [41]
    assert state["messages"][2].status == "error"


def test_a_tool_that_asks_twice_runs_once_after_both_answers(agent):
    paid = []

    @tool
    def pay(amount: int) -> str:
        """Pay."""
        amount = interrupt("How much?")
        to = interrupt("To whom?")
        paid.append((to, amount))
        return "paid"

    made = agent(pay)
    made.invoke({"messages": "Pay 42."}, THREAD)
    made.invoke(Command(resume=41), THREAD)
    assert paid == []
    state = made.invoke(Command(resume="Ada"), THREAD)
    assert (paid, state["messages"][2].text) == ([("Ada", 41)], "paid")


def test_within_a_larger_graph_it_holds_too_and_the_marks_disturb_nobody():
    paid = []

    @tool
    def pay(amount: int) -> str:
        """Pay."""
        amount = interrupt("How much?")
        paid.append(amount)
        raise KeyboardInterrupt

    inner = build_reasoning_graph(ScriptedChatModel([PAY, sure("I will find out.")]), tools=[pay])
    parent = StateGraph(MessagesState)
    parent.add_node("reasoner", inner)
    parent.add_edge(START, "reasoner")
    made = parent.compile(checkpointer=InMemorySaver())
    made.invoke({"messages": "Pay 42."}, THREAD)
    with pytest.raises(KeyboardInterrupt):
        made.invoke(Command(resume=41), THREAD)
    assert made.get_state(THREAD, subgraphs=True).next == ("reasoner",)
    assert made.invoke(None, THREAD)["messages"][-1].text == "I will find out."
    assert paid == [41]
    assert made.get_state(THREAD).next == ()
    assert len(list(made.get_state_history(THREAD))) > 1
