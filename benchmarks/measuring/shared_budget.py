"""Requests against one tenant's budget: in one process, in several, and through kill -9 and a restart.

A worker is this file run as a program; what it reports, its last two words, is the tokens and calls that it took.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from adaptive_reasoner import Budget, ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.budget import Ledger
from adaptive_reasoner.testing import Reply, ScriptedChatModel

TENANT = "acme"
ACCOUNT = f"tenant:{TENANT}"
INPUT_TOKENS, MOST_OUTPUT_TOKENS = 10, 60
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
            given = {"messages": f"Question {number:05}?"}  # no shorter than the INPUT_TOKENS that it reports
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
    command = [sys.executable, str(Path(__file__)), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603


if __name__ == "__main__":
    {"share": share, "turn": turn}[sys.argv[1]](*sys.argv[2:])
