from typing import Any

import pytest

from adaptive_reasoner.cli.always_deep import always_deep_words, compared_words, usual_deep_tokens
from adaptive_reasoner.cli.events import HandedOff, Paused
from adaptive_reasoner.testing import ScriptedChatModel


def _report(*rounds: tuple[str, int]) -> Any:
    """A report whose rounds wrote so many tokens; the last one was accepted."""
    made = [
        {
            "node": node,
            "verdict": "accept" if place + 1 == len(rounds) else "escalate",
            "usage": {"output_tokens": n},
        }
        for place, (node, n) in enumerate(rounds)
    ]
    return {"rounds": made, "accepted_round": len(rounds) - 1, "signal": {"risk": 0.031}}


def test_a_round_that_thought_measures_it() -> None:
    words = always_deep_words(_report(("fast_answer", 5), ("refine", 12), ("deep_think", 90)), 77.0)
    assert words == "always thinking: 90 tokens written instead of 107 (measured: the thinking above)"


def test_without_such_a_round_the_usual_cost_is_called_an_estimate() -> None:
    words = always_deep_words(_report(("fast_answer", 5)), 76.6)
    assert words is not None
    assert words.startswith("always thinking: 77 tokens written instead of 5 (an estimate")


def test_nothing_is_said_where_nothing_is_known() -> None:
    assert always_deep_words(_report(("fast_answer", 5)), None) is None


def test_comparison_tells_both_costs() -> None:
    last, other = HandedOff("42", _report(("fast_answer", 5))), HandedOff("43", _report(("deep_think", 90)))
    assert compared_words(last, other) == (
        "always thinking: 43 (sure; risk of being wrong 3.1%; 90 tokens written instead of 5, measured by running it)"
    )


def test_comparison_may_wait_for_a_person() -> None:
    assert "waits for a person" in compared_words(HandedOff("42", _report(("fast_answer", 5))), Paused({}))


@pytest.mark.parametrize("model", ["nobody:nothing", ScriptedChatModel(steps=[])], ids=["name", "model"])
def test_models_without_a_profile_have_no_usual_cost(model: Any) -> None:
    assert usual_deep_tokens(model) is None
