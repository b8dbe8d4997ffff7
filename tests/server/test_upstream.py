"""Endpoints that fail: retries, circuit breaker, a second endpoint, the fast model instead; and where calls may go."""

from contextlib import contextmanager

import pytest
from measuring.failing_endpoint import failing
from served import body_of, http_of, settings_of

from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.server.app import create_app
from adaptive_reasoner.server.in_thread import serving
from adaptive_reasoner.server.upstream_breaker import Breaker

COMPLETIONS = "/v1/chat/completions"


@contextmanager
def before(fast, /, deep=None, models=None, **sections):
    """A server whose models are at these endpoints."""
    named = {"fast": "quick", "base_url": fast.base_url, **(models or {})}
    if deep is not None:
        named |= {"deep": "slow", "deep_base_url": deep.base_url}
    with serving(settings_of(models=named, **sections)) as server, http_of(server) as http:
        yield http


def ask(http, **fields):
    return http.post(COMPLETIONS, json={**body_of(), "model": "fast", **fields})


def test_a_breaker_opens_after_failures_in_a_row_and_lets_one_call_try():
    now = [0.0]
    breaker = Breaker(2, 10, clock=lambda: now[0])
    for outcome in (breaker.failed, breaker.succeeded, breaker.failed):
        assert breaker.lets_pass()
        outcome()
    assert not breaker.is_open
    breaker.failed()
    assert breaker.is_open
    assert not breaker.lets_pass()
    now[0] = 10.0
    assert [breaker.lets_pass(), breaker.lets_pass()] == [True, False]
    breaker.failed()
    assert not breaker.lets_pass()
    now[0] = 20.0
    assert breaker.lets_pass()
    breaker.given_up()
    assert breaker.lets_pass()
    breaker.succeeded()
    assert [breaker.lets_pass(), breaker.lets_pass()] == [True, True]


@pytest.mark.parametrize("word", ["429", "500", "reset", "truncated"])
def test_a_call_that_fails_once_is_made_again(word):
    with failing([word, "ok"]) as upstream, before(upstream) as http:
        answer = ask(http)
        assert (answer.status_code, len(upstream.bodies)) == (200, 2)
        assert answer.json()["choices"][0]["message"]["content"] == "Answer: 12"


@pytest.mark.parametrize(
    ("word", "status", "code"),
    [("500", 502, "model_failed"), ("reset", 502, "model_failed"), ("truncated", 502, "model_failed")],
)
def test_an_endpoint_that_keeps_failing_is_left_alone_and_readyz_says_so(word, status, code):
    models, upstream_settings = {"max_retries": 0}, {"breaker_failures": 2}
    with failing([word]) as upstream, before(upstream, models=models, upstream=upstream_settings) as http:
        for _ in range(4):
            answer = ask(http)
            assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
        assert len(upstream.bodies) == 2
        ready = http.get("/readyz")
        assert ready.status_code == 503
        assert "left alone" in ready.json()["checks"]["upstream"]


def test_a_provider_that_takes_no_more_calls_is_429_with_its_own_wait():
    sections = {"models": {"max_retries": 0}, "upstream": {"breaker_failures": 2}}
    with failing(["429 7"]) as upstream, before(upstream, **sections) as http:
        for model in ("fast", "adaptive"):
            answer = ask(http, model=model)
            assert (answer.status_code, answer.json()["error"]["code"]) == (429, "model_rate_limited")
            assert answer.json()["error"]["type"] == "rate_limit_error"
            assert answer.headers["retry-after"] in ("6", "7")
        assert http.get("/readyz").status_code == 200  # whoever says "too fast" is there


@pytest.mark.parametrize(("said", "seconds"), [("7", 7.0), ("86400", 3600.0), ("soon", 0.0), (None, 0.0)])
def test_a_breaker_keeps_what_the_endpoint_asks_for(said, seconds):
    breaker = Breaker(2, 10, clock=lambda: 5.0)
    breaker.asked_to_wait(said)
    assert breaker.wait_seconds == seconds


