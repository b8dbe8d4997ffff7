"""Calibrating from recorded runs: what is taken, what is left out and counted, what is said of the selection."""

import random

import pytest
from recorded_runs import judged, run, usage

from adaptive_reasoner.errors import CalibrationError, ConfigurationError
from adaptive_reasoner.gate import GateProfile, ModeProfile
from adaptive_reasoner.gate.calibration import CalibrationTarget
from adaptive_reasoner.traces.exporting import export_rows
from adaptive_reasoner.traces.labels import label_runs
from adaptive_reasoner.traces.refit import (
    calibrate_runs,
    selection,
    update_risks,
    warnings_of,
    with_other_modes,
)
from adaptive_reasoner.traces.triage_examples import triage_examples

BY_LOT = {"gain": 0.0, "difficulty": 0.5, "source": "minimum", "reason": "by lot"}
ESCALATION = CalibrationTarget(max_escalation=0.3, max_error=None)


def answered(index, source, *, doubted_below=0.7):
    """A run whose fast answer is right with its probability, thought through and mended where it is doubted."""
    p = source.choice([0.55, 0.65, 0.8, 0.95, 0.99])
    fast = judged("fast", "accept", "42" if source.random() < p else "41", p=p)
    if p >= doubted_below:
        return run(index, fast)
    fast[1]["verdict"] = "escalate"
    return run(
        index, fast, judged("deep", "accept", "42" if source.random() < 0.9 else "41", usage=usage(90))
    )


def many(count=300, seed=0, *, with_answers=True):
    source = random.Random(seed)
    records = [answered(index, source) for index in range(count)]
    labels = [
        {"run_id": one["run_id"], "answer": "42"}
        if with_answers
        else {"run_id": one["run_id"], "correct": one["answer"] == "42"}
        for one in records
    ]
    return label_runs(records, labels)


def test_labelled_runs_calibrate_both_modes():
    profile = calibrate_runs(many(), ESCALATION)
    assert set(profile.modes) == {"fast", "deep"}
    assert profile.model == "tiny"
    assert profile.provenance["examples"] == 300
    assert profile.provenance["escalated"] <= 0.3
    assert profile.modes["fast"].risk(judged("fast", "accept", p=0.55)[1]["signal"]) > 0.3
    assert profile.modes["fast"].risk(judged("fast", "accept", p=0.99)[1]["signal"]) < 0.1


def test_a_promise_is_made_from_runs():
    profile = calibrate_runs(many(), CalibrationTarget(max_escalation=None, max_error=0.15))
    assert profile.provenance["max_error"] == 0.15
    assert profile.provenance["recorded_runs"]["runs"] == 300


def test_what_nobody_labelled_is_left_out_and_counted():
    runs = many()
    silent = label_runs([one.record for one in runs[:100]], [])
    profile = calibrate_runs([*silent, *runs[100:]], ESCALATION)
    assert profile.provenance["examples"] == 200
    stood = profile.provenance["recorded_runs"]["fast_labelled_where_it_stood"]
    assert stood["trials"] > stood["events"]


def test_answers_without_log_probabilities_are_unknown_and_never_sure():
    unknown = [run(900 + i, judged("fast", "accept", kind="unknown")) for i in range(30)]
    labels = [{"run_id": one["run_id"], "correct": True} for one in unknown]
    profile = calibrate_runs([*many(), *label_runs(unknown, labels)], ESCALATION)
    assert (profile.provenance["examples"], profile.provenance["unknown"]) == (330, 30)


@pytest.mark.parametrize("target", [(None, None), (0.1, 0.1)])
def test_exactly_one_target(target):
    with pytest.raises(ConfigurationError, match="exactly one target"):
        CalibrationTarget(*target)


def test_no_label_no_profile():
    runs = label_runs([one.record for one in many(20)], [])
    with pytest.raises(CalibrationError, match="None of the 20 runs has a fast answer that is known"):
        calibrate_runs(runs, ESCALATION)


def test_verdicts_alone_leave_the_doubted_answers_out_and_that_is_said():
    chosen = selection(many(with_answers=False))
    assert chosen["fast_labelled_where_it_stood"]["mean"] == 1.0
    assert chosen["fast_labelled_where_thought_through"]["mean"] < 0.8
    assert any("fitted to the easier ones" in line for line in warnings_of(chosen))


def test_the_runs_by_lot_are_the_unbiased_part():
    lot = [run(500 + i, judged("deep", "accept", "42" if i else "41"), triage=BY_LOT) for i in range(20)]
    labels = [{"run_id": one["run_id"], "answer": "42"} for one in lot]
    without, also = selection(many()), selection([*many(), *label_runs(lot, labels)])
    assert any("nothing corrects for it" in line for line in warnings_of(without))
    assert (also["deep_by_lot"]["events"], also["deep_by_lot"]["trials"]) == (1, 20)
    assert any(line.startswith("Unbiased: of 20 runs") for line in warnings_of(also))


