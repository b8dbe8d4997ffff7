"""The server's API, tried with whatever its own OpenAPI document allows and forbids: no answer may be a 5xx.

    python benchmarks/api_fuzz.py --requests 20800 --processes 2

Requests are made from `/openapi.json` in four ways. "conforming" keep to it; ids, names and the last messages in them
are at times those that the server or the document gave. "broken" break it in one place. "torn" are bytes that are no
JSON, or odd JSON. "schemathesis" are that program's own, a share of them only, since some take it seconds. Most go to
chat completions. The model is scripted: mostly sure, at times in doubt, so that answers wait for reviews, at times
calling tools. Every failure must have the shape of OpenAI's errors, too.
"""

import argparse
import copy
import json
import math
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
from measuring.report import print_table, provenance, write_json
from measuring.schema_cases import Cases

from adaptive_reasoner.server.config import load_settings
from adaptive_reasoner.server.in_thread import serving
from adaptive_reasoner.server.questions import ServedModels
from adaptive_reasoner.testing import Reply, ScriptedChatModel

CHAT = "/v1/chat/completions"
_PATIENCE_SECONDS = 60.0
# Of requests that schemathesis does not make: the ways, and of the first two those that go to chat completions.
_WAYS, _WEIGHTS, _CHAT_SHARE = ("conforming", "broken", "torn"), (0.6, 0.33, 0.07), 0.85
# Where time is limited, so much of it is for what schemathesis does not make; of that program, so many at once.
_OWN_TIME, _BATCH = 0.8, 10
Counts = Counter[tuple[str, str, str, int]]


@dataclass
class Known:
    """What the server gave so far: ids that later requests name."""

    review_id: list[str] = field(default_factory=list)
    thread_id: list[str] = field(default_factory=lambda: [f"t{number}" for number in range(20)])
    name: list[str] = field(default_factory=lambda: ["adaptive", "fast", "deep"])
    messages: list[list[Any]] = field(default_factory=list[list[Any]])


@dataclass
class Seen:
    """What came: how often (way, method, path, status), and every answer that may not be."""

    counts: Counts = field(default_factory=Counter)
    wrong: list[dict[str, Any]] = field(default_factory=list)


def fuzz(
    requests: int, number: int, seconds: float = math.inf, schemathesis_share: float = 0.08
) -> tuple[Counts, list[dict[str, Any]]]:
    """Ask a fresh server.

    Returns:
        How often (way, method, path, status) came, and every answer that may not be: a 5xx, or a failure in another
        shape than OpenAI's.
    """
    seen, chance = Seen(), random.Random(number)
    own = load_settings(environment={}, given={"server": {"port": 0}, "policy": {"review": "low_confidence"}})
    with (
        serving(own, models=ServedModels(_model(chance))) as server,
        httpx.Client(base_url=server.url, timeout=_PATIENCE_SECONDS) as http,
    ):
        document = http.get("/openapi.json").json()
        ours = round(requests * (1 - schemathesis_share))
        begun = time.monotonic()
        _own_cases(http, document, ours, chance, seen, begun + _OWN_TIME * seconds)
        _schemathesis_cases(http, document, (requests - ours, number), seen, begun + seconds)
    return seen.counts, seen.wrong


def _model(chance: random.Random) -> ScriptedChatModel:
    def reply(call: Any) -> Reply:
        tools = call.kwargs.get("tools")
        if tools and chance.random() < 0.5:
            name = tools[0]["function"]["name"]
            return Reply(tool_calls=[{"name": name, "args": {"city": "Bonn"}}], probability=0.99)
        return Reply(text="Answer: 12", probability=chance.choice((0.999, 0.999, 0.999, 0.4)))

    return ScriptedChatModel([reply], cycle=True)


