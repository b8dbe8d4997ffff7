"""The real graph over recorded answers, and what is said of it."""

from dataclasses import replace

import numpy as np
import pytest
from recorded_answers import record, recording

from adaptive_reasoner.budget import Price, PriceTable, ThinkingShare
from adaptive_reasoner.config import ReasonerConfig
from adaptive_reasoner.errors import InvalidInputError
from adaptive_reasoner.gate.comparison import Comparison
from adaptive_reasoner.gate.warm_up import plain_threshold
from adaptive_reasoner.traces.frontier import (
    accuracy_by_share,
    at_shares,
    draw_frontier,
    judge,
    recovered_gap,
)
from adaptive_reasoner.traces.recordings import pair_records
from adaptive_reasoner.traces.replay import replay
from adaptive_reasoner.traces.replay_report import find_drift, summarise, what_if

PAIRS = pair_records(recording(), recording())
GATE = plain_threshold(0.2)
TRUSTING = replace(GATE, comparison=Comparison())  # the deep answer stands


def test_the_graph_thinks_where_the_gate_says_and_nowhere_else():
    replayed = replay(PAIRS, TRUSTING)

    assert [one.thought for one in replayed] == [index % 4 == 0 for index in range(40)]
    assert [one.correct for one in replayed] == [index % 4 != 0 or index % 8 == 0 for index in range(40)]


def test_a_kept_fast_answer_is_counted_as_such():
    keeps = Comparison(features=("min_probability",), fast_weights=(0.0,), deep_weights=(0.0,), bias=-1.0)

    replayed = replay(PAIRS, replace(GATE, comparison=keeps))

    assert [one.kept_fast for one in replayed] == [index % 4 == 0 for index in range(40)]
    assert sum(one.correct for one in replayed) == 30


@pytest.mark.parametrize("gate", [GATE, TRUSTING])
def test_the_rule_for_all_thresholds_agrees_with_the_graph(gate):
    judged = judge(PAIRS, gate)

    expected = np.where(judged.risks > 0.2, judged.after_right, judged.fast_right)

    assert [one.correct for one in replay(PAIRS, gate)] == expected.astype(bool).tolist()


def test_the_same_question_twice_keeps_both_answers():
    twice = [record(0, "fast", 0.6, correct=False), {**record(0, "fast", 0.95, correct=True), "id": "again"}]
    deep = [record(0, "deep", 0.9, correct=True), {**record(0, "deep", 0.9, correct=True), "id": "again"}]

    assert [one.thought for one in replay(pair_records(twice, deep), GATE)] == [True, False]


def test_a_missing_deep_answer_is_refused():
    with pytest.raises(InvalidInputError, match="No deep answer is recorded to 'Question 0"):
        replay(pair_records(recording(1), None), GATE)


def test_progress_is_told_to_the_end():
    told: list[int] = []

    replay(PAIRS, GATE, progress=told.append)

    assert told == [40]


def test_the_summary_counts_by_hand():
    report = summarise(PAIRS, replay(PAIRS, TRUSTING), PriceTable({"tiny": Price(1.0, 2.0)}))

    assert report["accuracy"]["mean"] == report["always_thinking"]["mean"] == 0.875
    assert report["always_fast"]["mean"] == 0.75
    assert report["either_right"]["mean"] == 0.875
    assert report["calls"] == {"fast": 40, "deep": 10}
    assert report["against_always_thinking"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    tokens = report["tokens"]
    given = sum(tokens[mode]["input"] for mode in tokens), sum(tokens[mode]["output"] for mode in tokens)
    assert report["cost_usd"] == pytest.approx((given[0] + 2 * given[1]) / 1e6)


def test_a_price_table_without_the_model_is_refused():
    with pytest.raises(InvalidInputError, match="no 'tiny'; it has: other"):
        summarise(PAIRS, replay(PAIRS, GATE), PriceTable({"other": Price(1.0, 1.0)}))


def test_the_frontier_counts_by_hand():
    order, fast, after = np.array([0.9, 0.1, 0.5, 0.3]), np.array([0.0, 1, 0, 1]), np.array([1.0, 1, 1, 0])

    accuracies = accuracy_by_share(order, fast, after)

    assert accuracies.tolist() == [0.5, 0.75, 1.0, 0.75, 0.75]
    assert recovered_gap(accuracies, 0.5, 0.75) == pytest.approx((0.75 - 0.5) / 0.25)


def test_other_thresholds_are_those_that_give_the_share():
    points = at_shares(judge(PAIRS, TRUSTING), [0.0, 0.25, 1.0])

    assert [point["accuracy"] for point in points] == [0.75, 0.875, 0.875]
    assert points[1]["threshold"] == pytest.approx(0.05)
    frontier = what_if(judge(PAIRS, TRUSTING))
    assert frontier["apgr"] == pytest.approx(frontier["apgr_one_threshold"])


def test_drift_of_the_escalations_is_found():
    expected = replace(TRUSTING, provenance={"escalated": 0.25, "examples": 1000})
    unexpected = replace(TRUSTING, provenance={"escalated": 0.9, "examples": 1000})
    replayed = replay(PAIRS, TRUSTING)

    assert find_drift(TRUSTING, replayed) == {"escalations": None, "errors": None}
    assert find_drift(expected, replayed)["escalations"]["is_drift"] is False
    assert find_drift(unexpected, replayed)["escalations"]["is_drift"] is True


def test_the_frontier_is_drawn(tmp_path):
    pytest.importorskip("matplotlib")

    draw_frontier(judge(PAIRS, GATE), (0.25, 0.875), tmp_path / "frontier.png")

    assert (tmp_path / "frontier.png").read_bytes().startswith(b"\x89PNG")


class Foreseeing:
    """Sends every eighth question to the deep model at once."""

    think_at_gain = 0.5

    def estimate(self, messages):
        number = int(str(messages[-1].text).split("\n")[0].removeprefix("Question ").removesuffix("?"))
        return {"gain": float(number % 8 == 0), "difficulty": 0.5, "source": "test", "reason": "every eighth"}


def test_a_replay_may_bring_triage_and_an_allocation_along():
    allocation = ThinkingShare(0.2, start_price=0.5)  # thinking costs more than a doubt of .4 could gain

    replayed = replay(PAIRS, GATE, config=ReasonerConfig(triage=Foreseeing(), allocation=allocation))

    assert [one.thought for one in replayed[:8]] == [True, *[False] * 7]
    assert replayed[0].fast_usage["total_tokens"] == 0
    assert replayed[0].risk is None
    assert allocation.report()["queries"] == 40
