"""`calibrate` and `replay` on a small recording."""

import json

import pytest
from recorded_answers import record, recording

from adaptive_reasoner.cli import main
from adaptive_reasoner.gate import GateProfile


@pytest.fixture
def answers(tmp_path):
    path = tmp_path / "answers.jsonl"
    path.write_text("\n".join(json.dumps(one) for one in recording(400)), encoding="utf-8")
    return str(path)


def last_json(capsys):
    return json.loads(capsys.readouterr().out)


def test_a_profile_is_fitted_and_replayed(answers, tmp_path, capsys):
    out = str(tmp_path / "profile.json")

    assert main(["calibrate", answers, "--max-error", "0.1", "--out", out, "--json"]) == 0
    fitted = last_json(capsys)
    assert fitted["provenance"]["fast"]["wrong"] == 0
    assert GateProfile.load(out).kind == "calibrated"

    assert main(["replay", answers, "--profile", out, "--json"]) == 0
    report = last_json(capsys)
    assert report["calls"] == {"fast": 400, "deep": 100}
    assert report["accuracy"]["mean"] == 0.875
    assert report["gate"]["kind"] == "calibrated"


def test_two_files_conditions_and_words(answers, tmp_path, capsys):
    out = str(tmp_path / "profile.json")
    both = ["--fast", answers, "--deep", answers]

    assert (
        main(["calibrate", *both, "--where", "family=odd,even", "--max-escalation", "0.2", "--out", out]) == 0
    )
    assert "escalates" in capsys.readouterr().out
    assert main(["replay", *both, "--where", "family=even", "--limit", "50", "--threshold", "0.2"]) == 0
    said = capsys.readouterr().out
    assert "50 questions, tiny -> tiny thinking; gate: default" in said
    assert "Calls: 50 fast, 25 thinking (50.0%)" in said


def test_money_and_a_picture(answers, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    prices = tmp_path / "prices.json"
    prices.write_text('{"tiny": {"input": 1, "output": 2}}', encoding="utf-8")
    plot = tmp_path / "frontier.png"

    code = main(["replay", answers, "--limit", "20", "--prices", str(prices), "--plot", str(plot), "--json"])

    assert code == 0
    assert last_json(capsys)["cost_usd"] > 0
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_fast_answers_alone_can_be_calibrated_but_not_replayed(tmp_path, capsys):
    path = tmp_path / "fast.jsonl"
    lines = [json.dumps(record(i, "fast", 0.95 if i % 3 else 0.6, correct=bool(i % 3))) for i in range(200)]
    path.write_text("\n".join(lines), encoding="utf-8")
    out = str(tmp_path / "p.json")

    assert main(["calibrate", str(path), "--max-error", "0.1", "--out", out, "--json"]) == 0
    assert set(GateProfile.load(out).modes) == {"fast"}
    capsys.readouterr()
    assert main(["replay", str(path)]) == 2
    assert "no question in common" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["replay"], "Name the recorded answers"),
        (["replay", "--fast", "a.jsonl"], "--deep FILE is missing"),
        (["replay", "missing.jsonl"], "Cannot read the recording missing.jsonl"),
        (["calibrate", "missing.jsonl", "--max-error", "0.1"], "Cannot read the recording"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, said, capsys):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_one_target_and_one_gate(answers, tmp_path, capsys):
    assert main(["calibrate", answers]) == 2
    assert "exactly one target" in capsys.readouterr().err
    assert main(["replay", answers, "--profile", "p.json", "--threshold", "0.1"]) == 2
    assert "two gates" in capsys.readouterr().err


def test_a_promise_that_cannot_be_kept_is_refused_in_words(answers, tmp_path, capsys):
    assert main(["calibrate", answers, "--max-error", "0.001", "--out", str(tmp_path / "p.json")]) == 2
    assert "needs at least" in capsys.readouterr().err
    assert not (tmp_path / "p.json").exists()


@pytest.mark.parametrize("correct", ["NaN", "null", '"yes"', "1.0", "2"])
def test_what_is_neither_right_nor_wrong_is_refused(correct, tmp_path, capsys):
    file = tmp_path / "answers.jsonl"
    file.write_text(f'{{"question": "How much?", "correct": {correct}}}\n')
    assert main(["replay", str(file)]) == 2
    assert "line 1: `correct` is" in capsys.readouterr().err


def test_a_gap_that_is_none_is_null_in_json_and_said_in_words(tmp_path, capsys):
    file = tmp_path / "answers.jsonl"
    file.write_text('{"question": "How much?", "correct": true}\n')
    assert main(["replay", str(file)]) == 0
    assert "APGR is unknown" in capsys.readouterr().out
    assert main(["replay", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["what_if"]["apgr"] is None
