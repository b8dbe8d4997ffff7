"""Every request leaves a count, a span and one line in the log."""

import logging
import time
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adaptive_reasoner.server.caller import caller_of
from adaptive_reasoner.server.logs.request_context import REQUEST_ID
from adaptive_reasoner.server.metrics.counting import Metrics
from adaptive_reasoner.server.parts import parts_of

_LOG = logging.getLogger("adaptive_reasoner.server.access")
_OTHER = "other"
# The client left before an answer had begun.
_GONE = 499


class Observing:
    """ASGI middleware: counts requests by their route, so that nobody's made-up paths become metrics."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._traces = find_spec("opentelemetry") is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.monotonic(), _GONE
        token = REQUEST_ID.set(scope.get("state", {}).get("request_id", ""))

        async def watched_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            with self._span(scope) as span:
                await self._app(scope, receive, watched_send)
                if span is not None:
                    span.set_attribute("http.response.status_code", status)
        except Exception:
            status = 500
            raise
        finally:
            _tell(scope, status, time.monotonic() - started)
            REQUEST_ID.reset(token)

    def _span(self, scope: Scope) -> AbstractContextManager[Any]:
        """A span of the caller's trace; those of the nodes are below it."""
        if not self._traces:
            return nullcontext()
        from opentelemetry import propagate, trace

        parent = propagate.extract(dict(Headers(scope=scope).items()))
        return trace.get_tracer("adaptive_reasoner.server").start_as_current_span(
            f"{scope['method']} {scope['path']}" if scope["path"].startswith("/v1/chat") else scope["method"],
            context=parent,
            kind=trace.SpanKind.SERVER,
            attributes={"http.request.method": scope["method"]},
            record_exception=False,  # its message may quote what was asked
        )


def _tell(scope: Scope, status: int, seconds: float) -> None:
    connection = HTTPConnection(scope)
    path = getattr(scope.get("route"), "path", _OTHER)
    parts_of(connection).get(Metrics).request(scope["method"], path, status, seconds)
    caller = caller_of(connection)
    fields = {
        "method": scope["method"],
        "path": path,
        "status": status,
        "milliseconds": round(seconds * 1e3, 1),
    }
    _LOG.info("request", extra={"fields": {**fields, "key_id": caller.key_id, "tenant": caller.tenant}})
