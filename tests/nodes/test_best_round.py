"""Which of several answers is handed on."""

import pytest
from langchain_core.messages import AIMessage

from adaptive_reasoner.nodes.best_round import answered_by_deep, best_round, repeats_doubt, risk_of


def one(node="fast_answer", risk=None, p=None, verdict="refine", **more):
    kind = "unknown" if risk is None and p is None else "logprobs"
    return {
        "node": node,
        "verdict": verdict,
        "signal": {"kind": kind, "risk": risk, "min_probability": p},
        **more,
    }


FAILED = one(error="model_failed")
CALL = one(p=0.7, tool_calls=["search"])


@pytest.mark.parametrize(
    ("rounds", "best"),
    [
        ([one(risk=0.3), one("refine", risk=0.4)], 0),
        ([one(risk=0.3), one("refine", risk=0.2)], 1),
        ([one(risk=0.3), one("refine", risk=0.3)], 1),
        ([one(p=0.7), one("refine", p=0.6)], 0),
        ([one(p=0.7), one("deep_think", p=0.9)], 1),
        ([one(), one("deep_think")], 1),
        ([one(p=0.3), FAILED], 0),
        ([FAILED, one()], 1),
        ([FAILED, FAILED], -1),
        ([], -1),
        ([CALL, one(risk=0.9)], 1),
        ([CALL, FAILED], 0),
        ([one(risk=0.1), one("deep_think", verdict="accept")], 1),
        ([one(risk=0.1), one("deep_think", risk=0.2, verdict="accept")], 0),
        ([one(risk=0.1), {**CALL, "verdict": "accept"}], 1),
    ],
)
def test_the_least_risk_wins_and_among_equals_the_newest(rounds, best):
    assert best_round(rounds) == best


def test_rounds_before_the_last_tool_result_do_not_count():
    assert best_round([one(risk=0.01), one(risk=0.5), one(risk=0.6)], first=1) == 1


def test_a_measured_risk_comes_before_the_least_probability():
    assert risk_of(one(risk=0.2, p=0.1)) == 0.2
    assert risk_of(one(p=0.1)) == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("texts", "repeats"),
    [
        (["41", "41"], True),
        (["41 ", " 41"], True),
        (["41", "42"], False),
        (["41"], False),
        ([], False),
        (["", ""], False),
    ],
)
def test_the_same_answer_twice_repeats_its_doubt(texts, repeats):
    assert repeats_doubt([AIMessage(text) for text in texts]) is repeats


def test_a_refinement_of_a_deep_answer_is_the_deep_models():
    assert answered_by_deep([one(), one("deep_think"), one("refine")])
    assert not answered_by_deep([one(), one("refine")])
