"""`traces report|label|export` and `calibrate` on recorded runs, to the end on the embedded model."""

import json
import shlex
from dataclasses import replace

import pytest
from recorded_runs import judged, run

from adaptive_reasoner import ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.cli import main
from adaptive_reasoner.embedded.problems import generate
from adaptive_reasoner.gate import GateProfile, profile_for
from adaptive_reasoner.traces import JsonlRecorder

RUNS = [
    run(1, judged("fast", "accept", risk=0.1)),
    run(2, judged("fast", "escalate", "41", risk=0.6), judged("deep", "accept", "42", risk=0.1)),
]


@pytest.fixture
def runs(tmp_path):
    path = tmp_path / "runs.jsonl"
    recorder = JsonlRecorder(path)
    for record in RUNS:
        recorder.record(record)
    return path


def said(capsys):
    return capsys.readouterr().out


def test_without_labels_errors_are_unknown_and_never_fine(runs, capsys):
    assert main(["traces", "report", str(runs)]) == 0
    shown = said(capsys)
    assert "2 runs of tiny, 0 labelled" in shown
    assert "Wrong: unknown" in shown
    assert "What to fit anew is unknown: no run is labelled." in shown
    assert "traces label" in shown


def test_labels_are_added_to_the_file_and_shown(runs, capsys):
    assert main(["traces", "label", str(runs), "run-1", "--correct"]) == 0
    assert main(["traces", "label", str(runs), "run-2", "--answer", "42", "--json"]) == 0
    assert json.loads(said(capsys).splitlines()[-1]) == {"run_id": "run-2", "answer": "42"}
    assert main(["traces", "report", str(runs), "--json"]) == 0
    figures = json.loads(said(capsys))
    assert figures["labelled"] == 2
    assert figures["risk"]["fast"]["wrong"]["mean"] == 0.5
    assert main(["traces", "report", str(runs), "--last", "1", "--by", "day"]) == 0
    assert "1 runs of tiny, 1 labelled" in said(capsys)


def test_exported_labels_are_filled_in_and_read(runs, tmp_path, capsys):
    labels = tmp_path / "labels.jsonl"
    assert main(["traces", "export", str(runs), "--for", "labels", "--out", str(labels)]) == 0
    rows = [json.loads(line) for line in labels.read_text(encoding="utf-8").splitlines()]
    rows[0]["correct"] = False
    labels.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    said(capsys)
    assert main(["traces", "report", str(runs), "--labels", str(labels), "--json"]) == 0
    assert json.loads(said(capsys))["error"] == pytest.approx(
        {"events": 1, "trials": 1, "mean": 1.0, "low": 0.2065, "high": 1.0}, abs=1e-4
    )


