"""Keys: who may ask, what a key reaches, what is kept of it."""

import sqlite3

import pytest
from openai import AuthenticationError, OpenAI
from served import body_of, http_of, served, settings_of, sure

from adaptive_reasoner.cli import main
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.server.errors import KeyRefusedError, KeyStoreError
from adaptive_reasoner.server.listening import check_address
from adaptive_reasoner.server.routes import ROUTERS
from adaptive_reasoner.server.security.checking import KeyChecker
from adaptive_reasoner.server.security.guard import HEALTH, is_page
from adaptive_reasoner.server.security.key_store import KeyStore

COMPLETIONS = "/v1/chat/completions"


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/keys.sqlite"


@pytest.fixture
def store(url):
    opened = KeyStore.open(url)
    yield opened
    opened.close()


def bearer(secret):
    return {"Authorization": f"Bearer {secret}"}


def test_the_database_holds_no_key(store, tmp_path):
    _, secret = store.create("chatbot")
    assert len(secret.rpartition("_")[2]) == 64  # 256 bits
    for file in tmp_path.iterdir():
        assert secret.rpartition("_")[2].encode() not in file.read_bytes()


def test_every_route_but_health_asks_for_a_key(url):
    asked = 0
    with served(sure(), security={"keys_url": url}) as server, http_of(server) as http:
        for route in (route for router in ROUTERS for route in router.routes):
            for method in route.methods:
                if route.path in HEALTH or is_page({"method": method}, route.path):
                    continue
                path = route.path.replace("{", "").replace("}", "")
                answer = http.request(method, path)
                assert answer.status_code == 401, (method, path)
                asked += 1
        assert http.get("/openapi.json").status_code == 401
        assert http.get("/no-such-page").status_code == 401
        assert http.get("/healthz").status_code == 200
        assert http.get("/readyz").json()["checks"]["keys"] == "ok"
    assert asked >= 5


def test_a_key_is_sent_as_the_clients_of_openai_and_azure_send_it(url, store):
    _, secret = store.create("chatbot", ("chat",))
    with served(sure(), security={"keys_url": url}) as server, http_of(server) as http:
        client = OpenAI(base_url=server.base_url, api_key=secret, max_retries=0)
        assert client.models.list().data[0].id == "adaptive"
        assert http.get("/v1/models", headers={"api-key": secret}).status_code == 200
        with pytest.raises(AuthenticationError, match="unknown, revoked or expired"):
            OpenAI(base_url=server.base_url, api_key="sk-guess", max_retries=0).models.list()
        refused = http.get("/v1/models")
        assert refused.json()["error"]["code"] == "invalid_api_key"
        assert refused.headers["www-authenticate"] == "Bearer"


def test_a_key_reaches_no_further_than_its_scope(url, store):
    _, metrics = store.create("prometheus", ("metrics",))
    _, admin = store.create("operator", ("admin",))
    with served(sure(), security={"keys_url": url}) as server, http_of(server) as http:
        refused = http.post(COMPLETIONS, json=body_of(), headers=bearer(metrics))
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "insufficient_scope")
        assert http.post(COMPLETIONS, json=body_of(), headers=bearer(admin)).status_code == 200


def test_a_revoked_key_opens_nothing_any_more(url, store):
    key, secret = store.create("chatbot")
    with (
        served(sure(), security={"keys_url": url, "keys_cache_seconds": 0}) as server,
        http_of(server) as http,
    ):
        assert http.get("/v1/models", headers=bearer(secret)).status_code == 200
        assert store.revoke(key.id)
        assert http.get("/v1/models", headers=bearer(secret)).status_code == 401


async def test_an_expired_key_is_refused_even_while_it_is_remembered(store):
    key, secret = store.create("trial", seconds=60)
    now = [key.created_at]
    checker = KeyChecker(store, 300, clock=lambda: now[0])
    assert (await checker.caller(secret)).key_id == key.id
    now[0] += 61
    with pytest.raises(KeyRefusedError):
        await checker.caller(secret)


async def test_guesses_do_not_fill_the_memory(store):
    checker = KeyChecker(store, 300)
    for number in range(20):
        with pytest.raises(KeyRefusedError):
            await checker.caller(f"ar_{number:012x}_{'0' * 64}")
    assert not checker._known


