"""Into a store and out of it again: nothing is lost, nothing is doubled, and what is pruned is gone."""

import json
from datetime import datetime

import pytest
from recorded_runs import judged, run

from adaptive_reasoner.errors import InvalidInputError, TraceStoreError
from adaptive_reasoner.traces import JsonlRecorder
from adaptive_reasoner.traces.parquet import write_parquet
from adaptive_reasoner.traces.runs import holds_runs, load_runs
from adaptive_reasoner.traces.store import Redaction, TraceStore, open_database, shown_source
from adaptive_reasoner.traces.store.keeping import Kept
from adaptive_reasoner.traces.store.reading import Chosen, compact, matching_ids, prune, read_runs
from adaptive_reasoner.traces.store.transfer import column_kinds, export_lines, export_rows, import_runs

RUNS = [
    run(1, judged("fast", "accept", risk=0.1), tenant="acme"),
    run(2, judged("fast", "escalate", "41", risk=0.6), judged("deep", "accept", "42", risk=0.1)),
    run(3, judged("fast", "accept", "日本", risk=None)),
]
LABELS = [
    {"run_id": "run-2", "answer": "42"},
    {"run_id": "run-1", "correct": False},
    {"run_id": "run-1", "correct": True},
]


def seconds(record):
    return datetime.fromisoformat(record["recorded_at"]).timestamp()


@pytest.fixture
def file(tmp_path):
    recorder = JsonlRecorder(tmp_path / "runs.jsonl")
    for line in (*RUNS, *LABELS):
        recorder.record(line)
    return tmp_path / "runs.jsonl"


@pytest.fixture
def url(tmp_path, file):
    url = f"sqlite:///{tmp_path / 'runs.sqlite'}"
    database = open_database(url)
    assert import_runs(database, file, Redaction()) == Kept(runs=3, labels=3)
    database.close()
    return url


@pytest.fixture
def database(url):
    opened = open_database(url, must_exist=True)
    yield opened
    opened.close()


def test_a_store_is_read_as_the_file_is(url, file):
    assert load_runs(url) == load_runs(file)
    assert holds_runs(url)
    assert [one.record["run_id"] for one in load_runs(url, newest=2).runs] == ["run-2", "run-3"]


def test_an_import_may_be_done_again(database, file):
    assert import_runs(database, file, Redaction()) == Kept()
    with file.open("a") as lines:
        lines.write(json.dumps(LABELS[1]) + "\n")  # the same words as before, said anew
    assert import_runs(database, file, Redaction()) == Kept(labels=1)
    assert next(read_runs(database)).correct is False


def test_a_damaged_file_leaves_the_store_as_it_was(database, file):
    file.write_text(json.dumps(run(9, judged("fast", "accept"))) + '\n{"run_id": "a", "correct": NaN}\n')
    with pytest.raises(InvalidInputError, match="line 2 is not JSON"):
        import_runs(database, file, Redaction())
    assert matching_ids(database, "run-") == ["run-1", "run-2"]
    assert matching_ids(database, "run-9") == []


def test_an_export_can_be_imported_elsewhere(database, tmp_path):
    exported = tmp_path / "exported.jsonl"
    exported.write_text("".join(export_lines(database)), encoding="utf-8")
    other = open_database(f"sqlite:///{tmp_path / 'other.sqlite'}")
    assert import_runs(other, exported, Redaction()) == Kept(runs=3, labels=3)
    assert list(read_runs(other)) == list(read_runs(database))
    other.close()


def test_parquet_holds_a_row_for_each_run(database, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    assert write_parquet(export_rows(database), tmp_path / "runs.parquet", column_kinds()) == 3
    rows = parquet.read_table(tmp_path / "runs.parquet").to_pylist()
    assert [(row["run_id"], row["thought"], row["correct"], row["risk"]) for row in rows] == [
        ("run-1", False, 1, 0.1),
        ("run-2", True, 1, 0.1),
        ("run-3", False, None, None),
    ]
    assert json.loads(rows[2]["record"])["answer"] == rows[2]["answer"] == "日本"
    assert json.loads(rows[1]["labels"])[0]["answer"] == "42"


def test_runs_are_chosen_by_time_and_tenant(database):
    chosen = {
        "since": Chosen(since=seconds(RUNS[1])),
        "before": Chosen(before=seconds(RUNS[1])),
        "tenant": Chosen(tenant="acme"),
    }
    found = {name: [one.record["run_id"] for one in read_runs(database, one)] for name, one in chosen.items()}
    assert found == {"since": ["run-2", "run-3"], "before": ["run-1"], "tenant": ["run-1"]}


def test_what_is_pruned_is_gone_with_its_labels(database):
    assert prune(database, Chosen(before=seconds(RUNS[2]))) == 2
    compact(database)
    assert [one.record["run_id"] for one in read_runs(database)] == ["run-3"]
    assert "42" not in "".join(export_lines(database))
    assert prune(database, Chosen(before=seconds(RUNS[2]))) == 0


def test_figures_may_stay_when_texts_go(database):
    from adaptive_reasoner.traces.overview import overview

    assert prune(database, Chosen(tenant="acme"), keep_figures=True) == 1
    assert len(list(read_runs(database))) == 2
    figures = overview(database)
    assert (figures["runs"], figures["labelled"]) == (3, 2)
    texts = {row["run_id"]: row["question"] for row in figures["worst"]["most_tokens"]}
    assert texts == {"run-1": None, "run-2": "Question 2?", "run-3": "Question 3?"}


def test_runs_of_a_killed_process_are_read_without_a_recorder(url, tmp_path):
    folder = tmp_path / "runs.sqlite.spool"
    folder.mkdir(exist_ok=True)
    (folder / "1-dead.spool").write_text(json.dumps(run(4, judged("fast", "accept"))) + "\n")
    assert len(load_runs(url).runs) == 4


def test_a_store_that_is_not_there_is_said_to_be_missing_and_not_made(tmp_path):
    with pytest.raises(TraceStoreError, match="There is no trace store"):
        load_runs(f"sqlite:///{tmp_path / 'typo.sqlite'}")
    assert list(tmp_path.iterdir()) == []


def test_a_store_without_runs_is_said_to_be_empty(tmp_path):
    url = f"sqlite:///{tmp_path / 'empty.sqlite'}"
    TraceStore(url).close()
    with pytest.raises(InvalidInputError, match="no recorded run"):
        load_runs(url)


def test_passwords_are_not_shown():
    assert shown_source("postgresql://bob:hunter2@host/db") == "postgresql://bob:***@host/db"
    assert shown_source("runs.jsonl") == "runs.jsonl"
