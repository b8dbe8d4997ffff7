"""A turn of the flywheel: what is fitted, what judges it, what is shipped and what is refused."""

import json
import random
from dataclasses import replace

import pytest
from recorded_runs import judged, run, usage

from adaptive_reasoner.cli import main
from adaptive_reasoner.config import ThinkingPrice
from adaptive_reasoner.errors import CalibrationError
from adaptive_reasoner.gate import GateProfile, ModeProfile
from adaptive_reasoner.gate.calibration import CalibrationTarget
from adaptive_reasoner.traces.labels import label_runs
from adaptive_reasoner.training.flywheel.judging import compare, refusal
from adaptive_reasoner.training.flywheel.policy import (
    Outcomes,
    Policy,
    Thinking,
    expect_thinking,
    judged_runs,
    outcomes_of,
)
from adaptive_reasoner.training.flywheel.shipping import read_folder, ship
from adaptive_reasoner.training.flywheel.turn import TurnConfig, turn


def gate(bias, *, price=0.3):
    """A gate that takes an answer's risk to be the logistic function of bias - 6 p, and thinking to be always right."""
    fast = ModeProfile(
        features=("min_probability",),
        weights=(-6.0,),
        bias=bias,
        alternatives={"escalate": ((0.0, price), (1.0, price))},
        price=ThinkingPrice(per_call=price),
    )
    return GateProfile(kind="calibrated", model="tiny", modes={"fast": fast}, provenance={"made": "up"})


CAREFUL = gate(9.0)  # thinks about everything
CARELESS = gate(-9.0)  # thinks about nothing


def traffic(count=800, seed=0, *, thought_share=0.5):
    """Fast answers are right with their probability; a share was thought through, and thinking is right .95."""
    source = random.Random(seed)
    records = []
    for index in range(count):
        p = source.choice([0.3, 0.5, 0.9, 0.99])
        answer = "42" if source.random() < p else "41"
        if source.random() < thought_share:
            deep = judged("deep", "accept", "42" if source.random() < 0.95 else "40", usage=usage(90))
            records.append(run(index, judged("fast", "escalate", answer, p=p), deep))
        else:
            records.append(run(index, judged("fast", "accept", answer, p=p)))
    return records, [{"run_id": one["run_id"], "answer": "42"} for one in records]


def labelled(**given):
    return label_runs(*traffic(**given))


HALF = TurnConfig(target=CalibrationTarget(0.5, None))


def test_a_careless_gate_is_replaced_where_errors_fall():
    found = turn(labelled(), Policy(CARELESS, None), HALF)
    gate_step = found.steps[0]
    assert found.shipped == ("gate",)
    assert gate_step.compared.change["error"].high < 0
    assert gate_step.compared.before["thinking"].mean == 0.0
    assert found.policy.gate.provenance["max_escalation"] == 0.5
    assert found.fitted + found.held_out == 800


def test_a_gate_that_would_be_worse_is_refused():
    no_thinking = TurnConfig(target=CalibrationTarget(0.02, None))
    found = turn(labelled(), Policy(CAREFUL, None), no_thinking)
    assert found.shipped == ()
    assert found.policy.gate is CAREFUL
    assert "the error may rise by" in found.steps[0].refused


def test_triage_that_cannot_be_fitted_is_kept_and_the_reason_said():
    triage_step = turn(labelled(), Policy(CARELESS, None), HALF).steps[1]
    assert triage_step.compared is None
    assert triage_step.refused


def test_too_few_held_out_runs_judge_nothing():
    with pytest.raises(CalibrationError, match="100 are needed"):
        turn(labelled(count=120), Policy(CARELESS, None), HALF)


def test_runs_that_show_no_thought_teach_nothing_of_thinking():
    with pytest.raises(CalibrationError, match="Only 0 labelled runs show"):
        expect_thinking(judged_runs(labelled(count=50, thought_share=0.0)))


def test_what_no_run_shows_is_estimated_and_counted():
    runs = judged_runs(labelled(count=400))
    expected = expect_thinking(runs)
    assert expected.right_after_wrong == pytest.approx(0.95, abs=0.05)
    assert expected.tokens == 90
    made = outcomes_of(runs, Policy(CAREFUL, None), expected)
    unseen = [one.deep is None for one in runs]
    assert made.estimated.tolist() == [float(one) for one in unseen]
    assert made.thinks.mean() == 1.0
    assert made.tokens[unseen.index(True)] == 10 + 90


