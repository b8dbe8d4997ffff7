"""Do shared budgets hold? Concurrent requests, several processes, kill -9 and restart, and what the ledger costs.

    OMP_NUM_THREADS=1 python benchmarks/budget.py --requests 200 --tasks 20 --processes 4

All requests go through the real graph against one tenant's budget, over SQLite and over Postgres (of the
dependency group `postgres`; left out, and said so, where it is not installed). The model is scripted: it takes 10 to
30 ms and 10 + 5 to 10 + 40 tokens, of at most 60 that it may write, so that the worst case is far from what is spent.
Each claim is checked on the sum of what the reports say against what the ledger counts.
"""

import argparse
import os
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from measuring.databases import databases
from measuring.report import Progress, print_table, provenance, write_json
from measuring.shared_budget import TENANT, ReportJson, in_one_process, in_processes, survives_kills

from adaptive_reasoner import Budget, EmbeddedChatModel, ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.budget import Ledger

OVERHEAD_QUESTION = "What is 12 + 30?"


def overhead(url: str, rounds: int) -> ReportJson:
    """The embedded model's call through the graph, with a tenant's budget, a query's and none, in turns."""
    ledger, model = Ledger.open(url), EmbeddedChatModel()
    budgets = {
        "none": (),
        "query": (Budget(max_tokens=10**6),),
        "tenant": (Budget(max_tokens=10**9, per="tenant"),),
    }
    graphs = {
        name: build_reasoning_graph(model, config=ReasonerConfig(triage="off", budget=budget, ledger=ledger))
        for name, budget in budgets.items()
    }
    question: Any = {"messages": OVERHEAD_QUESTION}
    context: Any = {"tenant": TENANT}
    runs: dict[str, Callable[[], Any]] = {
        name: (lambda graph=graph: graph.invoke(question, context=context)) for name, graph in graphs.items()
    }
    runs["model alone"] = lambda: model.invoke(OVERHEAD_QUESTION, logprobs=True, top_logprobs=20)
    times: dict[str, list[float]] = {name: [] for name in runs}
    for index in range(-5, rounds):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            if index >= 0:
                times[name].append((time.perf_counter() - started) * 1e3)
    ledger.close()
    return compared({name: np.array(values) for name, values in times.items()})


def compared(times: dict[str, np.ndarray]) -> ReportJson:
    """Medians in ms, and what a tenant's budget adds, with its 95 % interval over resampled rounds."""
    added = times["tenant"] - times["none"]
    rows = np.random.default_rng(0).integers(0, len(added), (2000, len(added)))
    resampled = np.median(added[rows], axis=1)
    alone = float(np.median(times["model alone"]))
    return {
        "rounds": len(added),
        "median_ms": {name: float(np.median(values)) for name, values in times.items()},
        "ledger_adds_ms": float(np.median(added)),
        "ledger_adds_ms_interval": np.quantile(resampled, [0.025, 0.975]).tolist(),
        "ledger_adds_as_share_of_model_call": float(np.median(added)) / alone,
    }


def measure(options: argparse.Namespace) -> dict[str, ReportJson]:
    results: dict[str, ReportJson] = {}
    with databases() as kinds:
        for kind, make in kinds.items():
            results[kind] = measure_database(kind, make, options)
    return results


def measure_database(kind: str, make: Callable[[str], str], options: argparse.Namespace) -> ReportJson:
    """Everything over one kind of database, each run in an empty one."""
    progress, result = Progress(kind, 2 * options.repeats + 2), {"one_process": [], "processes": []}
    for n in range(options.repeats):
        result["one_process"].append(in_one_process(make(f"one_{n}"), options.requests, options.tasks))
        progress(2 * n + 1)
        url = make(f"several_{n}")
        result["processes"].append(in_processes(url, options.requests, options.tasks, options.processes))
        progress(2 * n + 2)
    kills = survives_kills(make("kills"), options.kills)
    progress(2 * options.repeats + 1)
    times = overhead(make("overhead"), options.rounds)
    progress(2 * options.repeats + 2)
    return {**result, "kill_9": kills, "overhead": times}


def show(results: dict[str, ReportJson]) -> None:
    header = [
        "database",
        "processes",
        "requests",
        "limit",
        "counted",
        "overspend",
        "miscounted",
        "left",
        "seconds",
    ]
    rows: list[list[str]] = []
    for kind, result in results.items():
        for row in [*result["one_process"], *result["processes"]]:
            numbers = (row[key] for key in ("requests", "limit_tokens", "counted_tokens", "overspend_tokens"))
            rest = (str(row["miscounted_tokens"]), str(row["left_tokens"]), f"{row['seconds']:.1f}")
            rows.append([kind, str(row.get("processes", 1)), *map(str, numbers), *rest])
    print("\nconcurrent requests against one tenant's budget, in tokens (goal: overspend 0, miscounted 0)")
    print_table(header, rows)
    print("\nkill -9 in the middle of a call, then a restart (goal: none lost, none miscounted)")
    kills = [(kind, result["kill_9"]) for kind, result in results.items()]
    print_table(
        ["database", "kills", "lost after the kill", "miscounted after the restart"],
        [
            [kind, *(str(one[key]) for key in ("kills", "lost_after_kill", "miscounted_after_restart"))]
            for kind, one in kills
        ],
    )
    print("\none question to the embedded model, median ms")
    header = [
        "database",
        "model alone",
        "no budget",
        "per query",
        "per tenant",
        "ledger adds",
        "95 %",
        "of the model's call",
    ]
    rows = []
    for kind, result in results.items():
        one, median = result["overhead"], result["overhead"]["median_ms"]
        times = (f"{median[name]:.1f}" for name in ("model alone", "none", "query", "tenant"))
        added = f"{one['ledger_adds_ms']:.1f}", "{:.1f}-{:.1f}".format(*one["ledger_adds_ms_interval"])
        rows.append([kind, *times, *added, f"{one['ledger_adds_as_share_of_model_call']:.0%}"])
    print_table(header, rows)


def main(arguments: Sequence[str] | None = None) -> None:
    os.environ.setdefault("LANGSMITH_TRACING", "false")
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--tasks", type=int, default=20)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=100)
    options = parser.parse_args(arguments)
    if find_spec("langgraph.checkpoint.sqlite") is None:
        raise SystemExit('The kill needs a checkpointer: pip install "adaptive-reasoner[sqlite]".')
    load = os.getloadavg()
    results = measure(options)
    show(results)
    machine = {"processors": os.cpu_count(), "load_average_1_5_15_minutes": load}
    if "postgres" not in results:
        machine["postgres"] = "not measured: the dependency group `postgres` is not installed"
    write_json("budget", {**provenance("budget.py", vars(options)), **machine, "databases": results})


if __name__ == "__main__":
    main()
