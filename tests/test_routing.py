"""Edges: from the state to the next node's name."""

import pytest
from langchain_core.messages import AIMessage
from langgraph.types import Send

from adaptive_reasoner.routing import (
    route_after_confidence_gate,
    route_after_hand_off,
    route_after_review,
    route_after_tools,
    route_after_triage,
)


@pytest.mark.parametrize(("route", "node"), [("fast", "fast_answer"), ("deep", "deep_think")])
def test_triage_names_the_first_node(route, node):
    assert route_after_triage({"reasoning": {"route": route}}) == node


@pytest.mark.parametrize("node", ["refine", "deep_think", "review", "hand_off"])
def test_the_gate_names_the_next_node(node):
    assert route_after_confidence_gate({"turn": {"next_node": node}}) == node


@pytest.mark.parametrize("route", [route_after_confidence_gate, route_after_review])
def test_calls_that_are_to_be_run_get_a_task_each(route):
    calls = [
        {"name": "pay", "args": {"amount": amount}, "id": str(amount), "type": "tool_call"}
        for amount in (1, 2)
    ]
    state = {"turn": {"next_node": "tools"}, "messages": [AIMessage("", tool_calls=calls)]}
    assert route(state) == [Send("tools", [calls[0]]), Send("tools", [calls[1]])]


@pytest.mark.parametrize(
    ("asked_by", "node"),
    [
        (["fast_answer"], "fast_answer"),
        (["fast_answer", "refine"], "fast_answer"),
        (["fast_answer", "deep_think"], "deep_think"),
        (["fast_answer", "deep_think", "refine"], "deep_think"),
    ],
)
def test_a_tools_result_goes_back_to_the_model_that_asked(asked_by, node):
    assert route_after_tools({"reasoning": {"rounds": [{"node": each} for each in asked_by]}}) == node


@pytest.mark.parametrize("chosen", ["review", "hand_off"])
def test_without_an_approved_call_a_review_is_handed_on(chosen):
    assert route_after_review({"turn": {"next_node": chosen}}) == "hand_off"


@pytest.mark.parametrize(("claim", "node"), [("abc", "deliver"), (None, "__end__")])
def test_only_a_claimed_answer_is_delivered(claim, node):
    assert route_after_hand_off({"turn": {"claim": claim}}) == node
