"""The server's API, tried with whatever its own OpenAPI document allows and forbids: no answer may be a 5xx.

    python benchmarks/api_fuzz.py --requests 20000 --processes 2

schemathesis makes requests from `/openapi.json`: half of them keep to it, half break it in one place. Most go to chat
completions, where three in four name a model that is served, so that they reach the loop and not only its door. The
model is scripted and sure. Every failure must have the shape of OpenAI's errors, too.
"""

import argparse
import math
import os
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import httpx
from hypothesis import HealthCheck, Phase, given, seed, settings
from measuring.report import print_table, provenance, write_json

from adaptive_reasoner.server.config import load_settings
from adaptive_reasoner.server.in_thread import serving
from adaptive_reasoner.server.running import ServedModels
from adaptive_reasoner.testing import Reply, ScriptedChatModel

CHAT = "/v1/chat/completions"
_SERVED = ("adaptive", "fast", "deep")
# Of all requests, those that go to chat completions.
_CHAT_SHARE = 0.9
_PATIENCE_SECONDS = 60.0
# Requests to chat completions that keep to the document, before as many that do not.
_CHUNK = 100
Counts = Counter[tuple[str, str, str, int]]


def fuzz(requests: int, number: int, seconds: float = math.inf) -> tuple[Counts, list[dict[str, Any]]]:
    """Ask a fresh server.

    Returns:
        How often (mode, method, path, status) came, and every answer that may not be: a 5xx, or a failure in another
        shape than OpenAI's.
    """
    counts: Counts = Counter()
    wrong: list[dict[str, Any]] = []
    model = ScriptedChatModel([Reply(text="Answer: 12", probability=0.999)], cycle=True)
    own = load_settings(environment={}, given={"server": {"port": 0}})
    with (
        serving(own, models=ServedModels(model)) as server,
        httpx.Client(base_url=server.url, timeout=_PATIENCE_SECONDS) as http,
    ):
        document = http.get("/openapi.json").json()
        until, strategies = time.monotonic() + seconds, {}
        for step, (mode, operation, share) in enumerate(_plan(document, requests)):
            if time.monotonic() > until:
                break
            kept = strategies.setdefault((mode, operation.label), _strategy(operation, mode))
            _try(http, (mode, operation, kept), share, number * 10**6 + step * 100, counts, wrong)
    return counts, wrong


