"""AdaptiveReasoningMiddleware beside LangChain's own, before and after it in the list."""

import pytest
from graph_ways import disbelieved, sure
from langchain.agents import create_agent
from langchain.agents.middleware import (
    ClearToolUsesEdit,
    ContextEditingMiddleware,
    HumanInTheLoopMiddleware,
    LLMToolSelectorMiddleware,
    ModelCallLimitMiddleware,
    ModelFallbackMiddleware,
    ModelRetryMiddleware,
    PIIMiddleware,
    SummarizationMiddleware,
    TodoListMiddleware,
    ToolCallLimitMiddleware,
    ToolErrorMiddleware,
    ToolRetryMiddleware,
)
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from pydantic import BaseModel

from adaptive_reasoner import AdaptiveReasoningMiddleware
from adaptive_reasoner.testing import Reply, ScriptedChatModel

THREAD = {"configurable": {"thread_id": "1"}}


def scripted(*steps, **fields):
    return ScriptedChatModel(steps, logprobs_in_chunks=True, **fields)


def call(item, probability=0.99):
    return Reply(tool_calls=[{"name": "price", "args": {"item": item}}], probability=probability)


@pytest.fixture
def priced():
    """The items that the tool was asked for."""
    return []


@pytest.fixture(params=["ours first", "ours last"])
def agent(request, priced):
    """A function from a model and a neighbour to an agent with both middlewares, in either order."""

    @tool
    def price(item: str) -> str:
        """Price of an item."""
        priced.append(item)
        return "7 dollars"

    def make(model, neighbour, tool=price):
        ours = AdaptiveReasoningMiddleware()
        both = [ours, neighbour] if request.param == "ours first" else [neighbour, ours]
        return create_agent(model, [tool], middleware=both, checkpointer=InMemorySaver())

    return make


def test_summarization_shortens_the_thread_that_the_loop_sees(agent):
    model = scripted(sure("1"), sure("2"), disbelieved("3"), sure("4"))
    made = agent(
        model,
        SummarizationMiddleware(
            model=scripted("They counted."), trigger=("messages", 5), keep=("messages", 1)
        ),
    )
    for question in ("One?", "Two?", "Three, on its own?"):
        state = made.invoke({"messages": question}, THREAD)
    assert state["messages"][-1].text == "4"
    assert [one["verdict"] for one in state["adaptive_reasoning"]["rounds"]] == ["escalate", "accept"]
    sent = [message.text for message in model.calls[2].messages]
    assert "They counted." in sent[0]
    assert sent[1:] == ["Three, on its own?"]


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        ({"type": "approve"}, ["pen"]),
        ({"type": "reject", "message": "no"}, []),
        (
            {"type": "edit", "edited_action": {"name": "price", "args": {"item": "pan"}}},
            ["pan"],
        ),
    ],
    ids=["approve", "reject", "edit"],
)
def test_human_in_the_loop_sees_the_call_that_passed_the_gate(agent, priced, decision, expected):
    model = scripted(call("pencil", 0.3), call("pen"), sure("Done."))
    made = agent(model, HumanInTheLoopMiddleware(interrupt_on={"price": True}))
    waiting = made.invoke({"messages": "How much?"}, THREAD)["__interrupt__"]
    assert waiting[0].value["action_requests"][0]["args"] == {"item": "pen"}
    assert priced == []
    state = made.invoke(Command(resume={"decisions": [decision]}), THREAD)
    assert priced == expected
    assert state["messages"][-1].text == "Done."
    model.assert_exhausted()


def test_human_in_the_loop_sees_the_repaired_call(agent, priced):
    model = scripted(call("pencil", 0.6), call("pen"), sure("Done."))
    made = agent(model, HumanInTheLoopMiddleware(interrupt_on={"price": True}))
    waiting = made.invoke({"messages": "How much?"}, THREAD)["__interrupt__"]
    assert waiting[0].value["action_requests"][0]["args"] == {"item": "pen"}
    state = made.invoke(Command(resume={"decisions": [{"type": "approve"}]}), THREAD)
    assert priced == ["pen"]
    rounds = state["messages"][1].response_metadata["adaptive_reasoning"]["rounds"]
    assert [one["verdict"] for one in rounds] == ["refine", "accept"]
    model.assert_exhausted()


def test_context_editing_clears_old_results_from_what_the_loop_sees(agent):
    model = scripted(call("pen"), call("pencil", 0.6), call("pan"), sure("Done."))
    edit = ClearToolUsesEdit(trigger=1, keep=0)
    agent(model, ContextEditingMiddleware(edits=[edit])).invoke({"messages": "How much?"}, THREAD)
    results = [
        [message.text for message in one.messages if message.type == "tool" and message.status == "success"]
        for one in model.calls
    ]
    assert results == [[], ["[cleared]"], ["[cleared]"], ["[cleared]", "[cleared]"]]


