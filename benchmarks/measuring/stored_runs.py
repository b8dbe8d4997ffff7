"""Runs to store, and what is measured of a trace store; run as a program it is one writer among several."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from sqlalchemy import func, insert, select, text

from adaptive_reasoner import build_reasoning_graph
from adaptive_reasoner.embedded.problems import generate
from adaptive_reasoner.traces.overview import overview
from adaptive_reasoner.traces.store import TraceStore, open_database
from adaptive_reasoner.traces.store.tables import FIGURES, RECORDS

ReportJson = dict[str, Any]
_START = 1_767_225_600.0  # 2026-01-01, UTC
_SPAN_SECONDS = 60 * 86400.0


class _Keeping:
    def __init__(self) -> None:
        self.records: list[ReportJson] = []

    def record(self, record: ReportJson) -> None:
        self.records.append(record)


def real_runs(count: int, seed: int) -> list[ReportJson]:
    """Records of the embedded model's runs on made-up problems, each with the right answer beside it."""
    keeping = _Keeping()
    graph = build_reasoning_graph("embedded", recorder=keeping)
    problems = list(generate("test", count, seed=seed))
    for problem in problems:
        graph.invoke({"messages": problem.question})
    return [
        {"record": record, "right": str(problem.answer)}
        for record, problem in zip(keeping.records, problems, strict=True)
    ]


def varied(runs: Sequence[ReportJson], count: int, seed: int) -> Iterator[tuple[ReportJson, str]]:
    """`count` records like these, with ids, threads, tenants and times of their own, and their right answers."""
    random = Random(seed)
    for index in range(count):
        one = runs[random.randrange(len(runs))]
        at = _START + _SPAN_SECONDS * index / count
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))
        changed = {
            "run_id": str(uuid.UUID(int=random.getrandbits(128))),
            "recorded_at": f"{stamp}.{index % 1000:03}+00:00",
            "thread_id": f"thread-{random.randrange(count)}",
            "tenant": f"tenant-{random.randrange(5)}",
        }
        yield {**one["record"], **changed}, one["right"]