def _own_cases(
    http: httpx.Client, document: Any, requests: int, chance: random.Random, seen: Seen, until: float
) -> None:
    examples = document["components"]["schemas"]["ChatCompletionRequest"]["examples"]
    cases, known = Cases(document, chance), Known(messages=[one["messages"] for one in examples])
    operations = [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    others = [one for one in operations if one[1] != CHAT]
    chat = next(one for one in operations if one[1] == CHAT)
    for number in range(requests):
        if time.monotonic() > until:
            return
        if number % 50 == 0:
            known.review_id = [one["id"] for one in http.get("/v1/reviews?status=all").json()["data"]]
        (way,) = chance.choices(_WAYS, _WEIGHTS)
        method, path, operation = (
            chat if way == "torn" or chance.random() < _CHAT_SHARE else chance.choice(others)
        )
        request = _request(cases, (path, operation), way, known, chance)
        _send(http, {"method": method.upper(), **request}, (way, method.upper(), path), seen)


def _request(
    cases: Cases, what: tuple[str, Any], way: str, known: Known, chance: random.Random
) -> dict[str, Any]:
    """The arguments of one request."""
    path, operation = what
    query: dict[str, Any] = {}
    for one in operation.get("parameters", ()):
        ids = getattr(known, one["name"], [])
        value = chance.choice(ids) if ids and chance.random() < 0.8 else cases.conforming(one["schema"])
        if way == "broken" and "requestBody" not in operation:
            value = cases.broken({"type": "string"})
        if one["in"] == "path":
            path = path.replace(
                "{" + one["name"] + "}", httpx.URL("/", params={"x": str(value)}).query[2:].decode()
            )
        elif chance.random() < 0.5:
            query[one["name"]] = value
    request: dict[str, Any] = {"url": path, "params": query}
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        body = cases.broken(schema) if way == "broken" else cases.conforming(schema)
        if path == CHAT and isinstance(body, dict):
            _name_known(body, known, chance)
        raw = json.dumps(body).encode()
        request["content"] = _torn(raw, chance) if way == "torn" else raw
        request["headers"] = {"content-type": "application/json", **_headers(chance)}
    return request


def _name_known(body: dict[str, Any], known: Known, chance: random.Random) -> None:
    """What a schema cannot say: which names there are, and that a conversation ends with a question."""
    if isinstance(body.get("messages"), list) and chance.random() < 0.7:
        body["messages"] += copy.deepcopy(chance.choice(known.messages))
    choice = body.get("tool_choice")
    offered = body.get("tools")
    tools = [one for one in offered if isinstance(one, dict)] if isinstance(offered, list) else []
    if isinstance(choice, dict) and tools:
        body["tool_choice"] = {"type": "function", "function": chance.choice(tools).get("function")}
    if isinstance(body.get("model"), str):
        body["model"] = chance.choice(known.name)
    wishes = body.get("adaptive_reasoning")
    if isinstance(wishes, dict) and "thread_id" in wishes and chance.random() < 0.7:
        wishes["thread_id"] = chance.choice(known.thread_id)


def _headers(chance: random.Random) -> dict[str, str]:
    headers: dict[str, str] = {}
    if chance.random() < 0.1:
        headers["idempotency-key"] = f"k{chance.randint(0, 300)}"
    if chance.random() < 0.05:
        headers["x-thread-id"] = chance.choice(("t1", "t2", "a/b", "", "x" * 500))
    return headers


def _torn(raw: bytes, chance: random.Random) -> bytes:
    """No JSON, or such as few clients send."""
    deep = b'{"model":"fast","messages":' + b"[" * 20_000
    named = b'{"model":"fast","messages":[{"role":"user","content":%s}]%s}'
    return chance.choice((
        raw[: chance.randint(0, len(raw))], raw + b"}", b"\xff\xfe" + raw, raw.decode().encode("utf-16"), deep, b"",
        named % (b'"\\ud800"', b""), named % (b'"\\u0000"', b""), named % (b'"x"', b',"temperature":1e999'),
        named % (b'"x"', b',"temperature":NaN'), named % (b'"x"', b',"seed":' + b"9" * 5000),
        named % (b'"x"', b',"model":"deep"'), b"null", b"[]", b'"x"', b"1" * 10_000,
    ))  # fmt: skip


def _schemathesis_cases(
    http: httpx.Client, document: Any, amount: tuple[int, int], seen: Seen, until: float
) -> None:
    """`amount`: how many, and the seed."""
    if not (requests := amount[0]):
        return
    import schemathesis
    from schemathesis import GenerationMode

    found = [one.ok() for one in schemathesis.openapi.from_dict(document).get_all_operations()]
    for operation in sorted(found, key=lambda one: one.path != CHAT):
        share = 0.7 if operation.path == CHAT else 0.3 / (len(found) - 1)
        for mode in GenerationMode:
            # What has no parameters cannot be broken, and filters for minutes until it says so.
            if mode is GenerationMode.NEGATIVE and operation.path != CHAT:
                continue
            name = (f"schemathesis {mode.value}", operation.method.upper(), operation.path)
            strategy = operation.as_strategy(generation_mode=mode)

            for batch in range(math.ceil(requests * share / 2 / _BATCH)):
                if time.monotonic() < until:
                    _draw(strategy, partial(_send_case, http, name, seen), amount[1] * 1000 + batch)


def _send_case(http: httpx.Client, name: tuple[str, str, str], seen: Seen, case: Any) -> None:
    _send(http, _sendable(case), name, seen)


def _draw(strategy: Any, ask: Callable[[Any], None], number: int) -> None:
    from hypothesis import HealthCheck, Phase, given, seed, settings

    how = settings(
        max_examples=_BATCH,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    def test(case: Any) -> None:
        ask(case)

    seed(number)(how(given(case=strategy)(test)))()


def _sendable(case: Any) -> dict[str, Any]:
    kwargs = case.as_transport_kwargs(base_url="http://127.0.0.1")
    kwargs["url"] = kwargs["url"].removeprefix("http://127.0.0.1")
    if "data" in kwargs:
        kwargs["content"] = kwargs.pop("data")
    return {name: value for name, value in kwargs.items() if name != "cookies"}


def _send(http: httpx.Client, request: dict[str, Any], name: tuple[str, str, str], seen: Seen) -> None:
    try:
        answer = http.request(**request)
    except (httpx.LocalProtocolError, httpx.InvalidURL, UnicodeError, ValueError, TypeError):
        seen.counts[(*name, 0)] += 1  # no client can send this
        return
    except httpx.TransportError as error:
        seen.counts[(*name, 599)] += 1  # no answer is as bad as a wrong one
        seen.wrong.append({"request": _shown(request), "status": 599, "said": repr(error)})
        return
    seen.counts[(*name, answer.status_code)] += 1
    if answer.status_code >= 500 or (answer.status_code >= 400 and not _is_openais(answer)):
        shown = _shown(request)
        seen.wrong.append({"request": shown, "status": answer.status_code, "said": answer.text[:500]})


def _shown(request: dict[str, Any]) -> dict[str, str]:
    return {key: repr(value)[:2000] for key, value in request.items()}


def _is_openais(answer: httpx.Response) -> bool:
    try:
        return isinstance(answer.json()["error"]["message"], str)
    except (ValueError, KeyError, TypeError):
        return False


def _kind(status: int) -> str:
    return "not sendable" if status == 0 else f"{status // 100}xx"


def _rows(counts: Counts) -> Iterator[dict[str, Any]]:
    rows: dict[tuple[str, str, str], Counter[str]] = {}
    for (way, method, path, status), number in sorted(counts.items()):
        rows.setdefault((way, method, path), Counter())[_kind(status)] += number
    for (way, method, path), row in rows.items():
        yield {"way": way, "route": f"{method} {path}", **row}


def _summed(counts: Counts) -> dict[str, Any]:
    by_status, by_kind, by_way = Counter[str](), Counter[str](), Counter[str]()
    for (way, _, _, status), number in counts.items():
        by_status[str(status or "not sendable")] += number
        by_kind[_kind(status)] += number
        by_way[way] += number
    sent = sum(by_kind.values()) - by_kind["not sendable"]
    shares = {kind: round(number / sent, 4) for kind, number in by_kind.items() if kind != "not sendable"}
    return {
        "requests": sent,
        "server_errors": by_kind["5xx"],
        "share_by_class": shares,
        "by_status": dict(sorted(by_status.items())),
        "by_way": dict(by_way),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=20_800)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--schemathesis-share", type=float, default=0.08, help="of the requests")
    parser.add_argument("--seconds", type=float, default=86_400.0, help="stop after this time, in any case")
    given = parser.parse_args(arguments)
    count = -(-given.requests // given.processes)
    seen = Seen()
    with ProcessPoolExecutor(given.processes) as pool:
        tasks = [
            pool.submit(fuzz, count, given.seed + place, given.seconds, given.schemathesis_share)
            for place in range(given.processes)
        ]
        for task in tasks:
            counts, wrong = task.result()
            seen.counts += counts
            seen.wrong += wrong
    rows, summed = list(_rows(seen.counts)), _summed(seen.counts)
    kinds = ("2xx", "4xx", "5xx", "not sendable")
    print_table(
        ("route", *kinds),
        [(f"{row['way']} {row['route']}", *(str(row.get(k, 0)) for k in kinds)) for row in rows],
    )
    print(f"\n{summed['requests']} requests, {summed['share_by_class']}, {len(seen.wrong)} wrong answers")
    write_json(
        "api_fuzz",
        {
            **provenance("api_fuzz.py", vars(given)),
            "load_average": os.getloadavg(),
            **summed,
            "wrong": seen.wrong[:20],
            "by_route": rows,
        },
    )


if __name__ == "__main__":
    main()