@pytest.fixture
def flaky(priced):
    @tool
    def price(item: str) -> str:
        """Price of an item, whose line is busy at first."""
        priced.append(item)
        if len(priced) == 1:
            raise OSError("line is busy")
        return "7 dollars"

    return price


def test_a_tool_retry_runs_a_call_again_that_failed_by_itself(agent, flaky, priced):
    model = scripted(call("pencil", 0.6), call("pen"), sure("Done."))
    state = agent(model, ToolRetryMiddleware(max_retries=1, initial_delay=0.0, jitter=False), flaky).invoke(
        {"messages": "How much?"}, THREAD
    )
    assert priced == ["pen", "pen"]
    assert state["messages"][2].text == "7 dollars"


def test_a_tools_error_is_told_to_the_model(agent, flaky, priced):
    model = scripted(call("pen"), sure("The line is busy."))
    state = agent(model, ToolErrorMiddleware(lambda error, _request: str(error)), flaky).invoke(
        {"messages": "How much?"}, THREAD
    )
    assert priced == ["pen"]
    assert (state["messages"][2].status, state["messages"][2].text) == ("error", "line is busy")
    assert state["messages"][-1].text == "The line is busy."


def test_a_tool_selection_holds_for_every_call_of_the_loop(agent, priced):
    chosen = Reply(tool_calls=[{"name": "ToolSelectionResponse", "args": {"tools": ["price"]}}])
    model = scripted(call("pencil", 0.6), call("pen"), sure("Done."))
    selector = LLMToolSelectorMiddleware(model=scripted(chosen, cycle=True), max_tools=1)
    agent(model, selector).invoke({"messages": "How much?"}, THREAD)
    assert priced == ["pen"]
    assert [[one["function"]["name"] for one in asked.kwargs["tools"]] for asked in model.calls] == [
        ["price"]
    ] * 3


def test_a_model_call_limit_counts_the_agents_calls(agent):
    model = scripted(call("pencil", 0.3), call("pen"), call("pan"), sure("Never."))
    made = agent(model, ModelCallLimitMiddleware(run_limit=2, exit_behavior="end"))
    state = made.invoke({"messages": "How much?"}, THREAD)
    assert "limit" in state["messages"][-1].text.lower()
    assert len(model.calls) == 3  # two of the agent's, the first of which took two of the loop's


def test_a_tool_call_limit_holds(agent, priced):
    model = scripted(call("pen"), call("pan"), sure("Done."))
    made = agent(model, ToolCallLimitMiddleware(run_limit=1))
    made.invoke({"messages": "How much?"}, THREAD)
    assert priced == ["pen"]


def test_a_fallback_steps_in_where_no_call_gives_an_answer(agent):
    broken = scripted(*[ConnectionError("gone")] * 4)
    made = agent(broken, ModelFallbackMiddleware(scripted(sure("42"))))
    state = made.invoke({"messages": "How much?"}, THREAD)
    assert state["messages"][-1].text == "42"


def test_a_retry_asks_the_whole_loop_again(agent):
    model = scripted(ConnectionError("gone"), ConnectionError("gone"), sure("42"))
    made = agent(model, ModelRetryMiddleware(max_retries=1, initial_delay=0.0, jitter=False))
    assert made.invoke({"messages": "How much?"}, THREAD)["messages"][-1].text == "42"


def test_what_pii_hides_is_hidden_from_the_loop(agent):
    model = scripted(disbelieved("1"), sure("2"))
    made = agent(model, PIIMiddleware("email", strategy="redact"))
    made.invoke({"messages": "Is ada@example.org right?"}, THREAD)
    assert [one.messages[-1].text for one in model.calls] == ["Is [REDACTED_EMAIL] right?"] * 2


def test_a_todo_lists_tool_and_prompt_reach_the_model(agent):
    model = scripted(sure("42"))
    made = agent(model, TodoListMiddleware())
    made.invoke({"messages": "How much?"}, THREAD)
    names = [one["function"]["name"] for one in model.calls[0].kwargs["tools"]]
    assert sorted(names) == ["price", "write_todos"]


class Total(BaseModel):
    """What is to be paid."""

    dollars: int


def test_a_fallback_gets_nothing_that_was_meant_for_the_loop():
    total = Reply(tool_calls=[{"name": "Total", "args": {"dollars": 21}}])
    spare = scripted(total)
    broken = scripted(*[ConnectionError("gone")] * 4).bind(temperature=0.5)
    both = [AdaptiveReasoningMiddleware(), ModelFallbackMiddleware(spare)]
    made = create_agent(broken, [], middleware=both, response_format=Total)
    state = made.invoke({"messages": "How much?"})
    assert state["structured_response"] == Total(dollars=21)
    assert state["adaptive_reasoning"] is None
    assert set(spare.calls[0].kwargs) == {"tools", "tool_choice"}
