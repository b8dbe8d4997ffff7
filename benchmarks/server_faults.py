"""An endpoint that fails three times in ten: what clients see, and whether a turn is lost or doubled.

    python benchmarks/server_faults.py --questions 40 --share 0.3

Each fault takes its turn: the endpoint plays it for this share of its requests, drawn by a seed, and answers the
others. Each question goes to a thread of its own with an idempotency key; a client that gets 429 or 5xx sends it once
more. Afterwards each thread is read: a question that was answered must stand there once, one that was not must not.
Spend is read from the ledger: the tokens of the answers that were given, 12 each, and nothing else.
"""

import argparse
import os
import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
from measuring.failing_endpoint import failing
from measuring.report import print_table, provenance, write_json

from adaptive_reasoner.budget import Ledger
from adaptive_reasoner.budget.accounts import day_account
from adaptive_reasoner.server.config import load_settings
from adaptive_reasoner.server.in_thread import serving

# A fault of streams is played to a client that streams.
_STREAMED = "stream_reset"
FAULTS = ("429", "500", "hang", "reset", _STREAMED, "truncated", "bad_logprobs", "no_logprobs")
_AT_ONCE = 4
_PATIENCE_SECONDS = 60.0


def measure(fault: str, arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """One fault: what the clients saw, and what is kept."""
    chance = random.Random(f"{arguments.seed} {fault}")
    drawn = [chance.random() < arguments.share for _ in range(100_000)]
    given: Counter[str] = Counter()

    def play(number: int) -> str:
        word = fault.removeprefix("stream_") if drawn[number] else "ok"
        given[word] += 1
        return word

    ledger = f"{folder}/{fault}.sqlite"
    with failing(play) as upstream:
        sections: dict[str, dict[str, Any]] = {
            "server": {"port": 0},
            "models": {"fast": "m", "base_url": upstream.base_url},
            "policy": {
                "ledger": ledger,
                "budgets": [{"max_tokens": 10**9, "per": "day"}],
                "model_timeout_seconds": arguments.timeout,
            },
            "upstream": {"attempt_seconds": arguments.timeout / 4},
        }
        with (
            serving(load_settings(environment={}, given=sections)) as server,
            httpx.Client(base_url=server.url, timeout=_PATIENCE_SECONDS) as http,
        ):
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                seen = list(pool.map(lambda number: _ask(http, number, fault), range(arguments.questions)))
            kept = [_kept(http, number) for number in range(arguments.questions)]
    return {"fault": fault, **_summed(seen, kept), **_spend(ledger), "endpoint_gave": dict(given)}


def _ask(http: httpx.Client, number: int, fault: str) -> list[int]:
    """The statuses that one client saw; it tries twice. A stream that ends with an error counts as 502."""
    body: dict[str, Any] = {
        "model": "fast",
        "messages": [{"role": "user", "content": f"Question {number}"}],
        "adaptive_reasoning": {"thread_id": f"t{number}"},
    }
    if fault == _STREAMED:
        body |= {"stream": True, "adaptive_reasoning": {"thread_id": f"t{number}", "drafts": True}}
    statuses: list[int] = []
    for _ in range(2):
        answer = http.post("/v1/chat/completions", json=body, headers={"idempotency-key": f"k{number}"})
        is_cut = fault == _STREAMED and answer.status_code == 200 and "[DONE]" not in answer.text
        statuses.append(502 if is_cut else answer.status_code)
        if statuses[-1] < 429:
            break
    return statuses


def _kept(http: httpx.Client, number: int) -> int:
    """Turns in the client's thread."""
    answer = http.get(f"/v1/threads/t{number}")
    messages = answer.json()["messages"] if answer.status_code == 200 else []
    return sum(one["role"] == "assistant" for one in messages)


def _summed(seen: list[list[int]], kept: list[int]) -> dict[str, Any]:
    answered = [statuses[-1] == 200 for statuses in seen]
    return {
        "questions": len(seen),
        "answered_at_once": sum(statuses == [200] for statuses in seen),
        "answered_in_the_end": sum(answered),
        "statuses": dict(Counter(str(status) for statuses in seen for status in statuses)),
        "lost_turns": sum(was and not turns for was, turns in zip(answered, kept, strict=True)),
        "doubled_turns": sum(turns > 1 for turns in kept),
        "phantom_turns": sum(bool(turns) and not was for was, turns in zip(answered, kept, strict=True)),
    }


def _spend(url: str) -> dict[str, Any]:
    ledger = Ledger.open(url)
    standing = ledger.standings([day_account()])[day_account()]
    ledger.close()
    spent, held = standing.settled, standing.held
    return {"calls_counted": spent.model_calls, "tokens_counted": spent.tokens, "still_reserved": held.tokens}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--share", type=float, default=0.3)
    parser.add_argument("--timeout", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        rows = [measure(fault, given, Path(folder)) for fault in FAULTS]
    names = ("answered_at_once", "answered_in_the_end", "lost_turns", "doubled_turns", "phantom_turns")
    header = ("fault", "questions", *(name.replace("_", " ") for name in names), "what clients saw")
    print_table(
        header,
        [
            (row["fault"], *(str(row[name]) for name in ("questions", *names)), str(row["statuses"]))
            for row in rows
        ],
    )
    write_json(
        "server_faults",
        {**provenance("server_faults.py", vars(given)), "load_average": os.getloadavg(), "rows": rows},
    )


if __name__ == "__main__":
    main()
