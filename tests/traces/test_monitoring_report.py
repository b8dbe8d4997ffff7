"""What the report says to fit anew: which part, why, and by which command."""

import json
import random
import shlex

import pytest
from recorded_runs import judged, run

from adaptive_reasoner.gate import GateProfile, ModeProfile
from adaptive_reasoner.gate.curve import constant
from adaptive_reasoner.traces.advice import Origin
from adaptive_reasoner.traces.labels import label_runs
from adaptive_reasoner.traces.monitoring_report import report, windows
from adaptive_reasoner.traces.runs import RecordedRuns

ORIGIN = Origin("my runs.jsonl", profile="gate.json")
RULE = {"gain": 0.0, "difficulty": 0.5, "source": "rule", "reason": "matches the never-think pattern 'sum'"}


def profile(bias=0.0, **provenance):
    """P(wrong) = sigmoid(bias - min_probability)."""
    fast = ModeProfile(
        features=("min_probability",), weights=(-1.0,), bias=bias, alternatives={"escalate": constant(0.5)}
    )
    return GateProfile(kind="calibrated", model="tiny", modes={"fast": fast}, provenance=provenance)


def recorded(count, error, gate, *, verdict="accept", seed=0, with_labels=True, first=0, **given):
    """Fast runs of one kind, judged by `gate`; a share `error` of them is wrong."""
    source = random.Random(seed)
    records, labels = [], []
    for index in range(first, first + count):
        p = source.choice([0.5, 0.9])
        _, one = judged("fast", verdict, p=p)
        one["signal"]["risk"] = gate.modes["fast"].risk(one["signal"])
        records.append(run(index, ("42", one), **given))
        if with_labels:
            labels.append({"run_id": f"run-{index}", "correct": source.random() >= error})
    return label_runs(records, labels)


def reported(gate, *groups, **options):
    runs = tuple(one for group in groups for one in group)
    return report(RecordedRuns(runs), gate, ORIGIN, **options)


def parts(found):
    return [(one["kind"], one["part"]) for one in found["advice"]]


def test_runs_that_do_as_expected_need_nothing_and_are_plain_json():
    gate = profile(bias=-1.0)  # risks .15 and .18
    found = reported(gate, recorded(200, 0.16, gate))
    assert found["advice"] == []
    assert found["judged_by_profile"] == 1.0
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_risks_that_are_too_low_name_the_mode_and_the_command():
    gate = profile(bias=-1.0)
    found = reported(gate, recorded(200, 0.5, gate))
    assert ("refit", "gate profile, risks of mode fast") in parts(found)
    command = found["advice"][0]["how"]
    assert shlex.split(command) == [
        "adaptive-reasoner", "calibrate", "my runs.jsonl", "--update", "gate.json", "--out", "gate-profile.json",
    ]  # fmt: skip


def test_a_broken_promise_names_the_same_target():
    gate = profile(bias=1.0, max_error=0.1, confidence=0.9)  # risks .52 and .62: honest
    found = reported(gate, recorded(200, 0.57, gate))
    assert parts(found)[0] == ("refit", "gate profile, promise on accepted answers")
    assert "--max-error 0.1 --update gate.json" in found["advice"][0]["how"]
    assert found["accepted"]["status"] == "broken"


def test_labels_in_another_file_are_in_the_command():
    gate = profile(bias=-1.0)
    origin = Origin("runs.jsonl", ("labels.jsonl",), "shipped")
    found = report(RecordedRuns(tuple(recorded(200, 0.5, gate))), gate, origin)
    assert "calibrate runs.jsonl --labels labels.jsonl --update shipped" in found["advice"][0]["how"]
    triage = next(one for one in found["advice"] if "linear:tiny" in one["part"])
    assert triage["how"].startswith("adaptive-reasoner traces export runs.jsonl --labels labels.jsonl --for")


