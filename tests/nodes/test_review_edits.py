"""A person's own calls in the place of those that were reviewed."""

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command

from adaptive_reasoner.nodes.review import review
from adaptive_reasoner.nodes.tool_claims import ToolClaims
from adaptive_reasoner.state import ReasoningState

THREAD = {"configurable": {"thread_id": "1"}}
CALL = {"name": "pay", "args": {"amount": 71}, "id": "toolu_1", "type": "tool_call"}
THOUGHT = {"type": "thinking", "thinking": "71, I think.", "signature": "c2lnbmVk"}
ROUND = {"node": "fast_answer", "verdict": "review", "tool_calls": ["pay"]}


@pytest.fixture
def reviewed():
    """A function from a message and a person's replies to the state after the review."""

    def run(best, *replies):
        claims = ToolClaims(lambda state: state["turn"].get("tool_claims"))
        graph = StateGraph(ReasoningState)
        graph.add_node("review", lambda state: review(state, claims))
        graph.add_edge(START, "review")
        graph.add_edge("review", END)
        compiled = graph.compile(checkpointer=InMemorySaver())
        report = {"rounds": [ROUND], "accepted_round": 0}
        given = {"messages": ["Pay."], "reasoning": report, "candidates": [best], "turn": {"claim": None}}
        state = compiled.invoke(given, THREAD)
        for reply in replies:
            state = compiled.invoke(Command(resume=reply), THREAD)
        return state

    return run


def calls(*amounts):
    return {"action": "edit", "tool_calls": [{"name": "pay", "args": {"amount": one}} for one in amounts]}


def test_the_new_calls_are_claimed_and_run_next(reviewed):
    state = reviewed(AIMessage("", tool_calls=[CALL]), calls(17))
    newest = state["messages"][-1]
    assert [(call["args"], call["id"]) for call in newest.tool_calls] == [({"amount": 17}, "toolu_1")]
    assert state["turn"]["next_node"] == "tools"
    assert list(state["turn"]["tool_claims"]) == ["toolu_1"]
    assert state["reasoning"]["review"] == calls(17)


def test_there_may_be_more_of_them_than_there_were(reviewed):
    newest = reviewed(AIMessage("", tool_calls=[CALL]), calls(17, 3))["messages"][-1]
    assert [call["id"] for call in newest.tool_calls] == ["toolu_1", "edited_2"]


def test_signed_thoughts_stay_and_the_models_own_call_does_not(reviewed):
    blocks = [THOUGHT, {"type": "tool_use", "id": "toolu_1", "name": "pay", "input": {"amount": 71}}]
    best = AIMessage(
        blocks, tool_calls=[CALL], additional_kwargs={"tool_calls": ["71"], "signatures": {"toolu_1": "x"}}
    )
    newest = reviewed(best, calls(17))["messages"][-1]
    assert newest.content == [THOUGHT]
    assert newest.additional_kwargs == {"signatures": {"toolu_1": "x"}}


def test_words_in_place_of_a_call_are_an_answer(reviewed):
    state = reviewed(AIMessage("", tool_calls=[CALL]), {"action": "edit", "answer": "Not today."})
    assert state["candidates"][-1].text == "Not today."
    assert "next_node" not in state["turn"]


@pytest.mark.parametrize(
    "wrong", [[], "pay", [{"name": "pay"}], [{"args": {}}], [{"name": "pay", "args": "71"}], [71]]
)
def test_what_is_no_call_is_asked_for_again(reviewed, wrong):
    state = reviewed(AIMessage("", tool_calls=[CALL]), {"action": "edit", "tool_calls": wrong})
    assert '[{"name": "…", "args": {…}}]' in state["__interrupt__"][0].value["problem"]


def test_an_answer_cannot_become_a_call(reviewed):
    state = reviewed(AIMessage("42"), calls(17))
    assert "where a call of tools is reviewed" in state["__interrupt__"][0].value["problem"]
    assert reviewed(AIMessage("42"), calls(17), "approve")["reasoning"]["review"] == {"action": "approve"}
