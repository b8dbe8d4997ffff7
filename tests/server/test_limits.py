"""Limits: rates, the queue, sizes, times, tenants' budgets; and how the server stops."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from served import body_of, http_of, served, sure

from adaptive_reasoner.server.errors import BusyError, StoppingError
from adaptive_reasoner.server.limits.buckets import Buckets
from adaptive_reasoner.server.limits.queue import Queue
from adaptive_reasoner.server.security.key_store import KeyStore
from adaptive_reasoner.testing import Reply, ScriptedChatModel

COMPLETIONS = "/v1/chat/completions"


def slow(seconds):
    return ScriptedChatModel([Reply(text="Answer: 12", probability=0.999, delay_seconds=seconds)], cycle=True)


def code_of(answer):
    return answer.status_code, answer.json()["error"]["code"]


def test_a_bucket_fills_evenly():
    now = [0.0]
    buckets = Buckets(clock=lambda: now[0])
    assert buckets.wait_for("a", 2) == 0
    buckets.take("a", 2)
    buckets.take("a", 2)
    assert buckets.wait_for("a", 2) == pytest.approx(30)
    now[0] = 29.0
    assert buckets.wait_for("a", 2) == pytest.approx(1)
    now[0] = 30.0
    assert buckets.wait_for("a", 2) == 0
    assert buckets.wait_for("b", 2) == 0


def test_tokens_that_were_overdrawn_are_waited_for():
    now = [0.0]
    buckets = Buckets(clock=lambda: now[0])
    buckets.take("a", 60, 180)  # a minute's worth was there, so two are owed
    assert buckets.wait_for("a", 60) == pytest.approx(121)


async def test_the_queue_serves_in_order_and_turns_the_rest_away():
    queue, order = Queue(1, 2, 5), []

    async def one(name):
        async with queue.slot():
            order.append(name)
            await asyncio.sleep(0.01)

    tasks = [asyncio.ensure_future(one(name)) for name in "abcd"]
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert order == ["a", "b", "c"]
    assert isinstance(results[3], BusyError)
    assert (queue.in_flight, queue.waiting) == (0, 0)


async def test_whoever_waits_too_long_or_leaves_gives_the_place_back():
    queue = Queue(1, 5, 0.02)
    async with queue.slot():
        with pytest.raises(BusyError, match=r"within 0\.02 seconds"):
            async with queue.slot():
                pass
        queue._wait_seconds = 5
        waiting = asyncio.ensure_future(queue.slot().__aenter__())
        await asyncio.sleep(0)
        assert queue.waiting == 1
        waiting.cancel()
        await asyncio.wait([waiting])
        assert queue.waiting == 0
    assert queue.in_flight == 0


async def test_a_queue_that_stops_sends_the_waiting_away_and_lets_the_others_end():
    queue = Queue(1, 5, 5)
    async with queue.slot():
        waiting = asyncio.ensure_future(queue.slot().__aenter__())
        await asyncio.sleep(0)
        queue.stop()
        with pytest.raises(StoppingError):
            await waiting
        assert queue.in_flight == 1
    with pytest.raises(StoppingError):
        async with queue.slot():
            pass


def test_requests_a_minute_are_limited_and_the_wait_is_told():
    with served(sure(), limits={"requests_per_minute": 2}) as server, http_of(server) as http:
        assert [http.post(COMPLETIONS, json=body_of()).status_code for _ in range(2)] == [200, 200]
        refused = http.post(COMPLETIONS, json=body_of())
        assert code_of(refused) == (429, "rate_limit_exceeded")
        assert 1 <= int(refused.headers["retry-after"]) <= 30
        assert http.get("/v1/models").status_code == 200


def test_tokens_a_minute_are_limited():
    with served(sure(), limits={"tokens_per_minute": 5}) as server, http_of(server) as http:
        assert http.post(COMPLETIONS, json=body_of()).status_code == 200
        assert code_of(http.post(COMPLETIONS, json=body_of())) == (429, "rate_limit_exceeded")


def test_more_than_fit_into_the_queue_get_429_at_once_and_nobody_hangs():
    limits = {"max_in_flight": 1, "max_waiting": 1}
    with served(slow(0.5), limits=limits) as server, http_of(server) as http:
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: http.post(COMPLETIONS, json=body_of()), range(6)))
        codes = sorted(answer.status_code for answer in answers)
        assert codes == [200, 200, 429, 429, 429, 429]
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.json()["error"]["code"] == "server_busy"
        assert refused.headers["retry-after"] == "2"
        assert http.post(COMPLETIONS, json=body_of()).status_code == 200


def test_what_is_too_large_is_not_read():
    with served(sure(), limits={"max_body_bytes": 1000}) as server, http_of(server) as http:
        assert code_of(http.post(COMPLETIONS, json=body_of("x" * 2000))) == (413, "request_too_large")

        def pieces():
            for _ in range(100):
                yield b"x" * 100

        assert code_of(http.post(COMPLETIONS, content=pieces())) == (413, "request_too_large")


def test_a_body_that_does_not_arrive_is_not_waited_for():
    with served(sure(), limits={"body_seconds": 0.2}) as server:
        port = httpx.URL(server.url).port
        with socket.create_connection(("127.0.0.1", port), 10) as connection:
            head = f"POST {COMPLETIONS} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 50\r\n\r\n{{"
            connection.sendall(head.encode())
            assert connection.recv(64).startswith(b"HTTP/1.1 408")


def test_an_answer_that_takes_too_long_is_given_up():
    with served(slow(5), limits={"request_seconds": 0.2}) as server, http_of(server) as http:
        assert code_of(http.post(COMPLETIONS, json=body_of())) == (504, "answer_timeout")


def test_one_request_cannot_ask_for_any_number_of_answers():
    with served(sure(), limits={"max_choices": 2}) as server, http_of(server) as http:
        assert http.post(COMPLETIONS, json=body_of(n=2)).status_code == 200
        assert http.post(COMPLETIONS, json=body_of(n=3)).status_code == 400


def test_a_tenants_budget_ends_its_spending_and_nobody_elses(tmp_path):
    url = f"sqlite:///{tmp_path}/keys.sqlite"
    store = KeyStore.open(url)
    ours, theirs, stranger = (
        {"Authorization": f"Bearer {store.create('k', tenant=tenant)[1]}"}
        for tenant in ("acme", "globex", "nobody")
    )
    store.close()
    known = {"acme": {"budgets": [{"max_model_calls": 1, "per": "tenant"}]}, "globex": {}}
    sections = {
        "security": {"keys_url": url},
        "tenants": {"known": known},
        "policy": {"ledger": f"{tmp_path}/ledger.sqlite"},
    }
    with served(sure(), **sections) as server, http_of(server) as http:
        assert http.post(COMPLETIONS, json=body_of(), headers=ours).status_code == 200
        assert code_of(http.post(COMPLETIONS, json=body_of(), headers=ours)) == (429, "insufficient_quota")
        assert http.post(COMPLETIONS, json=body_of(), headers=theirs).status_code == 200
        assert code_of(http.post(COMPLETIONS, json=body_of(), headers=stranger)) == (403, "unknown_tenant")


_PROGRAM = """
import sys
from adaptive_reasoner.server.app import create_app
from adaptive_reasoner.server.config import load_settings
from adaptive_reasoner.server.listening import run
from adaptive_reasoner.server.questions import ServedModels
from adaptive_reasoner.testing import Reply, ScriptedChatModel
model = ScriptedChatModel([Reply(text="Answer: 12", probability=0.999, delay_seconds=1.5)], cycle=True)
settings = load_settings(environment={}, given={"server": {"port": 0}, "limits": {"drain_notice_seconds": 1}})
run(create_app(settings, models=ServedModels(model)), settings, lambda at: print(at.url, flush=True))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_at_sigterm_what_was_begun_is_finished_and_new_requests_go_elsewhere():
    with subprocess.Popen([sys.executable, "-c", _PROGRAM], stdout=subprocess.PIPE, text=True) as process:
        with httpx.Client(base_url=process.stdout.readline().strip(), timeout=30) as http:
            answers = []
            begun = threading.Thread(target=lambda: answers.append(http.post(COMPLETIONS, json=body_of())))
            begun.start()
            time.sleep(0.5)
            os.kill(process.pid, signal.SIGTERM)
            time.sleep(0.3)
            ready = http.get("/readyz")
            assert (ready.status_code, ready.json()["checks"]["serving"]) == (503, "the server is stopping")
            refused = http.post(COMPLETIONS, json=body_of())
            assert code_of(refused) == (503, "server_stopping")
            begun.join()
            assert answers[0].status_code == 200
        assert process.wait(10) == 0
