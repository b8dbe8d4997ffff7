"""Do replicas over one Postgres share threads and budgets, carry more, and lose nothing where one is killed?

    python benchmarks/replicas.py --processes 1 2 4 --requests 400

Each replica is a process of `adaptive-reasoner serve` with the same `--db` and ledger; the client spreads its requests
over them. Three parts: requests a second of the "adaptive" model by the number of replicas; a daily budget of
`--budget-calls` model calls that all replicas draw on at once; and `kill -9` of one of two replicas while turns of
threads are asked, each sent again with its idempotency key until it is answered. Postgres needs the dependency group
`postgres`. Where the machine has no more cores than replicas, client, upstream and database together need, the ratio
is that of the machine: the load average is part of the result.
"""

import argparse
import asyncio
import json
import os
from collections import Counter
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from measuring.databases import databases
from measuring.report import print_table, provenance, write_json
from measuring.servers import ours, stub
from measuring.stub_upstream import Load, Target, load

Json = dict[str, Any]
QUESTION = {"role": "user", "content": "What is 3 * 7 + 5?"}
# Until another replica has started or the balancer has taken the dead one out.
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Bed:
    """What every part needs: an upstream and a folder."""

    upstream: str
    folder: Path

    @contextmanager
    def replicas(self, count: int, url: str, policy: dict[str, str] | None = None) -> Generator[list[Any]]:
        """So many servers over one database; gives (base URL, process) of each."""
        with ExitStack() as stack:
            started = [
                stack.enter_context(ours(self.upstream, self.folder, db=url, environment=policy))
                for _ in range(count)
            ]
            yield started