def test_an_estimator_that_misjudges_the_fast_model_is_named():
    gate = profile(bias=1.0)  # honest risks; the estimator said 20 %
    found = reported(gate, recorded(200, 0.57, gate))
    assert parts(found) == [("refit", "triage estimator linear:tiny")]
    assert "train triage 'my runs.jsonl' --out triage.json" in found["advice"][0]["how"]


def test_a_rule_that_lets_wrong_answers_through_is_named():
    gate = profile(bias=-1.0)
    found = reported(gate, recorded(150, 0.1, gate), recorded(60, 0.4, gate, first=150, triage=RULE))
    assert ("change", f"triage rule: {RULE['reason']}") in parts(found)


def test_a_trigger_rate_that_drifts_without_labels_asks_for_labels():
    gate = profile(bias=-1.0)
    calm = recorded(60, 0.0, gate, with_labels=False)
    thought = label_runs(
        [run(60 + i, judged("fast", "escalate"), judged("deep", "accept")) for i in range(60)], []
    )
    found = reported(gate, calm, thought)
    assert parts(found) == [("label", "gate profile, share of escalations")]
    assert "traces label" in found["advice"][0]["how"]
    assert any("unknown" in note for note in found["notes"])


def test_a_trigger_rate_that_drifts_from_its_target_names_the_target():
    gate = profile(bias=-1.0, max_escalation=0.5, escalated=0.5, examples=2000)
    found = reported(gate, recorded(100, 0.16, gate))
    assert parts(found) == [("refit", "gate profile, share of escalations")]
    assert "--max-escalation 0.5" in found["advice"][0]["how"]


def test_harder_questions_are_no_fault_of_the_gate():
    gate = profile(bias=-1.0)
    easy, hard = recorded(100, 0.16, gate), recorded(100, 0.16, gate, verdict="escalate", first=100)
    deep = judged("deep", "accept")
    thought = [run(100 + i, ("42", one.record["report"]["rounds"][0]), deep) for i, one in enumerate(hard)]
    labels = [{"run_id": f"run-{100 + i}", "correct": one.correct} for i, one in enumerate(hard)]
    found = reported(gate, easy, label_runs(thought, labels))
    assert found["advice"] == []
    assert any("the questions changed" in note for note in found["notes"])


def test_bounds_on_thinking_are_held():
    gate = profile(bias=-1.0)
    found = reported(gate, recorded(100, 0.16, gate), least_share=0.1)
    assert parts(found) == [("change", "triage rule: minimum thinking")]


def test_runs_of_another_profile_are_not_held_against_this_one():
    gate, other = profile(bias=-1.0, max_error=0.01), profile(bias=-3.0)
    found = reported(gate, recorded(200, 0.5, other))
    assert found["judged_by_profile"] == 0.0
    assert found["accepted"]["status"] == "nothing was promised"
    assert any("judged by another profile" in note for note in found["notes"])
    assert "--update PROFILE" in found["advice"][0]["how"]


def test_labels_of_easy_answers_only_are_pointed_out():
    gate = profile(bias=-1.0)
    stood = recorded(100, 0.1, gate)
    thought = [run(100 + i, judged("fast", "escalate", "41"), judged("deep", "accept")) for i in range(50)]
    labels = [{"run_id": f"run-{100 + i}", "correct": True} for i in range(50)]
    notes = reported(gate, stood, label_runs(thought, labels))["notes"]
    assert any("that of the easier ones" in note for note in notes)


@pytest.mark.parametrize(("window", "counts"), [("half", [60, 60]), ("day", [100, 20])])
def test_time_is_cut_into_halves_or_days(window, counts):
    runs = recorded(120, 0.2, profile())
    for one in runs[100:]:
        one.record["recorded_at"] = "2026-01-02T00:00:00.000+00:00"
    assert [one["runs"] for one in windows(runs, window)] == counts


def test_one_run_alone_is_reported():
    gate = profile()
    found = reported(gate, recorded(1, 0.0, gate, with_labels=False))
    assert (found["runs"], found["labelled"], found["drift"]) == (1, 0, {"thinking": None, "errors": None})
