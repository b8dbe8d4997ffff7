"""What the fast answer thought of the deep one reaches the deep answer's signal."""

import pytest
from graph_ways import disbelieved, doubted, sure

from adaptive_reasoner import ReasonerConfig
from adaptive_reasoner.testing import Reply


def test_a_deep_answer_knows_how_far_the_fast_one_had_foreseen_it(ask_few, build):
    run = ask_few(build(disbelieved("42"), sure("42")))
    assert run.steps == [("fast_answer", "escalate"), ("deep_think", "accept")]
    assert "support" not in run.report["rounds"][0]["signal"]
    assert run.report["signal"]["support"] == pytest.approx(0.3)


def test_support_is_the_fast_answers_even_where_a_refinement_came_between(ask_few, build):
    run = ask_few(build(doubted("41"), disbelieved("43"), sure("41")))
    assert [node for node, _ in run.steps] == ["fast_answer", "refine", "deep_think"]
    assert run.report["signal"]["support"] == pytest.approx(0.6)


def test_a_deep_answer_without_a_fast_one_has_no_support(ask_few, build):
    run = ask_few(build(sure("42"), config=ReasonerConfig(always_think=("how much",))))
    assert "support" not in run.report["signal"]


def test_a_fast_answer_without_log_probabilities_leaves_support_unknown(ask_few, build):
    run = ask_few(build(Reply(text="42", drop_logprobs=True), sure("42")))
    assert [node for node, _ in run.steps] == ["fast_answer", "deep_think"]
    assert "support" not in run.report["signal"]
