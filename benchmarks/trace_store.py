"""Is the trace store quick, whole and small? A million runs, sixteen writers, kill -9, over SQLite and Postgres.

    OMP_NUM_THREADS=1 python benchmarks/trace_store.py --records 1000000 --postgres-records 1000000

The records are those of the embedded model's runs on made-up problems, with ids, threads and times of their own. A
run is acknowledged when `record` returns; it is stored when it is in the database. For the report's time a store with
fewer records than `--report-runs` is filled up with copies of its rows. Postgres needs the dependency group
`postgres`, and is left out, and said so, without it. A million records take about 3 GB of disk for each database.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from measuring.databases import databases
from measuring.report import Progress, print_table, provenance, write_json
from measuring.stored_runs import (
    ReportJson,
    as_fast_as_it_goes,
    fill_up,
    in_processes,
    paced,
    real_runs,
    report_seconds,
    survives_kills,
    version_of,
)

POOL = 300  # runs that the records are made from


def measure_database(kind: str, make: Callable[[str], str], options: argparse.Namespace) -> ReportJson:
    """Everything over one kind of database, each part in an empty one."""
    progress, runs = Progress(kind, 5), real_runs(POOL, seed=options.seed)
    result: ReportJson = {"version": version_of(make("version"))}
    result["paced"] = paced(make("paced"), runs, options.a_second, options.seconds)
    progress(1)
    many, count = make("many"), options.records if kind == "sqlite" else options.postgres_records
    result["many"] = as_fast_as_it_goes(many, runs, count, options.labelled)
    progress(2)
    with TemporaryDirectory() as folder:
        page = str(Path(folder) / "report.html")
        command = [sys.executable, "-m", "adaptive_reasoner", "traces", "report", many, "--html", page]
        result["report"] = {**fill_up(many, options.report_runs), **report_seconds(many, command)}
    progress(3)
    result["writers"] = in_processes(make("writers"), options.writers, options.each)
    progress(4)
    result["kill_9"] = survives_kills(make("kills"), options.kills, options.seed)
    progress(5)
    return result


def show(results: dict[str, ReportJson]) -> None:
    print("\none run at a time, and as fast as it goes (goal: p50 of recording at most 1 ms)")
    header = [
        "database",
        "way",
        "runs",
        "p50 ms",
        "p99 ms",
        "acknowledged/s",
        "stored/s",
        "bytes a run",
        "GB",
    ]
    rows: list[list[str]] = []
    for kind, result in results.items():
        one, many = result["paced"], result["many"]
        latency = (f"{one['p50_ms']:.2f}", f"{one['p99_ms']:.2f}")
        rows.append([kind, f"{one['runs_a_second']} a second", str(one["calls"]), *latency, "", "", "", ""])
        latency = (f"{many['record']['p50_ms']:.2f}", f"{many['record']['p99_ms']:.2f}")
        rates = (f"{many['acknowledged_a_second']:.0f}", f"{many['stored_a_second']:.0f}")
        size = (f"{many['bytes_a_record']:.0f}", f"{many['gigabytes']:.2f}")
        rows.append([kind, "back to back", str(many["records"]), *latency, *rates, *size])
    print_table(header, rows)
    print("\na report on all of them, in seconds (goal: at most 10)")
    reports = [(kind, result["report"]) for kind, result in results.items()]
    seconds = ("overview_seconds", "overview_cpu_seconds", "command_seconds", "command_cpu_seconds")
    print_table(
        ["database", "runs", "copies", "GB", "overview", "its CPU", "whole command", "its CPU"],
        [
            [
                kind,
                str(one["runs"]),
                str(one["copied"]),
                f"{one['gigabytes']:.2f}",
                *(f"{one[name]:.1f}" for name in seconds),
            ]
            for kind, one in reports
        ],
    )
    print("\nseveral processes at once, and writers killed in the middle (goal: lost 0, doubled 0)")
    names = ("records", "lost", "doubled", "without_figures")
    writers = [
        [kind, *(str(one["writers"][name]) for name in ("writers", *names))] for kind, one in results.items()
    ]
    print_table(["database", "writers", *names], writers)
    names = ("kills", "acknowledged", "kept", "lost", "doubled")
    print_table(
        ["database", *names],
        [[kind, *(str(one["kill_9"][name]) for name in names)] for kind, one in results.items()],
    )


def main(arguments: Sequence[str] | None = None) -> None:
    os.environ.setdefault("LANGSMITH_TRACING", "false")
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--postgres-records", type=int, default=1_000_000)
    parser.add_argument("--report-runs", type=int, default=1_000_000)
    parser.add_argument("--labelled", type=float, default=0.05)
    parser.add_argument("--a-second", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--writers", type=int, default=16)
    parser.add_argument("--each", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    load = os.getloadavg()
    results: dict[str, ReportJson] = {}
    with databases() as kinds, TemporaryDirectory() as state:
        os.environ["XDG_STATE_HOME"] = state  # where the logs of Postgres's stores go
        for kind, make in kinds.items():
            results[kind] = measure_database(kind, make, options)
    show(results)
    machine = {"processors": os.cpu_count(), "load_average_1_5_15_minutes": load}
    if "postgres" not in results:
        machine["postgres"] = "not measured: the dependency group `postgres` is not installed"
    write_json(
        "trace_store", {**provenance("trace_store.py", vars(options)), **machine, "databases": results}
    )


if __name__ == "__main__":
    main()
