"""Any chat model behind an OpenAI-compatible HTTP endpoint on this machine."""

import json
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import chain
from socketserver import TCPServer, ThreadingMixIn
from types import TracebackType
from typing import Any

from langchain_core.language_models.chat_models import BaseChatModel

from adaptive_reasoner.testing.answering import Answering
from adaptive_reasoner.testing.defects import Defects, refuse
from adaptive_reasoner.testing.error_bodies import Json, error_body
from adaptive_reasoner.testing.errors import BadRequestError
from adaptive_reasoner.testing.requests import check_request, read_request
from adaptive_reasoner.testing.responses_api_requests import as_completion_body

# Seconds between two looks at whether the server shall stop: the most that leaving `serve_openai` waits.
POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A running endpoint.

    Attributes:
        base_url: what an OpenAI client takes as `base_url`, with `/v1`.
        model_name: the name under `GET /v1/models`; requests may name any model, which the answer repeats.
        requests: bodies of the completion requests so far, in the order in which they came.
    """

    base_url: str
    model_name: str
    requests: list[Json] = field(default_factory=list[Json])


@contextmanager
def serve_openai(
    model: BaseChatModel,
    *,
    model_name: str = "adaptive-reasoner-embedded",
    host: str = "127.0.0.1",
    port: int = 0,
    defects: Defects = (),
) -> Generator[Endpoint]:
    """Put `model` behind an OpenAI-compatible endpoint for as long as the `with` block runs.

    `POST /v1/chat/completions` answers plainly and as server-sent events, with log probabilities, usage,
    tools and thoughts (`reasoning_content`); `POST /v1/responses` does the same in the shapes of OpenAI's Responses
    API, for function tools and without stored conversations; `GET /v1/models` lists `model_name`. Settings that the
    model does not know (see `requests.known_settings`) are ignored. No key is asked for. Errors
    come in OpenAI's shape: 400 for a bad request, 502 for a model that fails, before a stream or inside it.

    Args:
        model: answers the requests, from several threads at once.
        model_name: the name that is listed.
        host: address to listen on; leave it at loopback, there is no protection.
        port: 0 takes a free one.
        defects: what the server gets wrong about log probabilities, for tests of whoever relies on them.

    Yields:
        The endpoint, already listening.

    Raises:
        OSError: the port is taken.
    """
    server = _Server((host, port), model, model_name, defects)
    thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True)
    thread.start()
    try:
        yield server.endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingMixIn, HTTPServer):
    daemon_threads = True  # a model that never returns must not keep the process alive
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], model: BaseChatModel, model_name: str, defects: Defects
    ) -> None:
        super().__init__(address, _Handler)
        self.model = model
        self.defects = defects
        host, port = self.server_address[:2]
        self.endpoint = Endpoint(f"http://{host!s}:{port}/v1", model_name)

    def server_bind(self) -> None:
        # HTTPServer would look the host's name up, which may ask the network.
        TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that hangs up is none of the tests' business.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _ClientLeftError(Exception):
    """The client closed its connection before the answer was complete."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = (
        True  # head and body are two writes; waiting for an ACK between them costs 40 ms
    )
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]
    is_streaming = False

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep the tests' output clean."""

    def do_GET(self) -> None:
        """Answer `GET /v1/models` and `GET /v1/models/{name}`."""
        with _Reporting(self):
            listed = {
                "id": self.server.endpoint.model_name,
                "object": "model",
                "created": 0,
                "owned_by": "testing",
            }
            known: dict[str, Json] = {
                "/v1/models": {"object": "list", "data": [listed]},
                f"/v1/models/{listed['id']}": listed,
            }
            if self.path not in known:
                raise BadRequestError(f"Unknown request URL: GET {self.path}.", status_code=404)
            self.send_json(200, known[self.path])

    def do_POST(self) -> None:
        """Answer `POST /v1/chat/completions` and `POST /v1/responses`."""
        with _Reporting(self):
            raw = self._read_body()
            if self.path not in {"/v1/chat/completions", "/v1/responses"}:
                raise BadRequestError(f"Unknown request URL: POST {self.path}.", status_code=404)
            body = read_request(raw)
            self.server.endpoint.requests.append(body)
            self._answer(body, is_responses=self.path == "/v1/responses")

    def _answer(self, body: Json, *, is_responses: bool) -> None:
        request = check_request(as_completion_body(body) if is_responses else body)
        refuse(self.server.defects, request.settings)
        answering = Answering(self.server.model, request, self.server.defects)
        if body.get("stream"):
            self._send_events(answering.response_events(body) if is_responses else answering.events())
        else:
            self.send_json(200, answering.response(body) if is_responses else answering.completion())

    def send_json(self, status: int, body: Json) -> None:
        """Send a whole response."""
        raw = json.dumps(body).encode()
        self._send_head(status, {"Content-Type": "application/json", "Content-Length": str(len(raw))})
        self._write(raw)

    def send_event(self, data: str) -> None:
        """Send one server-sent event."""
        self._write(f"data: {data}\n\n".encode())

    def _send_events(self, events: Iterator[Json]) -> None:
        # The head is sent when the model has begun to answer, so that an early failure keeps its own status.
        opening = [next(events), next(events)]
        self._send_head(200, {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
        self.is_streaming = True
        for event in chain(opening, events):
            self.send_event(json.dumps(event))
        self.send_event("[DONE]")

    def _read_body(self) -> bytes:
        length = self.headers.get("content-length", "")
        if not length.isdecimal():
            raise BadRequestError("The request needs a Content-Length header.", status_code=411)
        return self.rfile.read(int(length))

    def _send_head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        # One request a connection: no idle connection outlives the server.
        for name, value in {**headers, "Connection": "close"}.items():
            self.send_header(name, value)
        try:
            self.end_headers()
        except ConnectionError as error:
            raise _ClientLeftError from error

    def _write(self, raw: bytes) -> None:
        try:
            self.wfile.write(raw)
        except ConnectionError as error:
            raise _ClientLeftError from error


class _Reporting:
    """Tells the client whatever goes wrong inside: a model may raise anything, and no client shall hang."""

    def __init__(self, handler: _Handler) -> None:
        self._handler = handler

    def __enter__(self) -> None:
        """Begin; there is nothing to set up."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        if not isinstance(error, _ClientLeftError):
            self._report(error)
        return True

    def _report(self, error: Exception) -> None:
        status, body = error_body(error)
        if self._handler.is_streaming:
            self._handler.send_event(json.dumps(body))
        else:
            self._handler.send_json(status, body)
