"""What a client sees on the wire: errors, ids, streams, idempotency, hanging up."""

import asyncio
import json
import threading

import httpx
import pytest
from served import body_of, http_of, served, sure

from adaptive_reasoner.errors import InvalidInputError
from adaptive_reasoner.server.errors import IdempotencyError, IdempotencyMismatchError
from adaptive_reasoner.server.idempotency import IdempotencyInMemory, Stored
from adaptive_reasoner.testing import Reply, ScriptedChatModel

COMPLETIONS = "/v1/chat/completions"
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture(scope="module")
def http():
    with served(sure()) as server, http_of(server) as client:
        yield client


def _message(**fields):
    return {"messages": [{"role": "user", "content": "How many?", **fields}]}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": None}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "messages[0]"),
        (_message(content=5), "messages[0].content"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"n": 0}, "n"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools[0].function.name"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "x"}}}, "tool_choice"),
        ({"functions": []}, "functions"),
        ({"audio": {}}, "audio"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"reasoning_effort": "enormous"}, "reasoning_effort"),
        ({"adaptive_reasoning": {"thinking": "never"}}, "adaptive_reasoning.thinking"),
        ({"adaptive_reasoning": {"budget": {}}}, "adaptive_reasoning.budget"),
        ({"adaptive_reasoning": {"thnking": "on"}}, "adaptive_reasoning.thnking"),
        ({"metadata": {"thread_id": "../x"}}, "metadata.thread_id"),
        ({"model": "deep", "reasoning_effort": "none"}, "reasoning_effort"),
    ],
)
def test_a_wrong_field_is_named(http, body, param):
    sent = http.post(COMPLETIONS, json=body_of() | body)
    error = sent.json()["error"]
    assert (sent.status_code, error["type"], error["param"]) == (400, "invalid_request_error", param)
    assert set(error) == {"message", "type", "param", "code"}


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "code"),
    [
        ("GET", "/v2/nothing", None, 404, "unknown_url"),
        ("GET", COMPLETIONS, None, 405, "method_not_allowed"),
        ("POST", COMPLETIONS, b"{", 400, "invalid_json"),
        ("POST", COMPLETIONS, b"[]", 400, "invalid_value"),
        ("POST", COMPLETIONS, b"\xff\xfe", 400, "invalid_json"),
        ("GET", "/v1/models/nobody", None, 404, "model_not_found"),
        ("GET", "/v1/threads/nothing", None, 404, "thread_not_found"),
        ("GET", "/v1/threads/" + "x" * 200, None, 400, "invalid_value"),
    ],
)
def test_every_failure_has_the_same_shape(http, method, path, content, status, code):
    sent = http.request(method, path, content=content, headers={"content-type": "application/json"})
    assert (sent.status_code, sent.json()["error"]["code"]) == (status, code)
    assert sent.headers["x-request-id"]


def test_half_a_character_is_refused(http):
    body = json.dumps(body_of("How many \ud83d?"))
    sent = http.post(COMPLETIONS, content=body, headers={"content-type": "application/json"})
    assert sent.status_code == 400
    whole = http.post(COMPLETIONS, json=body_of("How many 😀?"))
    assert whole.status_code == 200


def test_a_request_keeps_its_own_id_unless_that_could_do_harm(http):
    assert http.get("/healthz", headers={"x-request-id": "mine-1"}).headers["x-request-id"] == "mine-1"
    assert http.get("/healthz", headers={"x-request-id": "a b"}).headers["x-request-id"].startswith("req_")


def test_fields_that_nobody_knows_are_named(http):
    sent = http.post(COMPLETIONS, json=body_of(top_k=5, store=True, min_p=0.1))
    assert (sent.status_code, sent.headers["x-ignored-fields"]) == (200, "min_p,top_k")


def test_a_spent_budget_is_a_429():
    with served(sure()) as server, http_of(server) as client:
        body = body_of(adaptive_reasoning={"budget": {"max_tokens": 1}})
        sent = client.post(COMPLETIONS, json=body)
    assert (sent.status_code, sent.json()["error"]["code"]) == (429, "insufficient_quota")


def test_a_slow_model_keeps_its_stream_alive():
    model = ScriptedChatModel([Reply(text="12", probability=0.999, delay_seconds=0.4)], cycle=True)
    with (
        served(model, answers={"keep_alive_seconds": 0.1}) as server,
        http_of(server) as client,
        client.stream("POST", COMPLETIONS, json=body_of(stream=True)) as sent,
    ):
        lines = [line for line in sent.iter_lines() if line]
    assert sent.headers["content-type"].startswith("text/event-stream")
    assert lines.count(": thinking") >= 2
    assert lines[-1] == "data: [DONE]"


