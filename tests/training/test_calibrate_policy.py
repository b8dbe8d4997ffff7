import math
from collections.abc import Mapping

import numpy as np
import pytest

from adaptive_reasoner.config import Decision, Situation
from adaptive_reasoner.embedded.problems import Problem
from adaptive_reasoner.state import Mode, Signal, Verdict
from adaptive_reasoner.training.embedded.calibrate_answers import Answer
from adaptive_reasoner.training.embedded.calibrate_policy import Case, run_policy, totals, totals_of_mode
from adaptive_reasoner.uncertainty.score import unknown_signal

PROBLEM = Problem("What is 2 + 2?", 4, 1, "expression")
TOKENS: Mapping[Mode, int] = {"fast": 5, "refine": 12, "deep": 60}


def signal(probability: float) -> Signal:
    """An answer of one token with this probability."""
    entropy = -probability * math.log(probability)
    return {
        **unknown_signal(""),
        "kind": "logprobs",
        "entropy_nats": {"lower": entropy, "upper": entropy},
        "min_probability": probability,
        "perplexity": 1 / probability,
        "token_count": 1,
        "reason": None,
    }


def case(right: Mapping[Mode, bool], texts: Mapping[Mode, str] | None = None) -> Case:
    answers = {
        mode: Answer(
            (texts or {}).get(mode, "Answer: 4"), is_right, TOKENS[mode], 0, signal(0.9), np.empty((0, 21))
        )
        for mode, is_right in right.items()
    }
    return Case(PROBLEM, answers)


class ScriptedGate:
    """Gives each mode its verdict and risk, and remembers what was still possible."""

    def __init__(self, script: Mapping[Mode, tuple[Verdict, float]]) -> None:
        self.script = script
        self.situations: list[Situation] = []

    def decide(self, signal: Signal, situation: Situation) -> Decision:
        self.situations.append(situation)
        verdict, risk = self.script[situation.mode]
        return Decision(verdict, "scripted", risk)


RIGHT_AT_LAST = case({"fast": False, "refine": False, "deep": True})


def test_accepted_fast_answer_costs_itself():
    outcome = run_policy(RIGHT_AT_LAST, ScriptedGate({"fast": ("accept", 0.1)}))
    assert (outcome.path, outcome.tokens, outcome.is_right) == (("fast",), 5, False)


def test_every_call_is_paid_and_the_least_risk_is_handed_on():
    gate = ScriptedGate({"fast": ("refine", 0.5), "refine": ("escalate", 0.4), "deep": ("accept", 0.2)})
    outcome = run_policy(RIGHT_AT_LAST, gate)
    assert outcome.path == ("fast", "refine", "deep")
    assert outcome.tokens == 77
    assert outcome.is_right


def test_a_newer_answer_of_higher_risk_is_not_handed_on():
    gate = ScriptedGate({"fast": ("escalate", 0.1), "deep": ("accept", 0.3)})
    outcome = run_policy(RIGHT_AT_LAST, gate)
    assert outcome.accepted == 0
    assert not outcome.is_right
    assert outcome.tokens == 65


def test_options_shrink_as_in_the_graph():
    gate = ScriptedGate({"fast": ("refine", 0.5), "refine": ("escalate", 0.5), "deep": ("give_up", 0.5)})
    run_policy(RIGHT_AT_LAST, gate)
    assert [(s.mode, s.can_refine, s.can_escalate) for s in gate.situations] == [
        ("fast", True, True),
        ("refine", False, True),
        ("deep", False, False),
    ]


def test_starting_deep_skips_the_fast_answer():
    outcome = run_policy(RIGHT_AT_LAST, ScriptedGate({"deep": ("accept", 0.1)}), first="deep")
    assert (outcome.path, outcome.tokens) == (("deep",), 60)


def test_an_empty_answer_is_no_candidate_and_cannot_be_refined():
    silent = case({"fast": False, "deep": False}, {"fast": " "})
    gate = ScriptedGate({"fast": ("escalate", 0.0), "deep": ("accept", 0.9)})
    assert run_policy(silent, gate).accepted == 1
    assert not gate.situations[0].can_refine


def test_refining_a_deep_answer_is_refused():
    with pytest.raises(KeyError, match="refined deep answer"):
        run_policy(RIGHT_AT_LAST, ScriptedGate({"deep": ("refine", 0.5)}), first="deep")


def test_totals_average_over_cases():
    gate = ScriptedGate({"fast": ("accept", 0.1)})
    cases = [case({"fast": True}), case({"fast": False})]
    both = totals([run_policy(one, gate) for one in cases])
    assert (both.accuracy, both.mean_tokens) == (0.5, 5.0)
    assert totals_of_mode(cases, "fast").accuracy == 0.5