def _plan(document: dict[str, Any], requests: int) -> Iterator[tuple[str, Any, int]]:
    import schemathesis

    found = [one.ok() for one in schemathesis.openapi.from_dict(document).get_all_operations()]
    chat = [one for one in found if one.path == CHAT]
    others = [one for one in found if one.path != CHAT]
    for mode in ("positive", "negative"):
        for operation in others:
            yield mode, operation, max(1, int(requests * (1 - _CHAT_SHARE) / len(others) / 2))
    for _ in range(-(-int(requests * _CHAT_SHARE / 2) // _CHUNK)):
        for mode in ("positive", "negative"):
            for operation in chat:
                yield mode, operation, _CHUNK


def _strategy(operation: Any, mode: str) -> Any:
    from schemathesis import GenerationMode

    return operation.as_strategy(generation_mode=GenerationMode(mode))


def _try(
    http: httpx.Client,
    what: tuple[str, Any, Any],
    share: int,
    number: int,
    counts: Counts,
    wrong: list[dict[str, Any]],
) -> None:
    """`share` requests to one operation; hypothesis stops sooner where it knows no more, so it is asked again."""
    mode, operation, strategy = what
    done, round_, chance = 0, 0, random.Random(number)

    def ask(case: Any) -> None:
        nonlocal done
        body = case.body
        if operation.path == CHAT and isinstance(body, dict) and chance.random() < 0.75:
            case.body = {**body, "model": chance.choice(_SERVED)}
        done += 1
        _send(http, case, (mode, operation.method.upper(), operation.path), counts, wrong)

    while done < share and round_ < 50:
        round_ += 1
        how = settings(
            max_examples=min(share - done, 500),
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        before = done
        try:
            seed(number + round_)(how(given(case=strategy)(ask)))()
        except Exception as error:  # a schema that cannot be broken is no failure of the server
            counts[(mode, operation.method.upper(), operation.path, 0)] += 1
            if type(error).__module__.partition(".")[0] not in ("hypothesis", "schemathesis"):
                raise
        if done - before < 5:
            break


def _send(
    http: httpx.Client, case: Any, name: tuple[str, str, str], counts: Counts, wrong: list[dict[str, Any]]
) -> None:
    try:
        answer = http.request(**_request(case))
    except (httpx.LocalProtocolError, httpx.InvalidURL, UnicodeError, ValueError, TypeError):
        counts[(*name, 0)] += 1  # no client can send this
        return
    counts[(*name, answer.status_code)] += 1
    if answer.status_code >= 500 or (answer.status_code >= 400 and not _is_openais(answer)):
        wrong.append(
            {
                "request": case.as_curl_command()[:2000],
                "status": answer.status_code,
                "said": answer.text[:500],
            }
        )


def _request(case: Any) -> dict[str, Any]:
    kwargs = case.as_transport_kwargs(base_url="http://127.0.0.1")
    kwargs["url"] = kwargs["url"].removeprefix("http://127.0.0.1")
    if "data" in kwargs:
        kwargs["content"] = kwargs.pop("data")
    return {name: value for name, value in kwargs.items() if name != "cookies"}


def _is_openais(answer: httpx.Response) -> bool:
    try:
        return isinstance(answer.json()["error"]["message"], str)
    except (ValueError, KeyError, TypeError):
        return False


def _rows(counts: Counts) -> list[dict[str, Any]]:
    rows: dict[tuple[str, str, str], dict[str, int]] = {}
    for (mode, method, path, status), number in sorted(counts.items()):
        kind = "not sendable" if status == 0 else f"{status // 100}xx"
        row = rows.setdefault((mode, method, path), {})
        row[kind] = row.get(kind, 0) + number
    return [{"mode": mode, "route": f"{method} {path}", **row} for (mode, method, path), row in rows.items()]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--seconds", type=float, default=86_400.0, help="stop after this time, whatever is done"
    )
    given_arguments = parser.parse_args(arguments)
    share = -(-given_arguments.requests // given_arguments.processes)
    counts: Counts = Counter()
    wrong: list[dict[str, Any]] = []
    with ProcessPoolExecutor(given_arguments.processes) as pool:
        numbers = range(given_arguments.seed, given_arguments.seed + given_arguments.processes)
        for its_counts, its_wrong in pool.map(
            fuzz,
            [share] * given_arguments.processes,
            numbers,
            [given_arguments.seconds] * given_arguments.processes,
        ):
            counts += its_counts
            wrong += its_wrong
    rows = _rows(counts)
    kinds = ("2xx", "4xx", "5xx", "not sendable")
    print_table(
        ("route", *kinds),
        [(f"{row['mode']} {row['route']}", *(str(row.get(k, 0)) for k in kinds)) for row in rows],
    )
    by_status: Counter[str] = Counter()
    for key, number in counts.items():
        by_status[str(key[3] or "not sendable")] += number
    sent = sum(number for key, number in counts.items() if key[3])
    failed = sum(number for key, number in counts.items() if key[3] >= 500)
    print(f"\n{sent} requests, {failed} answers 5xx, {len(wrong)} wrong answers")
    write_json(
        "api_fuzz",
        {
            **provenance("api_fuzz.py", vars(given_arguments)),
            "load_average": os.getloadavg(),
            "requests": sent,
            "server_errors": failed,
            "wrong": wrong[:20],
            "by_route": rows,
            "by_status": by_status,
        },
    )


if __name__ == "__main__":
    main()