def test_an_endpoint_that_hangs_is_a_failure_too():
    sections = {"upstream": {"attempt_seconds": 0.2, "breaker_failures": 1}}
    with failing(["hang"]) as upstream, before(upstream, models={"max_retries": 0}, **sections) as http:
        assert ask(http).status_code in (502, 504)
        assert ask(http).status_code == 502
        assert len(upstream.bodies) == 1


def test_the_second_endpoint_answers_with_its_own_key_and_name(monkeypatch):
    monkeypatch.setenv("FIRST_KEY", "first-secret")
    monkeypatch.setenv("SECOND_KEY", "second-secret")
    with failing(["500"]) as first, failing(["ok"]) as second:
        fallback = {
            "fallback_base_url": second.base_url,
            "fallback_api_key_env": "SECOND_KEY",
            "fallback_model": "other",
        }
        with before(first, models={"api_key_env": "FIRST_KEY"}, upstream=fallback) as http:
            assert ask(http).status_code == 200
            assert http.get("/readyz").status_code == 200
        assert second.bodies[0]["model"] == "other"
        assert second.heads[0]["authorization"] == "Bearer second-secret"
        assert "first-secret" not in str(second.heads)


@pytest.mark.parametrize("model", ["deep", "adaptive"])
def test_where_the_deep_model_fails_the_fast_one_answers_and_the_report_says_so(model):
    with failing(["ok"]) as fast, failing(["500"]) as deep:
        with before(fast, deep, models={"max_retries": 0}) as http:
            answer = ask(http, model=model, adaptive_reasoning={"thinking": "on"})
            assert answer.status_code == 200
            report = answer.json()["adaptive_reasoning"]
            failed = {"from": model, "error": "model_failed"}
            assert report.get("fallback") == failed or any(one.get("error") for one in report["rounds"])
        with before(fast, deep, models={"max_retries": 0}, upstream={"deep_failure": "error"}) as http:
            assert ask(http, model="deep").status_code == 502


@pytest.mark.parametrize("word", ["no_logprobs", "bad_logprobs"])
def test_log_probabilities_that_are_missing_or_malformed_are_unknown_and_never_confident(word):
    with failing([word]) as upstream, before(upstream) as http:
        report = ask(http).json()["adaptive_reasoning"]
        assert report["rounds"][0]["signal"]["kind"] == "unknown"


def test_a_redirect_takes_neither_prompt_nor_key_elsewhere():
    with failing(["redirect"]) as upstream, before(upstream, models={"max_retries": 0}) as http:
        assert ask(http).status_code == 502
        assert len(upstream.bodies) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/v1",
        "http://[fe80::1]/v1",
        "http://[::ffff:169.254.169.254]/v1",
        "http://metadata.google.internal/v1",
        "http://user:secret@127.0.0.1/v1",
        "file:///etc/passwd",
    ],
)
def test_an_address_where_no_model_is_is_refused_at_the_start(url):
    with pytest.raises(ConfigurationError) as caught:
        create_app(settings_of(models={"fast": "m", "base_url": url}))
    assert "secret" not in str(caught.value)
    named = {"fast": "m", "base_url": "http://127.0.0.1:1/v1"}
    settings = settings_of(models=named, upstream={"fallback_base_url": url})
    with pytest.raises(ConfigurationError):
        create_app(settings)


def test_no_field_of_a_request_says_where_a_call_goes():
    fields = {
        "base_url": "http://127.0.0.1:1/v1",
        "api_base": "http://127.0.0.1:1",
        "extra_headers": {"x": "y"},
    }
    with failing(["ok"]) as upstream, before(upstream) as http:
        answer = ask(http, **fields)
        assert answer.status_code == 200
        assert set(answer.headers["x-ignored-fields"].split(",")) == set(fields)
        assert not set(fields) & set(upstream.bodies[0])
        assert "x" not in upstream.heads[0]