async def spread(urls: list[str], clients: int, requests: int) -> Load:
    """The same load on all replicas at once."""
    share, each = max(1, clients // len(urls)), requests // len(urls)
    loads = await asyncio.gather(*(load(Target(url, "adaptive"), share, each) for url in urls))
    seconds = [one for part in loads for one in part.seconds]
    statuses: Counter[int] = Counter()
    for part in loads:
        statuses.update(part.statuses)
    return Load(seconds, dict(statuses), max(part.wall for part in loads))


def throughput(bed: Bed, make: Any, options: argparse.Namespace) -> Json:
    """Requests a second by the number of replicas, in turns."""
    rates: dict[int, list[float]] = {count: [] for count in options.processes}
    errors = 0
    url = make("throughput")
    with bed.replicas(max(options.processes), url) as started:
        urls = [base_url for base_url, _ in started]
        asyncio.run(spread(urls, 8, 40))
        for _ in range(options.rounds):
            for count in options.processes:
                seen = asyncio.run(spread(urls[:count], options.clients, options.requests))
                rates[count].append(len(seen.seconds) / seen.wall)
                errors += seen.errors
    first = rates[options.processes[0]]
    ratios = {
        str(count): [one / base for one, base in zip(rate, first, strict=True)]
        for count, rate in rates.items()
    }
    told = {str(count): rate for count, rate in rates.items()}
    return {"requests_a_second": told, "ratio_by_round": ratios, "errors": errors}


def budget(bed: Bed, make: Any, options: argparse.Namespace) -> Json:
    """How many calls come through a daily budget that all replicas draw on."""
    url = make("budget")
    policy = {
        "ADAPTIVE_REASONER_POLICY_LEDGER": url,
        "ADAPTIVE_REASONER_POLICY_BUDGETS": json.dumps(
            [{"max_model_calls": options.budget_calls, "per": "day"}]
        ),
    }
    result: Json = {"max_model_calls": options.budget_calls}
    with bed.replicas(max(options.processes), url, policy) as started:
        seen = asyncio.run(spread([base_url for base_url, _ in started], 32, 2 * options.budget_calls))
    result["replicas"] = max(options.processes)
    return {**result, "statuses": {str(status): count for status, count in sorted(seen.statuses.items())}}


async def turns(urls: list[str], threads: int, each: int, kill: Any) -> Counter[str]:
    """Ask `each` turns of every thread, again and elsewhere where one fails; what the client saw, counted."""
    seen: Counter[str] = Counter()
    answered = 0

    async def turn(client: httpx.AsyncClient, thread: int, place: int) -> None:
        nonlocal answered
        text = {"role": "user", "content": f"{QUESTION['content']} ({place})"}
        body = {"model": "adaptive", "messages": [text], "metadata": {"thread_id": f"t{thread}"}}
        headers = {"idempotency-key": f"{thread}-{place}"}
        for attempt in range(int(PATIENCE_SECONDS / 0.2)):
            url = urls[(thread + attempt) % len(urls)]
            try:
                reply = await client.post(f"{url}/chat/completions", json=body, headers=headers)
            except httpx.HTTPError as error:
                seen[type(error).__name__] += 1
            else:
                seen[str(reply.status_code)] += 1
                if reply.status_code == 200:
                    break
            await asyncio.sleep(0.2)
        answered += 1
        if answered == threads * each // 3:
            kill()

    async def thread(client: httpx.AsyncClient, number: int) -> None:
        for place in range(each):
            await turn(client, number, place)

    async with httpx.AsyncClient(timeout=60) as client:
        await asyncio.gather(*(thread(client, number) for number in range(threads)))
    return seen


def kill_one(bed: Bed, make: Any, options: argparse.Namespace) -> Json:
    """Turns that are lost or doubled where one of two replicas dies under load."""
    url = make("killed")
    with bed.replicas(2, url) as started:
        urls = [base_url for base_url, _ in started]
        seen = asyncio.run(turns(urls, options.threads, options.turns, started[0][1].kill))
        lost = doubled = disordered = 0
        for number in range(options.threads):
            kept = httpx.get(f"{urls[1]}/threads/t{number}", timeout=60).json()["messages"]
            asked = [one["content"] for one in kept if one["role"] == "user"]
            wanted = [f"{QUESTION['content']} ({place})" for place in range(options.turns)]
            counts = Counter(asked)
            lost += sum(text not in counts for text in wanted)
            doubled += sum(count - 1 for count in counts.values())
            disordered += asked != wanted
    asked_in_all = options.threads * options.turns
    told = {"turns": asked_in_all, "lost": lost, "doubled": doubled, "threads_out_of_order": disordered}
    return {**told, "client_saw": dict(seen)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Replicas over one Postgres.")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--requests", type=int, default=400, help="of each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--budget-calls", type=int, default=100)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--delay", type=float, default=0.05, help="of the upstream, seconds")
    options = parser.parse_args()
    with databases() as kinds, TemporaryDirectory() as place, ExitStack() as stack:
        if "postgres" not in kinds:
            raise SystemExit("Postgres is not installed: the dependency group `postgres` brings it.")
        bed = Bed(stack.enter_context(stub(options.delay, Path(place))), Path(place))
        make = kinds["postgres"]
        told = {**vars(options), "processes": " ".join(map(str, options.processes))}
        content: Json = {**provenance("replicas.py", told), "cpus": os.cpu_count()}
        content["load_average_before"] = os.getloadavg()[0]
        content["killed"] = kill_one(bed, make, options)
        print(f"kill -9: {content['killed']}")
        content["budget"] = budget(bed, make, options)
        print(f"budget: {content['budget']}")
        content["throughput"] = throughput(bed, make, options)
        content["load_average_after"] = os.getloadavg()[0]
    rates, ratios = content["throughput"]["requests_a_second"], content["throughput"]["ratio_by_round"]
    rows = [
        [
            count,
            *(f"{rate:.1f}" for rate in rates[count]),
            f"{sorted(ratios[count])[len(ratios[count]) // 2]:.2f}",
        ]
        for count in rates
    ]
    print_table(
        ["replicas", *(f"round {place + 1}" for place in range(options.rounds)), "median ratio"], rows
    )
    write_json("replicas", content)


if __name__ == "__main__":
    main()