def test_an_export_goes_to_standard_output(runs, capsys):
    assert main(["traces", "export", str(runs)]) == 0
    assert [json.loads(line)["mode"] for line in said(capsys).splitlines()] == ["fast", "fast", "deep"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["label", "RUNS", "run-1"], "Say --correct or --wrong"),
        (["label", "RUNS", "run-1", "--correct", "--answer", "42"], "Say --correct or --wrong"),
        (["label", "RUNS", "run-", "--wrong"], "2 runs of"),
        (["label", "RUNS", "", "--wrong"], "0 runs of"),
        (["label", "RUNS", "other", "--wrong"], "0 runs of"),
        (["report", "missing.jsonl"], "Cannot read the runs missing.jsonl"),
        (["report", "RUNS", "--profile", "missing.json"], "Cannot read the gate profile"),
        (["export", "RUNS", "--out", "/missing/folder/x"], "Cannot write"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(runs, arguments, error, capsys):
    before = runs.read_bytes()
    assert main(["traces", *(str(runs) if one == "RUNS" else one for one in arguments)]) == 2
    shown = capsys.readouterr().err
    assert error in shown
    assert shown.count("\n") == 1
    assert runs.read_bytes() == before


@pytest.mark.parametrize(
    "command",
    [
        ["traces", "report", "RUNS"],
        ["traces", "label", "RUNS", "run-1", "--correct"],
        ["traces", "export", "RUNS", "--for", "triage", "--out", "OUT"],
        ["calibrate", "RUNS", "--max-error", "0.1", "--out", "OUT"],
        ["train", "triage", "RUNS", "--out", "OUT"],
    ],
)
def test_a_damaged_file_is_one_error_with_its_line(runs, tmp_path, command, capsys):
    with runs.open("ab") as file:
        file.write(b'{"run_id": "a", "correct": NaN}\n')
    before, out = runs.read_bytes(), tmp_path / "out.json"
    assert main([{"RUNS": str(runs), "OUT": str(out)}.get(one, one) for one in command]) == 2
    shown = capsys.readouterr().err
    assert "line 3 is not JSON" in shown
    assert shown.count("\n") == 1
    assert runs.read_bytes() == before
    assert not out.exists()


def test_options_of_runs_are_refused_for_recorded_answers(tmp_path, capsys):
    path = tmp_path / "answers.jsonl"
    path.write_text('{"question": "?", "correct": true}\n', encoding="utf-8")
    assert main(["calibrate", str(path), "--max-error", "0.1", "--update", "shipped"]) == 2
    assert "go with recorded runs" in capsys.readouterr().err


def test_there_is_no_shipped_profile_of_an_unknown_model(runs, capsys):
    assert main(["calibrate", str(runs), "--update", "shipped"]) == 2
    assert "no profile ships for the recorded model" in capsys.readouterr().err


def record(path, gate, problems):
    """Run the problems through the loop, each run recorded and labelled by its known answer."""
    recorder = JsonlRecorder(path)
    graph = build_reasoning_graph("embedded", config=ReasonerConfig(gate=gate), recorder=recorder)
    for problem in problems:
        state = graph.invoke({"messages": problem.question})
        recorder.record({"run_id": state["reasoning"]["run_id"], "answer": str(problem.answer)})


def report(path, profile, capsys):
    said(capsys)
    assert main(["traces", "report", str(path), "--profile", str(profile), "--json"]) == 0
    return json.loads(said(capsys))


def test_asked_questions_are_recorded_where_that_is_asked(tmp_path, capsys):
    path = tmp_path / "runs.jsonl"
    assert main(["ask", "What is 12 + 7?", "--record", str(path), "--compare", "--json"]) == 0
    printed = json.loads(said(capsys))
    assert main(["traces", "label", str(path), printed["report"]["run_id"], "--answer", "19"]) == 0
    assert main(["traces", "report", str(path)]) == 0
    assert "1 runs of adaptive-reasoner-embedded, 1 labelled" in said(capsys)


def test_a_file_that_cannot_be_recorded_to_is_refused_before_the_question(tmp_path, capsys):
    assert main(["ask", "What is 12 + 7?", "--record", str(tmp_path / "missing" / "runs.jsonl")]) == 2
    assert "Cannot record to" in capsys.readouterr().err


def of_the_gate(found):
    return [one for one in found["advice"] if one["part"].startswith("gate profile")]


@pytest.mark.slow
def test_a_corrupt_profile_is_found_refitted_and_recovered(tmp_path, capsys):
    """A gate that is far too sure lets wrong answers through; the report's own command mends it."""
    shipped = profile_for("adaptive-reasoner-embedded")
    fast = shipped.modes["fast"]
    shifted = replace(shipped, modes={**shipped.modes, "fast": replace(fast, bias=fast.bias - 3)})
    bad, mended = tmp_path / "shifted.json", tmp_path / "gate-profile.json"
    shifted.save(bad)
    problems = list(generate("test", 240))
    runs, fresh = tmp_path / "runs.jsonl", tmp_path / "fresh.jsonl"
    record(runs, shifted, problems[:120])

    found = report(runs, bad, capsys)
    [advice] = of_the_gate(found)
    assert advice["part"] == "gate profile, risks of mode fast"
    assert found["risk"]["fast"]["status"] == "too low"
    command = [str(mended) if one == "gate-profile.json" else one for one in shlex.split(advice["how"])]
    assert main(command[1:]) == 0
    assert "fast: risks were too low, fitted anew" in said(capsys)

    record(fresh, GateProfile.load(mended), problems[120:])
    again = report(fresh, mended, capsys)
    assert of_the_gate(again) == []
    assert again["risk"]["fast"]["status"] == "not contradicted"
    assert again["accepted"]["error"]["mean"] < found["accepted"]["error"]["mean"]
