"""Runs are kept once, whoever writes and whatever becomes of the process, the database and the disk."""

import multiprocessing
import os
import signal
import sqlite3
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from recorded_runs import judged, run
from sqlalchemy import select, text

from adaptive_reasoner import build_reasoning_graph
from adaptive_reasoner.errors import ConfigurationError, RecordError, TraceStoreError
from adaptive_reasoner.testing import Reply, ScriptedChatModel
from adaptive_reasoner.traces.store import Redaction, TraceStore, open_database
from adaptive_reasoner.traces.store.tables import FIGURES, LABELS, RECORDS, VERSION_TABLE

ESCALATED = (judged("fast", "escalate", "41", risk=0.6), judged("deep", "accept", "42", risk=0.1))


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'runs.sqlite'}"


def rows_of(url, table):
    database = open_database(url)
    with database.reading() as db:
        rows = [dict(row) for row in db.execute(select(table)).mappings()]
    database.close()
    return rows


def runs_in(url):
    return sorted((row["run_id"], row["revision"]) for row in rows_of(url, RECORDS))


def record_all(store, count):
    for index in range(count):
        store.record(run(index, *ESCALATED))


def write_many(url, writer, count):
    with TraceStore(url) as store:
        for index in range(count):
            store.record(run(1000 * writer + index, *ESCALATED))


def write_and_tell(url, told):
    store = TraceStore(url)
    for index in range(1_000_000):
        store.record(run(index, *ESCALATED))
        os.write(told, b".")


def test_a_run_is_kept_with_its_figures(url):
    with TraceStore(url) as store:
        store.record(run(1, *ESCALATED, tenant="acme"))
    assert runs_in(url) == [("run-1", 0)]
    row = rows_of(url, FIGURES)[0]
    expected = {
        "tenant": "acme", "verdict": "accept", "began_fast": True, "thought": True, "refined": False,
        "calls": 2, "total_tokens": 20, "milliseconds": 1000, "risk": 0.1, "fast_risk": 0.6, "deep_risk": 0.1,
        "refine_risk": None, "correct": None,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected


def test_labels_tell_of_runs_before_and_after_them(url):
    with TraceStore(url) as store:
        store.record({"run_id": "run-1", "answer": "42"})
        store.flush()
        store.record(run(1, *ESCALATED))
        store.record(run(2, *ESCALATED))
        store.flush()
        store.record({"run_id": "run-2", "correct": True})
        store.record({"run_id": "run-2", "correct": False})
        store.record({"run_id": "stray", "correct": False})
    rows = {row["run_id"]: row for row in rows_of(url, FIGURES)}
    assert [rows["run-1"][name] for name in ("correct", "fast_correct", "deep_correct")] == [1, 0, 1]
    assert [rows["run-2"][name] for name in ("correct", "fast_correct", "deep_correct")] == [0, None, 0]
    assert len(rows_of(url, LABELS)) == 4


def test_the_same_record_is_kept_once_and_a_later_one_counts(url):
    first, later = run(1, *ESCALATED), run(1, *ESCALATED, answer="43")
    with TraceStore(url) as store:
        for record in (first, first, later, first):
            store.record(record)
            store.flush()
    assert runs_in(url) == [("run-1", 0), ("run-1", 1)]
    assert len(rows_of(url, FIGURES)) == 1


def test_threads_and_processes_write_one_store(url):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=write_many, args=(url, writer, 20)) for writer in range(2)]
    for process in processes:
        process.start()
    with TraceStore(url) as store, ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda index: store.record(run(9000 + index, *ESCALATED)), range(50)))
    for process in processes:
        process.join()
    expected = [*range(20), *range(1000, 1020), *range(9000, 9050)]
    assert runs_in(url) == sorted((f"run-{index}", 0) for index in expected)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_what_was_acknowledged_survives_kill_9(url, tmp_path):
    for _ in range(2):
        said, told = os.pipe()
        process = multiprocessing.get_context("fork").Process(target=write_and_tell, args=(url, told))
        process.start()
        os.close(told)
        acknowledged = 0
        while acknowledged < 150:
            acknowledged += len(os.read(said, 50))
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        acknowledged += len(os.read(said, 1 << 16))
        os.close(said)
        TraceStore(url).close()
        kept = runs_in(url)
        assert acknowledged <= len(kept)
        assert kept == sorted((f"run-{index}", 0) for index in range(len(kept)))
    assert list((tmp_path / "runs.sqlite.spool").iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_fork_writes_with_files_and_connections_of_its_own(url):
    with TraceStore(url) as store:
        store.record(run(1, *ESCALATED))
        child = os.fork()
        if child == 0:
            store.record(run(2, *ESCALATED))
            store.close()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        store.record(run(3, *ESCALATED))
    assert runs_in(url) == [("run-1", 0), ("run-2", 0), ("run-3", 0)]


def test_a_damaged_line_left_behind_keeps_back_no_other(url, tmp_path):
    folder = tmp_path / "runs.sqlite.spool"
    folder.mkdir()
    with TraceStore(f"sqlite:///{tmp_path / 'other.sqlite'}", spool=folder) as other:
        other.flush()
    (folder / "1-dead.spool").write_bytes(b'{"run_id": 1}}\n{"run_id": "a", "correct": true, "torn')
    with TraceStore(url) as store:
        store.flush()
    assert (folder / "damaged.jsonl").read_bytes() == b'{"run_id": 1}}\n'
    assert [path.name for path in folder.iterdir()] == ["damaged.jsonl"]


def test_a_database_that_fails_costs_no_run(url, tmp_path, caplog):
    store = TraceStore(url)
    blocker = sqlite3.connect(tmp_path / "runs.sqlite")
    blocker.execute(f"ALTER TABLE {FIGURES.name} RENAME TO elsewhere")
    store.record(run(1, *ESCALATED))
    with pytest.raises(TraceStoreError, match="no such table"):
        store.flush(0.3)
    assert "no such table" in (store.problem or "")
    assert "stay in the spool" in caplog.text
    blocker.execute(f"ALTER TABLE elsewhere RENAME TO {FIGURES.name}")
    blocker.close()
    store.flush()
    assert store.problem is None
    store.close()
    assert runs_in(url) == [("run-1", 0)]


def test_a_full_log_makes_runs_wait_and_then_says_why(url, tmp_path):
    store = TraceStore(url, most_spool_mib=0.01, wait_seconds=0.1)
    blocker = sqlite3.connect(tmp_path / "runs.sqlite", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(RecordError, match=r"The log .* is full"):
        record_all(store, 100)
    blocker.execute("COMMIT")
    blocker.close()
    store.close()
    kept = len(runs_in(url))
    assert 0 < kept < 100


# Of 30 KB each: some reach the database before its own files are full.
_MOST_ANSWERS = 12


def _answer_on_a_full_disk(url, said):
    """In a process of its own: files may hold 64 KiB there, as on a disk that is nearly full."""
    import resource

    store = TraceStore(url)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))
    model = ScriptedChatModel([Reply(text="42" + "x" * 30_000, probability=0.999)], cycle=True)
    graph = build_reasoning_graph(model, recorder=store)
    for _ in range(_MOST_ANSWERS):
        state = graph.invoke({"messages": "How much?"})
        said.put((state["messages"][-1].text[:2], state["reasoning"].get("recording", "")))
    said.close()
    said.join_thread()
    os._exit(0)