def test_what_a_refinement_led_to_is_taken_as_it_was_seen():
    """One mends the answer at once, one is thought through after all; a gate that accepts at first spares both."""
    doubted = judged("fast", "refine", "41", p=0.3)
    mended = run(0, doubted, judged("refine", "accept", "42", usage=usage(30)))
    thought = run(
        1,
        doubted,
        judged("refine", "escalate", "40", usage=usage(30)),
        judged("deep", "accept", "42", usage=usage(90)),
    )
    runs = judged_runs(
        label_runs(
            [mended, thought], [{"run_id": one["run_id"], "answer": "42"} for one in (mended, thought)]
        )
    )
    expected = Thinking(right_after_wrong=0.9, right_after_right=0.9, tokens=500.0, seen=20)
    careful, careless = (outcomes_of(runs, Policy(one, None), expected) for one in (CAREFUL, CARELESS))
    assert careful.errors.tolist() == [0.0, 0.0]
    assert careful.tokens.tolist() == [10 + 30, 10 + 30 + 90]
    assert careful.thinks.tolist() == [0.0, 1.0]
    assert careful.estimated.tolist() == [0.0, 0.0]
    assert (careless.errors.tolist(), careless.tokens.tolist()) == ([1.0, 1.0], [10, 10])


def outcomes(errors, tokens, array):
    return Outcomes(array(errors), array(tokens), array([0.0] * len(errors)), array([0.0] * len(errors)))


def test_change_is_paired_and_neither_better_nor_worse_is_not_shipped():
    import numpy as np

    runs = judged_runs(labelled(count=200))
    same = outcomes([0.0, 1.0] * 100, [10.0] * 200, np.array)
    dearer = outcomes([0.0, 1.0] * 100, [12.0] * 200, np.array)
    change = compare(runs, (same, dearer)).change
    assert (change["error"].low, change["error"].high) == (0.0, 0.0)
    assert (change["tokens"].mean, change["tokens"].low) == (2.0, 2.0)
    assert "neither fewer errors nor fewer tokens" in refusal(compare(runs, (same, dearer)), 0.01)
    assert refusal(compare(runs, (dearer, same)), 0.01) is None


def test_one_tenants_loss_is_not_paid_for_by_the_others():
    import numpy as np

    runs = [
        replace(one, tenant="a" if index < 40 else "b")
        for index, one in enumerate(judged_runs(labelled(count=400)))
    ]
    before = outcomes([0.0] * 40 + [1.0] * 360, [10.0] * 400, np.array)
    after = outcomes([1.0] * 40 + [0.0] * 360, [10.0] * 400, np.array)
    assert refusal(compare(runs, (before, after)), 0.01) == "errors rise for a"


def test_shipping_keeps_the_gate_before_it(tmp_path):
    CARELESS.save(tmp_path / "gate.json")
    found = turn(labelled(), Policy(CARELESS, None), HALF)
    assert ship(found, tmp_path) == (tmp_path / "gate.json",)
    shipped = read_folder(tmp_path)[0]
    assert shipped.modes["fast"] == found.policy.gate.modes["fast"]
    assert GateProfile.load(tmp_path / "gate.json.before").to_json() == CARELESS.to_json()


def _recorded(path, **given):
    records, labels = traffic(**given)
    path.write_text("".join(json.dumps(line) + "\n" for line in [*records, *labels]))
    return str(path)


def test_one_command_ships_and_a_dry_run_writes_nothing(tmp_path, capsys):
    runs, folder = _recorded(tmp_path / "runs.jsonl"), tmp_path / "profiles"
    folder.mkdir()
    CARELESS.save(folder / "gate.json")
    before = (folder / "gate.json").read_bytes()
    command = ["train", "flywheel", runs, "--folder", str(folder), "--max-escalation", "0.5"]
    assert main([*command, "--dry-run"]) == 0
    assert (folder / "gate.json").read_bytes() == before
    assert "would be shipped" in capsys.readouterr().out
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["written"] == [str(folder / "gate.json")]
    assert (folder / "gate.json").read_bytes() != before


def test_a_refusal_ends_with_3_and_leaves_the_files_alone(tmp_path, capsys):
    runs, folder = _recorded(tmp_path / "runs.jsonl"), tmp_path / "profiles"
    folder.mkdir()
    CAREFUL.save(folder / "gate.json")
    before = (folder / "gate.json").read_bytes()
    assert main(["train", "flywheel", runs, "--folder", str(folder), "--max-escalation", "0.02"]) == 3
    assert "gate: kept as it was, the error may rise" in capsys.readouterr().out
    assert (folder / "gate.json").read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["gate.json"]
