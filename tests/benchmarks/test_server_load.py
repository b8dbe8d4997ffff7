"""The load benchmark's own parts: a stub upstream that keeps its time, a client that counts, and what is added."""

import asyncio
import json

import pytest
from measuring.stub_upstream import ANSWER, Load, Target, completion, load, upstream

server_load = pytest.importorskip("server_load", reason="needs scipy")


async def test_each_request_is_counted_and_takes_the_upstreams_time():
    server = await asyncio.start_server(upstream(0.02), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        seen = await load(Target(f"http://127.0.0.1:{port}/v1", "stub"), clients=3, requests=10)
    assert seen.statuses == {200: 10}
    assert seen.errors == 0
    assert min(seen.seconds) >= 0.02


async def test_a_connection_that_nobody_takes_is_an_error():
    seen = await load(Target("http://127.0.0.1:9/v1", "stub"), clients=2, requests=4)
    assert (seen.statuses, seen.errors, seen.seconds) == ({0: 4}, 4, [])


def test_log_probabilities_come_where_they_are_asked_for():
    (choice,) = json.loads(completion("stub", with_logprobs=True))["choices"]
    assert "".join(entry["token"] for entry in choice["logprobs"]["content"]) == ANSWER
    assert json.loads(completion("stub", with_logprobs=False))["choices"][0]["logprobs"] is None


def test_what_is_added_is_the_median_over_rounds():
    alone = [Load([0.05, 0.05], {200: 2}, 0.1) for _ in range(3)]
    loads = [Load([seconds, seconds], {200: 2}, 0.2) for seconds in (0.06, 0.07, 0.14)]
    row = server_load.summary(loads, alone)
    assert row["added_p50_ms"] == pytest.approx(20)
    assert row["added_p50_ms_by_round"] == pytest.approx([10, 20, 90])
    assert row["requests_a_second"] == pytest.approx(10)
    assert (row["n"], row["errors"]) == (6, 0)
