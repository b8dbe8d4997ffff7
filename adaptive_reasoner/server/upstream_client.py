"""The HTTP client of a model: circuit breakers, a second endpoint, no redirects.

Retries with jitter, and the wait that `Retry-After` asks for, are those of OpenAI's own client, which sends each
attempt through here. A redirect is an error: an endpoint must not send prompts and keys elsewhere.
"""

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from adaptive_reasoner.server.upstream_endpoints import Endpoint, is_whole_json
from adaptive_reasoner.server.upstream_wire import open_wire

# Headers that say how a body travelled.
_COMPUTED = (b"content-encoding", b"content-length", b"transfer-encoding")
# A whole answer with log probabilities takes a few megabytes.
_MOST_BYTES = 256 * 2**20
# Of its time: an attempt that was given up so late counts as one that failed.
_NEARLY_ALL = 0.9


@dataclass(frozen=True, slots=True)
class UpstreamCounts:
    """What happened so far, by endpoint's name; failures by kind, too."""

    attempts: Counter[str] = field(default_factory=Counter[str])
    failures: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])


class UpstreamClient(httpx.AsyncClient):
    """OpenAI's client sends through this one.

    Attributes:
        endpoints: the first is asked first.
        counts: of attempts and failures.

    Args:
        timeout: of one attempt, for whoever sets none.
    """

    def __init__(self, endpoints: Sequence[Endpoint], timeout: httpx.Timeout) -> None:
        self.endpoints = endpoints
        self.counts = UpstreamCounts()
        self._failover = _Failover(endpoints, self.counts, open_wire(timeout))
        super().__init__(transport=self._failover, timeout=timeout, follow_redirects=False)

    @property
    def is_open(self) -> bool:
        """True if no endpoint is asked at the moment."""
        return all(endpoint.breaker.is_open for endpoint in self.endpoints)

    async def send(self, request: httpx.Request, *, stream: bool = False, **_others: Any) -> httpx.Response:
        """Send one attempt, without what httpx does for browsers: redirects, cookies, a login in the address."""
        if self.is_closed:
            raise RuntimeError("The client of the endpoint is closed.")
        response = await self._failover.handle_async_request(request)
        response.request = request
        if not stream:
            await response.aread()
        return response


class _Failover(httpx.AsyncBaseTransport):
    """Asks one endpoint after the other; what the last one said is the answer."""

    def __init__(
        self, endpoints: Sequence[Endpoint], counts: UpstreamCounts, wire: httpx.AsyncBaseTransport
    ) -> None:
        self._endpoints, self._counts, self._wire = endpoints, counts, wire

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one attempt."""
        body = await request.aread()
        last: httpx.Response | httpx.TransportError | None = None
        for endpoint in self._endpoints:
            if not endpoint.breaker.lets_pass():
                continue
            sent = endpoint.addressed(request, body)
            last = await self._attempt(endpoint, sent)
            if isinstance(last, httpx.Response) and last.status_code < 500 and last.status_code != 429:
                break
        if isinstance(last, httpx.TransportError):
            raise last
        return _closed_answer() if last is None else last

    async def aclose(self) -> None:
        """Close the connections."""
        await self._wire.aclose()

    async def _attempt(
        self, endpoint: Endpoint, request: httpx.Request
    ) -> httpx.Response | httpx.TransportError:
        self._counts.attempts[endpoint.name] += 1
        started, is_told = time.monotonic(), False
        try:
            response = await self._answer(endpoint, request)
            endpoint.breaker.asked_to_wait(response.headers.get("retry-after"))
            self._tell(endpoint, _failure(response))
            is_told = True
        except httpx.TransportError as error:
            self._tell(endpoint, "timeout" if isinstance(error, httpx.TimeoutException) else "connection")
            is_told = True
            return error
        finally:
            if not is_told:
                self._given_up(endpoint, request, time.monotonic() - started)
        return response

    async def _answer(self, endpoint: Endpoint, request: httpx.Request) -> httpx.Response:
        """A stream as it begins, anything else whole."""
        response = await self._wire.handle_async_request(request)
        response.request = request
        if response.status_code < 400 and "event-stream" in response.headers.get("content-type", ""):
            watched = _Watched(response, lambda kind: self._tell(endpoint, kind))
            return httpx.Response(response.status_code, headers=response.headers, stream=watched)
        return await _whole(response)

    def _tell(self, endpoint: Endpoint, failure: str | None) -> None:
        if failure is not None:
            self._counts.failures[endpoint.name, failure] += 1
        if failure in (None, "rate_limited"):
            endpoint.breaker.succeeded()  # whoever says "too fast" is there
        else:
            endpoint.breaker.failed()

    def _given_up(self, endpoint: Endpoint, request: httpx.Request, seconds: float) -> None:
        timeout: dict[str, float | None] = request.extensions.get("timeout", {})
        limit = timeout.get("read")
        if limit is not None and seconds >= _NEARLY_ALL * limit:
            self._tell(endpoint, "timeout")
        else:
            endpoint.breaker.given_up()


class _Watched(httpx.AsyncByteStream):
    """A stream whose end is told of: a reset in the middle is a failure of the endpoint."""

    def __init__(self, response: httpx.Response, tell: Callable[[str], None]) -> None:
        self._response, self._tell = response, tell

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._response.aiter_raw():
                yield chunk
        except httpx.TransportError:
            self._tell("reset")
            raise

    async def aclose(self) -> None:
        await self._response.aclose()


async def _whole(response: httpx.Response) -> httpx.Response:
    """A response that has been read; one that was cut off is an endpoint's failure, and may be asked for again."""
    try:
        chunks: list[bytes] = []
        size = 0
        async for chunk in response.aiter_bytes():
            chunks.append(chunk)
            size += len(chunk)
            if size > _MOST_BYTES:
                raise httpx.ReadError("The endpoint's answer does not end.", request=response.request)
    finally:
        await response.aclose()
    headers = [(name, value) for name, value in response.headers.raw if name.lower() not in _COMPUTED]
    whole = httpx.Response(response.status_code, headers=headers, content=b"".join(chunks))
    if whole.status_code == 200 and not is_whole_json(whole):
        raise httpx.RemoteProtocolError("The endpoint's answer was cut off.", request=response.request)
    return whole


def _failure(response: httpx.Response) -> str | None:
    """What went wrong at the endpoint; a request that it refuses is nobody's failure but the request's."""
    if response.status_code == 429:
        return "rate_limited"
    return f"status_{response.status_code}" if response.status_code >= 500 else None


def _closed_answer() -> httpx.Response:
    said = {"message": "The endpoint failed too often and is left alone for a while.", "type": "circuit_open"}
    headers = {"x-should-retry": "false"}  # OpenAI's client does not try again
    return httpx.Response(
        503, json={"error": {**said, "param": None, "code": "circuit_open"}}, headers=headers
    )
