"""The figures of the tool gate's benchmark, on a handful of calls counted by hand."""

import numpy as np
import pytest
from measuring.tool_gate import Judged, by_group, curve, shares, thresholds

from adaptive_reasoner.embedded.problems import Problem
from adaptive_reasoner.training.embedded.tool_calls import Call
from adaptive_reasoner.uncertainty.score import unknown_signal

RISK = np.array([0.0, 0.1, 0.2, 0.6, 0.7, 0.9])
WRONG = np.array([False, False, True, False, True, True])
PROBLEMS = [Problem("", 0, 1 + index // 3, "shop" if index % 2 else "pay") for index in range(6)]
CALLS = [Call("1 + 1", not wrong, unknown_signal("not measured"), 6) for wrong in WRONG]
JUDGED = Judged(PROBLEMS, CALLS, RISK, WRONG)


def test_shares_count_wrong_and_right_calls_apart() -> None:
    found = shares(JUDGED, RISK > 0.5)
    assert found["wrong_stopped"]["share"] == pytest.approx(2 / 3)
    assert found["right_let_through"]["share"] == pytest.approx(2 / 3)
    assert found["wrong_among_run"]["share"] == pytest.approx(1 / 3)
    assert found["stopped"]["count"] == 3


def test_no_gate_and_always_asking_are_the_ends() -> None:
    nothing, everything = np.zeros(6, dtype=bool), np.ones(6, dtype=bool)
    assert shares(JUDGED, nothing)["wrong_stopped"]["share"] == 0
    assert shares(JUDGED, nothing)["right_let_through"]["share"] == 1
    assert shares(JUDGED, everything)["wrong_stopped"]["share"] == 1
    assert shares(JUDGED, everything)["wrong_among_run"]["share"] is None


def test_a_threshold_lets_the_wanted_share_of_right_calls_through() -> None:
    assert thresholds(JUDGED, (1.0, 0.5)) == {1.0: 0.6, 0.5: 0.1}


def test_the_curve_runs_from_all_stopped_to_all_let_through() -> None:
    line = curve(JUDGED)
    assert line[0] == (0.0, 1.0)
    assert line[-1] == (1.0, 0.0)
    assert (pytest.approx(2 / 3), pytest.approx(2 / 3)) in line


def test_groups_are_step_counts_and_families() -> None:
    groups = by_group(JUDGED, RISK > 0.5)
    assert groups["1 step"]["calls"] == groups["2 steps"]["calls"] == 3
    assert groups["shop"]["wrong"]["count"] + groups["pay"]["wrong"]["count"] == 3
    assert groups["6 steps"]["calls"] == 0
