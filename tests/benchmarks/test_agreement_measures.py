"""The measures of benchmarks/agreement.py, on cases that can be counted by hand."""

import numpy as np
import pytest
from measuring.auroc import Resampled, with_interval
from measuring.stopping_rules import Table, best_on_other_sets, every_rule
from measuring.votes import Policy, Question, as_cases

from adaptive_reasoner.gate.statistics import auroc

FIVE = Question(
    "set", tuple(f"Answer: {n}" for n in (7, 7, 7, 8, 9)), (False, False, False, True, True), (-0.1,) * 5
)


def test_auroc_counts_ties_half() -> None:
    whole = Resampled.draw(2, 0, seed=0)
    area = whole.auroc(
        np.array([0, 0, 1, 1]), np.array([1.0, 2.0, 2.0, 3.0]), np.array([False, False, True, True])
    )
    assert area.tolist() == [3.5 / 4]


@pytest.mark.parametrize("values", [7, 3000])
def test_auroc_is_the_packages_own(values: int) -> None:
    rng = np.random.default_rng(0)
    wrong = rng.random(2000) < 0.4
    scores = rng.integers(0, values, 2000) + wrong * values / 3
    area = Resampled.draw(100, 0, seed=0).auroc(rng.integers(0, 100, 2000), scores, wrong)
    assert area[0] == pytest.approx(auroc(scores, wrong), abs=2e-3)


def test_resamples_draw_whole_questions() -> None:
    resampled = Resampled.draw(50, 400, seed=1)
    assert resampled.weights.sum(axis=1).tolist() == [50.0] * 401
    mean = resampled.mean(np.repeat(np.arange(50), 3), np.repeat(np.arange(50.0), 3))
    found = with_interval(mean)
    assert found["value"] == 24.5
    assert found["low"] < 24.5 - 2 < 24.5 + 2 < found["high"]  # standard error of 50 questions: 2.04


def test_every_answer_meets_the_others_in_every_order() -> None:
    cases = as_cases([FIVE])
    assert cases.votes.shape == (5 * 24, 5)
    assert cases.wrong.sum() == 2 * 24
    first = cases.votes[cases.wrong == 0]
    assert (first[:, 0] == 0).all()
    assert ((first == 0).sum(axis=1) == 3).all()


def test_policies_stop_where_the_vote_is_settled() -> None:
    cases = as_cases([FIVE])
    samples, doubts = Policy(4, 0.93).play(cases)
    settled = (cases.votes[:, :3] == 0).all(axis=1)
    assert samples[settled].tolist() == [2.0] * int(settled.sum())
    assert settled.sum() == 3 * 4  # three answers, both others first: 2! 2! orders of 4!
    assert samples[~settled].min() > 2
    assert doubts[settled] == pytest.approx(1 / 16)
    assert (Policy(2).play(cases)[0] == 2).all()


def test_a_missing_run_agrees_with_none() -> None:
    two = Question("set", ("Answer: 7", "Answer: 7"), (False, True), (-0.1, -0.2))
    cases = as_cases([two])
    assert cases.votes.shape[1] == 5
    assert sorted(np.unique((cases.votes == 0).sum(axis=1)).tolist()) == [2]


def test_a_rule_stops_where_it_says() -> None:
    table = Table.of(as_cases([FIVE]))
    area, samples = table.judge(frozenset({(2,), (1, 1)}))

    assert samples == 1.0  # both standings after one sample
    # an agreeing first sample is drawn by a right answer in half of the orders, and never by a wrong one
    assert area == pytest.approx(0.5 + 0.5 / 2)
    assert table.judge(frozenset())[1] == 4.0


def test_all_rules_are_tried_and_the_one_chosen_elsewhere_is_judged_here() -> None:
    other = Question("other", FIVE.replies, FIVE.wrong, FIVE.answer_logprobs)
    cases = as_cases([FIVE, other])

    found = best_on_other_sets(cases, loss_allowed=1.0)

    assert set(found) == {"set", "other"}
    assert found["set"]["saved_share"] == 0.75  # any loss allowed: stop after one
    assert len(list(every_rule({"set": Table.of(cases)}))) == 2 ** len(
        {one for row in Table.of(cases).standings for one in row[1:4]}
    )
