"""Which of several answers is handed on."""

import pytest
from langchain_core.messages import AIMessage

from adaptive_reasoner.gate.comparison import Comparison
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


KEEPS_SURE = Comparison(features=("min_probability",), fast_weights=(-2.0,), deep_weights=(2.0,), bias=0.1)


@pytest.mark.parametrize(
    ("rounds", "best"),
    [
        # log odds of the deep answer: .1 - 2 * .9 + 2 * .8 = -.1, then .1
        ([one(risk=0.9, p=0.9), one("deep_think", risk=0.1, p=0.8)], 0),
        ([one(risk=0.1, p=0.9), one("deep_think", risk=0.9, p=0.9)], 1),
        ([one(p=0.9), one("deep_think", p=0.8, verdict="accept")], 0),
        ([one(p=0.9), one("deep_think", p=0.1, error="model_failed")], 0),
        (
            [one(risk=0.3, p=0.9), one("refine", risk=0.2, p=0.1)],
            1,
        ),  # it compares fast answers with deep ones only
        ([one(), one("deep_think", p=0.2)], 1),  # an unmeasured fast answer: by risk, .8 against .9
    ],
)
def test_a_comparison_decides_between_a_fast_and_a_deep_answer(rounds, best):
    assert best_round(rounds, comparison=KEEPS_SURE) == best


def test_a_comparison_that_knows_nothing_lets_the_deep_answer_stand():
    rounds = [one(risk=0.1, p=0.99), one("deep_think", risk=0.9, p=0.2)]

    assert best_round(rounds, comparison=Comparison()) == 1
    assert best_round(rounds) == 0


def test_a_deep_answer_of_a_kind_that_is_mostly_wrong_loses_against_a_surer_fast_one():
    rounds = [one(risk=0.6, p=0.5), one("deep_think")]

    assert best_round(rounds, comparison=Comparison(unmeasured_error=0.9)) == 0
    assert best_round(rounds, comparison=Comparison(unmeasured_error=0.55)) == 1
    assert best_round(rounds, comparison=Comparison()) == 1