@pytest.mark.skipif(sys.platform == "win32", reason="limits are POSIX's")
def test_a_full_disk_costs_nobody_the_answer(url):
    context = multiprocessing.get_context("fork")
    said = context.Queue()
    process = context.Process(target=_answer_on_a_full_disk, args=(url, said))
    process.start()
    answers = [said.get(timeout=60) for _ in range(_MOST_ANSWERS)]
    process.join()
    assert [answer for answer, _ in answers] == ["42"] * _MOST_ANSWERS
    told = [problem for _, problem in answers if problem]
    assert told
    assert all("RecordError: Cannot record to" in one and "File too large" in one for one in told)


def test_a_corrupt_file_is_one_clear_error(tmp_path):
    path = tmp_path / "runs.sqlite"
    path.write_bytes(b"This is no database. " * 500)
    with pytest.raises(TraceStoreError, match=r"file is not a database.*restored or moved away"):
        TraceStore(f"sqlite:///{path}")


def test_a_newer_schema_is_refused_and_left_alone(url):
    TraceStore(url).close()
    database = open_database(url)
    with database.writing() as db:
        db.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    database.close()
    with pytest.raises(TraceStoreError, match=r"has schema 9999.*upgrade the package"):
        TraceStore(url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("runs.jsonl", "is no store's URL"),
        ("mysql://host/db", "trace store is a mysql database"),
        ("://", "which is no URL"),
    ],
)
def test_what_is_no_store_is_refused(url, said):
    with pytest.raises(ConfigurationError, match=said):
        TraceStore(url)


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
def test_a_store_is_its_owners_alone(url, tmp_path):
    with TraceStore(url) as store:
        store.record(run(1, *ESCALATED))
        store.flush()
        modes = {path.stat().st_mode & 0o077 for path in tmp_path.rglob("*")}
    assert modes == {0}


def test_a_folder_that_is_missing_is_said_so(tmp_path):
    with pytest.raises(TraceStoreError, match="No such file or directory"):
        TraceStore(f"sqlite:///{tmp_path / 'missing' / 'runs.sqlite'}")


def test_what_is_no_run_is_refused_at_once(url):
    with TraceStore(url, redaction=Redaction()) as store:
        with pytest.raises(RecordError, match="neither a recorded run nor a label"):
            store.record({"run_id": "a"})
        bad = run(1, *ESCALATED)
        bad["report"]["extra"] = object()
        with pytest.raises(RecordError, match="not plain JSON"):
            store.record(bad)
    with pytest.raises(RecordError, match="was closed"):
        store.record(run(1, *ESCALATED))


def test_recording_takes_less_than_a_millisecond(url):
    with TraceStore(url) as store:
        times = []
        for index in range(300):
            record = run(index, *ESCALATED)
            started = time.perf_counter()
            store.record(record)
            times.append(time.perf_counter() - started)
    assert sorted(times)[150] < 1e-3


def test_the_migrations_make_the_tables_that_the_code_uses(url):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from adaptive_reasoner.traces.store.tables import METADATA

    database = open_database(url)
    with database.writing() as db:
        context = MigrationContext.configure(db, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, METADATA) == []
    database.close()