def test_deep_answers_by_lot_are_fitted_too():
    source = random.Random(3)
    lot = [run(500 + i, judged("deep", "accept", "42", p=source.choice([0.9, 0.99])), triage=BY_LOT)
           for i in range(200)]  # fmt: skip
    labels = [{"run_id": one["run_id"], "answer": "42"} for one in lot]
    signal = judged("deep", "accept", p=0.9)[1]["signal"]
    without = calibrate_runs(many(), ESCALATION).modes["deep"].risk(signal)
    assert (
        calibrate_runs([*many(), *label_runs(lot, labels)], ESCALATION).modes["deep"].risk(signal) < without
    )


def current(bias=0.0, **provenance):
    mode = ModeProfile(features=("min_probability",), weights=(-6.0,), bias=bias)
    modes = {"fast": mode, "refine": mode}
    return GateProfile(kind="calibrated", model="tiny", modes=modes, feeds_spans=False, provenance=provenance)


def test_only_contradicted_risks_are_fitted_anew():
    old = current(bias=0.0)  # far too sure of itself
    new = update_risks(many(), old)
    signal = judged("fast", "accept", p=0.55)[1]["signal"]
    assert old.modes["fast"].risk(signal) < 0.05
    assert new.modes["fast"].risk(signal) > 0.3
    assert new.modes["refine"] == old.modes["refine"]
    updated = new.provenance["risks_updated"]
    assert list(updated) == ["fast"]
    assert (updated["fast"]["was"], updated["fast"]["labelled"]) == ("too low", 300)


def test_risks_that_hold_are_left_alone():
    profile = calibrate_runs(many(), ESCALATION)
    plain = GateProfile(kind="calibrated", model="tiny", modes=profile.modes)
    with pytest.raises(CalibrationError, match="contradict no risk of the profile: nothing to fit anew"):
        update_risks(many(seed=1), plain)


def test_too_few_labels_say_how_many_more():
    with pytest.raises(CalibrationError, match=r"takes 60 labelled answers: fast \(20 more\)"):
        update_risks(many(40), current(bias=-2.0))


@pytest.mark.parametrize("target", ["max_error", "max_escalation"])
def test_a_profile_that_was_set_to_a_target_needs_it_again(target):
    with pytest.raises(CalibrationError, match="give the target again"):
        update_risks(many(), current(**{target: 0.2}))


def test_modes_that_runs_do_not_show_are_kept():
    fitted = calibrate_runs(many(), ESCALATION)
    both = with_other_modes(fitted, current())
    assert both.modes["fast"] == fitted.modes["fast"]
    assert both.modes["refine"] == current().modes["refine"]
    assert both.feeds_spans is False
    assert both.provenance["kept_modes"] == ["refine"]


def test_a_kept_mode_accepts_only_what_a_promise_allows():
    promised = calibrate_runs(many(), CalibrationTarget(max_escalation=None, max_error=0.15))
    assert with_other_modes(promised, current()).modes["refine"].max_accepted_risk == 0.15


def test_triage_learns_from_what_was_seen_and_says_what_it_assumes():
    thread = {"gain": 0.0, "difficulty": 0.5, "source": "thread", "reason": "a follow-up"}
    records = [
        run(1, judged("fast", "escalate", "41"), judged("deep", "accept", "42")),
        run(2, judged("fast", "accept", "42")),
        run(3, judged("fast", "accept", "41")),
        run(4, judged("fast", "refine", "41"), judged("refine", "accept", "42")),
        run(5, judged("deep", "accept", "42")),
        run(6, judged("fast", "accept", "42"), triage=thread),
        run(7, judged("fast", "accept", "42")),
    ]
    labels = [{"run_id": f"run-{index}", "answer": "42"} for index in range(1, 7)]
    found = triage_examples(label_runs(records, labels))
    assert [(one["question"], one["fast_correct"], one["deep_correct"], one["assumed"]) for one in found] == [
        ("Question 1?", False, True, False),
        ("Question 2?", True, True, True),
        ("Question 4?", False, True, True),
    ]


def test_exports_have_a_row_for_each_answer_or_open_label():
    runs = label_runs(
        [
            run(1, judged("fast", "escalate", "41"), judged("deep", "accept")),
            run(2, judged("fast", "accept")),
        ],
        [{"run_id": "run-1", "answer": "42"}],
    )
    rows = export_rows(runs, "answers")
    assert [(row["run_id"], row["mode"], row["correct"], row["handed_on"]) for row in rows] == [
        ("run-1", "fast", False, False),
        ("run-1", "deep", True, True),
        ("run-2", "fast", None, True),
    ]
    assert export_rows(runs, "labels") == [
        {"run_id": "run-2", "question": "Question 2?", "given": "42", "correct": None, "answer": None}
    ]
    assert len(export_rows(runs, "triage")) == 1
