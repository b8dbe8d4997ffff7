"""A loopback server that speaks as each provider does, and remembers what it was asked."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from provider_answers import ANSWERS


class ProviderServer(ThreadingHTTPServer):
    """Records bodies; answers by the request's path, or with what a test set for it.

    Attributes:
        bodies: of all requests so far, parsed.
        answers: JSON by path, a list for NDJSON and server-sent events; a function gets the body.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: list[dict] = []
        self.answers: dict[str, object] = dict(ANSWERS)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: ProviderServer

    def log_message(self, *_args: object) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.bodies.append(body)
        path = self.path.partition("?")[0].partition(":")[2] or self.path.partition("?")[0]
        answer = self.server.answers[path]
        answer = answer(body) if callable(answer) else answer
        kind, raw = _encoded(answer, as_events=path != "/api/chat")
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


def _encoded(answer: object, *, as_events: bool) -> tuple[str, bytes]:
    if not isinstance(answer, list):
        return "application/json", json.dumps(answer).encode()
    if as_events:
        lines = [*(f"data: {json.dumps(one)}\n\n" for one in answer), "data: [DONE]\n\n"]
        return "text/event-stream", "".join(lines).encode()
    return "application/x-ndjson", "".join(json.dumps(one) + "\n" for one in answer).encode()


@pytest.fixture
def provider() -> Iterator[ProviderServer]:
    server = ProviderServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def asked(provider) -> Callable[..., dict]:
    """What a wish changes in the body of a request, beside the same request without one."""
    from adaptive_reasoner.thinking import settle_call, thinking_kwargs

    def changed(model, thinking, **others) -> dict:
        model.invoke("2 + 2 = ?", **others)
        called, kwargs = settle_call(model, {**thinking_kwargs(model, thinking), **others})
        called.invoke("2 + 2 = ?", **kwargs)
        before, after = provider.bodies
        assert set(before) <= set(after) | {"temperature", "top_k", "thinking", "reasoning_effort", "think"}
        return {name: value for name, value in after.items() if before.get(name) != value}

    return changed