def times(seconds: Sequence[float]) -> ReportJson:
    """Of single calls, in ms."""
    p50, p95, p99 = np.quantile(np.array(seconds) * 1e3, [0.5, 0.95, 0.99])
    return {"calls": len(seconds), "p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "most_ms": max(seconds) * 1e3}


def paced(url: str, runs: Sequence[ReportJson], a_second: int, seconds: int) -> ReportJson:
    """How long `record` keeps a run waiting while runs come at a steady rate."""
    taken: list[float] = []
    with TraceStore(url) as store:
        begun = time.perf_counter()
        for index, (record, _) in enumerate(varied(runs, a_second * seconds, seed=1)):
            time.sleep(max(0.0, begun + index / a_second - time.perf_counter()))
            started = time.perf_counter()
            store.record(record)
            taken.append(time.perf_counter() - started)
    return {"runs_a_second": a_second, **times(taken)}


def as_fast_as_it_goes(url: str, runs: Sequence[ReportJson], count: int, labelled: float) -> ReportJson:
    """Record `count` runs back to back, then label a share of them, until all is in the database."""
    taken: list[float] = []
    chosen: list[ReportJson] = []
    random = Random(3)
    with TraceStore(url, wait_seconds=600) as store:
        begun = time.perf_counter()
        for record, right in varied(runs, count, seed=2):
            started = time.perf_counter()
            store.record(record)
            taken.append(time.perf_counter() - started)
            if random.random() < labelled:
                chosen.append({"run_id": record["run_id"], "answer": right})
        acknowledged = time.perf_counter() - begun
        store.flush(3600)
        stored = time.perf_counter() - begun
        begun = time.perf_counter()
        for label in chosen:
            store.record(label)
        store.flush(3600)
        labelling = time.perf_counter() - begun
        size = store.database.size_bytes()
    return {
        "records": count,
        "acknowledged_a_second": count / acknowledged,
        "stored_a_second": count / stored,
        "record": times(taken),
        "labels": len(chosen),
        "labels_a_second": len(chosen) / labelling,
        "bytes_a_record": size / count,
        "gigabytes": size / 1e9,
    }


def fill_up(url: str, wanted: int) -> ReportJson:
    """Copy rows within the database until it has `wanted` runs: reports are timed on as many as that."""
    database = open_database(url, must_exist=True)
    count = counted(url)["runs"]
    for copy in range(1, -(-wanted // count)):
        most = min(count, wanted - copy * count)
        for table in (FIGURES, RECORDS):
            names = [column.name for column in table.columns if column.name != "id"]
            whole = FIGURES.c.run_id.not_like("%-%-%-%-%-%")  # copies have a dash more than a UUID
            some = select(FIGURES.c.run_id).where(whole).order_by(FIGURES.c.run_id).limit(most).subquery()
            values = [table.c[name] + f"-{copy}" if name == "run_id" else table.c[name] for name in names]
            copied = select(*values).where(table.c.run_id.in_(select(some.c.run_id)))
            with database.writing() as db:
                db.execute(insert(table).from_select(names, copied))
    filled, size = counted(url), database.size_bytes()
    database.close()
    return {"runs": filled["runs"], "copied": filled["runs"] - count, "gigabytes": size / 1e9}


def report_seconds(url: str, command: Sequence[str]) -> ReportJson:
    """How long the overview of all runs takes, and the whole command with its page, on the clock and of a processor.

    Postgres works in processes of its own, whose processor time is not counted.
    """
    database = open_database(url, must_exist=True)
    begun, used = time.perf_counter(), time.process_time()
    figures = overview(database)
    alone, used = time.perf_counter() - begun, time.process_time() - used
    database.close()
    begun, before = time.perf_counter(), os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    seconds, after = time.perf_counter() - begun, os.times()
    children = after.children_user + after.children_system - before.children_user - before.children_system
    return {
        "runs": figures["runs"],
        "overview_seconds": alone,
        "overview_cpu_seconds": used,
        "command_seconds": seconds,
        "command_cpu_seconds": children,
    }


def in_processes(url: str, writers: int, each: int) -> ReportJson:
    """Several processes record at once; each run must be there once."""
    TraceStore(url).close()
    workers = [_worker("write", url, str(each), str(number)) for number in range(writers)]
    said = [worker.communicate()[0].split() for worker in workers]
    wanted = writers * each
    kept = counted(url)
    return {
        "writers": writers,
        "records": wanted,
        "acknowledged": sum(int(one[-2]) for one in said),
        "lost": wanted - kept["runs"],
        "doubled": kept["rows"] - kept["runs"],
        "without_figures": kept["runs"] - kept["figures"],
        "record_p50_ms": float(np.median([float(one[-1]) for one in said])),
    }


def counted(url: str) -> dict[str, int]:
    """Runs, records and rows of figures in a store."""
    database = open_database(url, must_exist=True)
    with database.reading() as db:
        rows, runs = db.execute(select(func.count(), func.count(RECORDS.c.run_id.distinct()))).one()
        figures = db.execute(select(func.count()).select_from(FIGURES)).scalar_one()
    database.close()
    return {"rows": rows, "runs": runs, "figures": figures}


def survives_kills(url: str, kills: int, seed: int) -> ReportJson:
    """A writer is killed in the middle again and again; what it acknowledged must be there after the next opening."""
    random, lost, acknowledged = Random(seed), 0, 0
    TraceStore(url).close()
    for number in range(kills):
        before = counted(url)["runs"]
        worker = _worker("tell", url, str(1_000_000), str(1000 + number))
        while "." not in (worker.stdout.readline() if worker.stdout else "."):
            continue
        time.sleep(random.uniform(0.05, 1.0))
        worker.kill()
        told = 1 + sum(1 for line in worker.communicate()[0].splitlines() if line == ".")
        store = TraceStore(url)
        store.flush()
        store.close()
        lost += max(0, told - (counted(url)["runs"] - before))
        acknowledged += told
    kept = counted(url)
    doubled = kept["rows"] - kept["runs"]
    return {
        "kills": kills,
        "acknowledged": acknowledged,
        "kept": kept["runs"],
        "lost": lost,
        "doubled": doubled,
    }


def write(url: str, count: str, number: str) -> None:
    """A worker: records its runs, and says how many were acknowledged and how long one took in the median."""
    taken: list[float] = []
    with TraceStore(url) as store:
        for record, _ in varied(real_runs(5, seed=int(number)), int(count), seed=1000 + int(number)):
            started = time.perf_counter()
            store.record(record)
            taken.append(time.perf_counter() - started)
        store.flush(600)
    print(len(taken), float(np.median(taken)) * 1e3, flush=True)


def tell(url: str, count: str, number: str) -> None:
    """A worker that says of each run that it was acknowledged, until it is killed."""
    runs = real_runs(5, seed=int(number))
    store = TraceStore(url)
    for record, _ in varied(runs, int(count), seed=1000 + int(number)):
        store.record(record)
        os.write(1, b".\n")


def version_of(url: str) -> str:
    """SQLite's or Postgres's."""
    database = open_database(url)
    query = "SELECT sqlite_version()" if database.file else "SHOW server_version"
    with database.reading() as db:
        version = str(db.execute(text(query)).scalar_one())
    database.close()
    return version


def _worker(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, str(Path(__file__)), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603


if __name__ == "__main__":
    {"write": write, "tell": tell}[sys.argv[1]](*sys.argv[2:])
