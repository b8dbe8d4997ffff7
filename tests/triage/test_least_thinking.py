"""The least share that thinks: drawn by a hash, the same everywhere."""

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from adaptive_reasoner import ReasonerConfig
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.triage import TriageRequest, choose_route
from adaptive_reasoner.triage.least_thinking import is_drawn, lot_of

QUESTIONS = [f"How many sides has shape number {number}?" for number in range(4000)]


def test_the_share_that_is_drawn_is_the_share_that_was_asked_for():
    for share in (0.05, 0.3):
        drawn = sum(is_drawn([HumanMessage(question)], share) for question in QUESTIONS) / len(QUESTIONS)
        # Three standard errors of a share of 4,000.
        assert drawn == pytest.approx(share, abs=3 * (share * (1 - share) / 4000) ** 0.5)


def test_the_lot_is_the_same_in_every_process():
    assert lot_of("What is 2 + 3?") == pytest.approx(0.324321327140461, abs=1e-12)
    assert lot_of("  what IS 2 + 3? ") == lot_of("What is 2 + 3?")


def test_a_larger_share_keeps_what_a_smaller_one_draws():
    few = {question for question in QUESTIONS if is_drawn([HumanMessage(question)], 0.1)}
    assert few <= {question for question in QUESTIONS if is_drawn([HumanMessage(question)], 0.2)}


def test_none_or_all_may_be_asked_for():
    assert not any(is_drawn([HumanMessage(question)], 0.0) for question in QUESTIONS)
    assert all(is_drawn([HumanMessage(question)], 1.0) for question in QUESTIONS)


def test_the_same_follow_up_is_drawn_with_its_own_question():
    threads = [[HumanMessage(question), AIMessage("4"), HumanMessage("why?")] for question in QUESTIONS]
    drawn = sum(is_drawn(thread, 0.3) for thread in threads) / len(threads)
    assert drawn == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("text", ["", "🤔", "\ud800"])
def test_any_text_can_be_drawn(text):
    assert 0 <= lot_of(text) < 1


@pytest.mark.parametrize(
    ("settings", "request_", "source"),
    [
        ({}, {}, "minimum"),
        ({"triage": "off"}, {}, "minimum"),
        ({}, {"previous_route": "fast"}, "minimum"),
        ({"never_think": ("shape",)}, {}, "rule"),
        ({}, {"thinking": "off"}, "caller"),
        ({}, {"importance": "high"}, "importance"),
    ],
)
def test_the_minimum_comes_after_what_somebody_asked_for_and_before_what_is_predicted(
    settings, request_, source
):
    text = QUESTIONS[0]
    request = TriageRequest(messages=[HumanMessage(text)], text=text, **request_)
    decision = choose_route(request, ReasonerConfig(least_thinking_share=1.0, **settings), None)
    assert decision.triage["source"] == source
    if source == "minimum":
        assert decision.route == "deep"
        assert "100.0%" in decision.triage["reason"]


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan"), "0.1", None, True])
def test_a_share_that_is_none_is_named(share):
    with pytest.raises(ConfigurationError, match="least_thinking_share"):
        ReasonerConfig(least_thinking_share=share)
