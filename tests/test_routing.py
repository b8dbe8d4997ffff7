"""Edges: from the state to the next node's name."""

import pytest

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


@pytest.mark.parametrize("node", ["refine", "deep_think", "review", "tools", "hand_off"])
def test_the_gate_names_the_next_node(node):
    assert route_after_confidence_gate({"turn": {"next_node": node}}) == node


@pytest.mark.parametrize(
    ("asked_by", "node"),
    [("fast_answer", "fast_answer"), ("deep_think", "deep_think"), ("refine", "fast_answer")],
)
def test_a_tools_result_goes_back_to_who_asked(asked_by, node):
    assert route_after_tools({"reasoning": {"rounds": [{"node": "deep_think"}, {"node": asked_by}]}}) == node


@pytest.mark.parametrize(
    ("chosen", "node"), [("tools", "tools"), ("review", "hand_off"), ("hand_off", "hand_off")]
)
def test_only_an_approved_call_of_tools_is_run_after_a_review(chosen, node):
    assert route_after_review({"turn": {"next_node": chosen}}) == node


@pytest.mark.parametrize(("claim", "node"), [("abc", "deliver"), (None, "__end__")])
def test_only_a_claimed_answer_is_delivered(claim, node):
    assert route_after_hand_off({"turn": {"claim": claim}}) == node