def test_a_store_that_fails_lets_nobody_in(url, store, tmp_path):
    _, secret = store.create("chatbot")
    with (
        served(sure(), security={"keys_url": url, "keys_cache_seconds": 0}) as server,
        http_of(server) as http,
    ):
        with sqlite3.connect(tmp_path / "keys.sqlite") as db:
            db.execute("DROP TABLE adaptive_reasoner_keys")
        answer = http.get("/v1/models", headers=bearer(secret))
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "keys_unavailable")
        assert "keys" not in [
            name for name, said in http.get("/readyz").json()["checks"].items() if said == "ok"
        ]


def test_threads_of_one_tenant_are_not_anothers(url, store):
    _, ours = store.create("a", tenant="acme")
    _, theirs = store.create("b", tenant="globex")
    with served(sure(), security={"keys_url": url}) as server, http_of(server) as http:
        body = body_of(adaptive_reasoning={"thread_id": "monday"})
        assert http.post(COMPLETIONS, json=body, headers=bearer(ours)).status_code == 200
        assert http.get("/v1/threads/monday", headers=bearer(ours)).status_code == 200
        assert http.get("/v1/threads/monday", headers=bearer(theirs)).status_code == 404


def test_without_keys_only_this_machine_is_listened_to_and_answered():
    with pytest.raises(ConfigurationError, match="set up keys"):
        check_address(settings_of(server={"host": "0.0.0.0"}))
    check_address(settings_of(server={"host": "0.0.0.0"}, security={"keys_url": "sqlite:///keys.sqlite"}))
    with served(sure()) as server, http_of(server) as http:
        rebound = http.get("/v1/models", headers={"Host": "evil.example"})
        assert (rebound.status_code, rebound.json()["error"]["code"]) == (403, "foreign_origin")
        assert http.get("/v1/models", headers={"Origin": "https://evil.example"}).status_code == 403
        assert http.get("/v1/models", headers={"Origin": "http://localhost:3000"}).status_code == 200


def test_browsers_are_told_what_they_may_do(url, store):
    _, secret = store.create("page")
    origin = "https://chat.example.com"
    with (
        served(sure(), security={"keys_url": url, "cors_origins": [origin]}) as server,
        http_of(server) as http,
    ):
        asks = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        assert http.options(COMPLETIONS, headers=asks).headers["access-control-allow-origin"] == origin
        answer = http.get("/v1/models", headers={**bearer(secret), "Origin": origin})
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        other = http.get("/v1/models", headers={**bearer(secret), "Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers


def test_the_command_line_makes_lists_and_revokes(url, capsys):
    assert main(["keys", "create", "chatbot", "--tenant", "acme", "--scope", "chat", "--db", url]) == 0
    secret = capsys.readouterr().out.strip()
    key_id = secret.split("_")[1]
    assert main(["keys", "list", "--db", url, "--json"]) == 0
    listed = capsys.readouterr().out
    assert key_id in listed
    assert secret not in listed
    assert main(["keys", "revoke", key_id, "--db", url]) == 0
    assert main(["keys", "list", "--db", url]) == 0
    assert "revoked" in capsys.readouterr().out
    assert main(["keys", "revoke", "nothing", "--db", url]) == 2


@pytest.mark.parametrize(
    "arguments", [["x", "--scope", "everything"], ["a b"], ["x", "--tenant", "../y"], ["x", "--days", "0"]]
)
def test_a_key_that_cannot_be_is_refused(url, arguments, capsys):
    assert main(["keys", "create", *arguments, "--db", url]) == 2
    assert main(["keys", "list", "--db", url, "--json"]) == 0
    assert capsys.readouterr().out.strip() == "[]"


def test_a_tenant_that_the_settings_do_not_know_gets_no_key(url, tmp_path, capsys):
    settings = tmp_path / "server.toml"
    settings.write_text("[tenants.known.acme]\n")
    arguments = ["keys", "create", "bot", "--config", str(settings), "--db", url, "--tenant"]
    assert main([*arguments, "other"]) == 2
    assert "add [tenants.known.other]" in capsys.readouterr().err
    assert main([*arguments, "acme"]) == 0


def test_without_a_place_for_keys_the_command_says_so(monkeypatch, capsys):
    monkeypatch.delenv("ADAPTIVE_REASONER_SECURITY_KEYS_URL", raising=False)
    assert main(["keys", "list"]) == 2
    assert "security.keys_url" in capsys.readouterr().err


def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "keys.sqlite").write_text("no database at all, and long enough to be looked at" * 40)
    with pytest.raises(KeyStoreError, match="cannot be used"):
        KeyStore.open(f"sqlite:///{tmp_path}/keys.sqlite")