def test_an_error_after_the_stream_has_begun_is_its_last_event():
    def fail(_call):
        threading.Event().wait(0.3)
        raise RuntimeError("gone")

    settings = {"answers": {"keep_alive_seconds": 0.1}}
    with (
        served(ScriptedChatModel([fail], cycle=True), **settings) as server,
        http_of(server) as client,
        client.stream("POST", COMPLETIONS, json=body_of(model="fast", stream=True)) as sent,
    ):
        lines = [line for line in sent.iter_lines() if line.startswith("data")]
    assert sent.status_code == 200
    assert json.loads(lines[-1].removeprefix("data: "))["error"]["code"] == "model_failed"


def test_a_stream_tells_what_happens_to_whom_asks_for_it(http):
    body = body_of(stream=True, adaptive_reasoning={"events": True})
    with http.stream("POST", COMPLETIONS, json=body) as sent:
        events = [json.loads(line[6:]) for line in sent.iter_lines() if line.startswith("data: {")]
    told = [event["adaptive_reasoning"]["event"]["event"] for event in events if not event["choices"]]
    assert told == ["triage", "call", "round", "hand_off"]


def test_what_the_model_cannot_read_is_the_clients_mistake():
    model = ScriptedChatModel([InvalidInputError("This model reads text only.")], cycle=True)
    with served(model) as server, http_of(server) as client:
        sent = client.post(COMPLETIONS, json=body_of(model="fast"))
    assert (sent.status_code, sent.json()["error"]["param"]) == (400, "messages")


def test_drafts_come_as_thoughts_before_the_answer():
    fast = ScriptedChatModel([Reply(text="Answer: 11", probability=0.4)], cycle=True)
    deep = ScriptedChatModel([Reply(text="Answer: 12", reasoning="7 + 5", probability=0.999)], cycle=True)
    body = body_of(stream=True, adaptive_reasoning={"drafts": True})
    policy = {"triage": "off", "max_refinements": 0}
    with (
        served(fast, deep, policy=policy) as server,
        http_of(server) as client,
        client.stream("POST", COMPLETIONS, json=body) as sent,
    ):
        deltas = [
            event["choices"][0]["delta"]
            for line in sent.iter_lines()
            if line.startswith("data: {")
            for event in [json.loads(line[6:])]
        ]
    thoughts = "".join(delta.get("reasoning_content", "") for delta in deltas)
    assert thoughts.startswith("Answer: 11")
    assert thoughts.endswith("7 + 5Answer: 12")
    assert "".join(delta.get("content") or "" for delta in deltas) == "Answer: 12"


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_a_client_that_hangs_up_cancels_its_run(is_streamed):
    began, cancelled = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    class Slow(ScriptedChatModel):
        async def _agenerate(self, *args, **kwargs):
            loop.call_soon_threadsafe(began.set)
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                cancelled.set()
                raise

    with served(Slow([]), answers={"keep_alive_seconds": 0.1}) as server:
        async with httpx.AsyncClient(base_url=server.url) as client:
            body = body_of(model="fast", stream=is_streamed)
            sending = asyncio.ensure_future(client.post(COMPLETIONS, json=body))
            await asyncio.wait_for(began.wait(), 10)
            sending.cancel()
            await asyncio.wait([sending])
        assert await asyncio.to_thread(cancelled.wait, 10)


@pytest.mark.parametrize("is_streamed", [False, True])
def test_an_idempotency_key_gets_one_answer(is_streamed):
    model = sure()
    with served(model) as server, http_of(server, headers={"idempotency-key": "k1"}) as client:
        body = body_of(model="fast", stream=is_streamed)
        first, again = (client.post(COMPLETIONS, json=body) for _ in range(2))
        other = client.post(COMPLETIONS, json=body_of("Another?", model="fast"))
    assert first.content == again.content
    assert "idempotent-replayed" not in first.headers
    assert (again.headers["idempotent-replayed"], len(model.calls)) == ("true", 1)
    assert again.headers["content-type"].partition(";")[0] == first.headers["content-type"].partition(";")[0]
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_mismatch")


@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_failure_is_not_kept_for_its_key(is_streamed):
    model = ScriptedChatModel([RuntimeError("gone"), Reply(text="12", probability=0.999)])
    with served(model) as server, http_of(server, headers={"idempotency-key": "k2"}) as client:
        body = body_of(model="fast", stream=is_streamed)
        statuses = [client.post(COMPLETIONS, json=body).status_code for _ in range(2)]
    assert statuses == [502, 200]


async def test_the_store_forgets_what_is_old():
    now = 0.0
    store = IdempotencyInMemory(10.0, 2, clock=lambda: now)
    assert await store.begin("a", "1") is None
    with pytest.raises(IdempotencyError):
        await store.begin("a", "1")
    await store.finish("a", Stored(b"x", "text/plain"))
    with pytest.raises(IdempotencyMismatchError):
        await store.begin("a", "2")
    now = 11.0
    assert await store.begin("a", "2") is None


def test_the_api_describes_itself(http):
    paths = http.get("/openapi.json").json()["paths"]
    assert set(paths) >= {COMPLETIONS, "/v1/models", "/v1/threads/{thread_id}", "/healthz", "/readyz"}
    assert "422" not in paths[COMPLETIONS]["post"]["responses"]
    assert http.get("/docs").status_code == 404
