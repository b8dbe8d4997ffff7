from typing import Any

import numpy as np
import pytest
from measuring.methods import fast_then, instead_of_fast, self_consistency, sweep, weave_fires

from adaptive_reasoner.embedded.problems import Problem
from adaptive_reasoner.training.embedded.calibrate_answers import Answer
from adaptive_reasoner.training.embedded.calibrate_policy import Case
from adaptive_reasoner.uncertainty.score import unknown_signal


def answer(text: str = "Answer: 4", *, right: bool = True, tokens: int = 5, logprobs: Any = ()) -> Answer:
    return Answer(text, right, tokens, 0, unknown_signal("none"), np.array(logprobs, dtype=np.float32))


def case(fast_right: bool, deep_right: bool) -> Case:
    answers = {"fast": answer(right=fast_right), "deep": answer(right=deep_right, tokens=60)}
    return Case(Problem("What is 2 + 2?", 4, 1, "expression"), answers)


CASES = [case(False, True), case(True, False)]


def test_escalating_pays_for_both_answers_and_keeps_the_second():
    result = fast_then(CASES, "deep", np.array([True, False]))
    assert result.right.tolist() == [1.0, 1.0]
    assert result.tokens.tolist() == [65.0, 5.0]


def test_thinking_at_once_pays_for_the_thought_only():
    assert instead_of_fast(CASES, np.array([True, False])).tokens.tolist() == [60.0, 5.0]


def test_a_sweep_goes_from_nowhere_to_everywhere_by_the_highest_score():
    points = sweep(np.array([0.1, 0.9]), lambda chosen: instead_of_fast(CASES, chosen))
    assert points[0].tokens.tolist() == [5.0, 5.0]
    assert points[len(points) // 2].tokens.tolist() == [5.0, 60.0]
    assert points[-1].tokens.tolist() == [60.0, 60.0]


def test_self_consistency_takes_the_majority_and_pays_for_all_samples():
    samples = [[answer("a", right=False)], [answer("b")], [answer("b")]]
    line = self_consistency(samples)
    assert line.points[0].accuracy == 1.0
    assert line.points[0].mean_tokens == 15.0


def test_self_consistency_takes_the_first_of_equals():
    assert self_consistency([[answer("a", right=False)], [answer("b")]]).points[0].accuracy == 0.0


def top(*probabilities: float) -> list[float]:
    """The chosen token's log probability, then the list's."""
    return [float(np.log(probabilities[0])), *np.log(probabilities).tolist()]


SURE = top(0.996, 0.001, 0.001, 0.001, 0.001)
FLAT = top(0.2, 0.2, 0.2, 0.2, 0.2)


@pytest.mark.parametrize(
    ("logprobs", "fires"),
    [
        ([SURE, SURE], False),
        ([*[SURE] * 20, FLAT], True),  # ln 5 = 1.609 nats > 1.5, though the perplexity is 1.08
        ([top(0.6, 0.4, 1e-6, 1e-6, 1e-6)] * 2, True),  # perplexity 1.67
        ([*[SURE] * 30, *[top(0.45, 0.44, 0.11, 1e-6, 1e-6)] * 3], True),  # three tokens below .5
        ([*[SURE] * 30, *[top(0.45, 0.44, 0.11, 1e-6, 1e-6)] * 2], False),
    ],
)
def test_weave_rule(logprobs: list[list[float]], fires: bool):
    assert weave_fires(answer(logprobs=logprobs)) is fires


def test_weave_rule_is_silent_without_tokens():
    assert not weave_fires(answer(logprobs=np.empty((0, 6))))
