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


def test_a_store_is_reported_on_labelled_and_exported_like_a_file(runs, tmp_path, capsys):
    url, page = f"sqlite:///{tmp_path / 'runs.sqlite'}", tmp_path / "page.html"
    assert main(["traces", "import", str(runs), url, "--json"]) == 0
    assert json.loads(said(capsys)) == {"runs": 2, "revisions": 0, "labels": 0}
    assert main(["traces", "label", url, "run-2", "--answer", "42"]) == 0
    said(capsys)
    assert main(["traces", "report", url, "--json"]) == 0
    figures = json.loads(said(capsys))
    assert (figures["labelled"], figures["overview"]["labelled"]) == (1, 1)
    assert main(["traces", "report", url, "--html", str(page)]) == 0
    shown = said(capsys)
    assert "All 2 runs, 1 labelled" in shown
    assert "2 runs of tiny, 1 labelled" in shown
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert main(["traces", "export", url, "--for", "triage"]) == 0
    assert json.loads(said(capsys))["deep_correct"] is True
    assert main(["traces", "export", url, "--for", "runs", "--out", str(tmp_path / "again.jsonl")]) == 0
    assert "3 lines" in said(capsys)


def test_a_file_gets_a_page_too(runs, tmp_path, capsys):
    labels, page = tmp_path / "labels.jsonl", tmp_path / "page.html"
    labels.write_text('{"run_id": "run-2", "answer": "42"}\n', encoding="utf-8")
    assert main(["traces", "report", str(runs), "--labels", str(labels), "--html", str(page), "--json"]) == 0
    assert json.loads(said(capsys))["overview"]["labelled"] == 1
    assert "2 runs" in page.read_text(encoding="utf-8")


def test_rows_are_written_as_parquet_by_the_files_name(runs, tmp_path, capsys):
    parquet = pytest.importorskip("pyarrow.parquet")
    url = f"sqlite:///{tmp_path / 'runs.sqlite'}"
    assert main(["traces", "import", str(runs), url, "--redact", "questions=drop"]) == 0
    for purpose in ("answers", "runs"):
        out = tmp_path / f"{purpose}.parquet"
        assert main(["traces", "export", url, "--for", purpose, "--out", str(out)]) == 0
        assert parquet.read_table(out)["question"].to_pylist() == [""] * (3 if purpose == "answers" else 2)


def test_pruning_names_what_it_removed(runs, tmp_path, capsys):
    url = f"sqlite:///{tmp_path / 'runs.sqlite'}"
    main(["traces", "import", str(runs), url])
    assert main(["traces", "prune", url, "--older-than-days", "100000"]) == 0
    assert "Removed 0 runs." in said(capsys)
    assert main(["traces", "prune", url, "--older-than-days", "0", "--keep-figures", "--json"]) == 0
    assert json.loads(said(capsys)) == {"removed": 2}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["report", "sqlite:///missing.sqlite"], "There is no trace store missing.sqlite"),
        (["label", "sqlite:///missing.sqlite", "a", "--correct"], "There is no trace store"),
        (["report", "mysql://host/db"], "trace store is a mysql database"),
        (["export", "runs.jsonl", "--for", "runs"], "is a file of runs already"),
        (["prune", "sqlite:///missing.sqlite"], "Say which runs to remove"),
        (["import", "missing.jsonl", "URL"], "Cannot read the runs missing.jsonl"),
        (["import", "missing.jsonl", "URL", "--redact", "names=drop"], "what to redact is 'names'"),
    ],
)
def test_a_store_that_cannot_be_used_is_one_line(arguments, error, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["traces", *(one.replace("URL", "sqlite:///made.sqlite") for one in arguments)]) == 2
    shown = capsys.readouterr().err
    assert error in shown
    assert shown.count("\n") == 1
    assert not (tmp_path / "missing.sqlite").exists()


def test_a_question_is_recorded_to_a_store_that_calibrate_reads(tmp_path, capsys):
    url = f"sqlite:///{tmp_path / 'runs.sqlite'}"
    assert main(["ask", "What is 3 * 7 + 22?", "--record", url, "--json"]) == 0
    said(capsys)
    assert main(["calibrate", url, "--max-error", "0.1", "--out", str(tmp_path / "gate.json")]) == 2
    assert "None of the 1 runs has a fast answer that is known" in capsys.readouterr().err
