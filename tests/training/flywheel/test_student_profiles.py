"""The cheapest gate that is as often right as what is in use, and its promise on held-out questions."""

import random

import pytest
from recorded_runs import judged, run, usage

from adaptive_reasoner.gate.calibration import CalibrationTarget
from adaptive_reasoner.traces.labels import label_runs
from adaptive_reasoner.training.flywheel.policy import expect_thinking, judged_runs, outcomes_of
from adaptive_reasoner.training.flywheel.student_profiles import check_promise, fit_profiles


def both_answers(count=300, seed=0):
    """A fast answer is right with its probability; thinking is right .98 and costs 90 tokens."""
    source = random.Random(seed)
    records = []
    for index in range(count):
        p = source.choice([0.2, 0.4, 0.9, 0.99])
        fast = judged("fast", "escalate", "42" if source.random() < p else "41", p=p)
        deep = judged("deep", "accept", "42" if source.random() < 0.98 else "40", usage=usage(90))
        records.append(run(index, fast, deep))
    return label_runs(records, [{"run_id": one["run_id"], "answer": "42"} for one in records])


def made_of(runs, policy):
    seen = judged_runs(runs)
    return outcomes_of(seen, policy, expect_thinking(seen))


def test_the_pair_of_least_error_is_taken_that_costs_no_more_than_what_is_in_use():
    runs = both_answers(400)
    dear, cheap = (made_of(runs, fit_profiles(runs, most, None, 0)) for most in (90.0, 40.0))
    assert cheap.tokens.mean() < 45 < dear.tokens.mean()
    assert dear.errors.mean() < 0.1 < cheap.errors.mean()


def test_where_every_pair_costs_more_the_cheapest_is_taken():
    runs = both_answers(200)
    assert made_of(runs, fit_profiles(runs, 1.0, None, 0)).tokens.mean() < 25


def test_a_given_target_is_the_only_one_that_is_tried():
    gate = fit_profiles(both_answers(), 90.0, CalibrationTarget(0.35, None), 0).gate
    assert gate.provenance["max_escalation"] == 0.35


@pytest.mark.parametrize(("thought", "broken"), [(30, False), (40, False), (80, True)])
def test_a_promise_is_broken_where_the_whole_interval_lies_above_it(thought, broken):
    gate = fit_profiles(both_answers(), 90.0, CalibrationTarget(0.35, None), 0).gate
    records = [
        run(index, judged("fast", "escalate"), judged("deep", "accept"))
        if index < thought
        else run(index, judged("fast", "accept"))
        for index in range(100)
    ]
    promise = check_promise(label_runs(records, []), gate)
    assert (promise.most, promise.seen.mean, promise.is_broken) == (0.35, thought / 100, broken)


def test_a_promise_of_few_errors_is_held_against_the_fast_answers_that_stood():
    gate = fit_profiles(both_answers(900), 90.0, CalibrationTarget(None, 0.1), 0).gate
    records = [run(index, judged("fast", "accept", "42" if index % 2 else "41")) for index in range(100)]
    runs = label_runs(records, [{"run_id": one["run_id"], "answer": "42"} for one in records])
    promise = check_promise(runs, gate)
    assert (promise.seen.events, promise.seen.trials, promise.is_broken) == (50, 100, True)
