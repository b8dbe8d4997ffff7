"""How attempts reach an endpoint: over aiohttp where it is installed, a third of the CPU of httpx's own transport.

Both speak httpx's requests, responses and errors, so that nothing above them sees which one it is.
"""

from importlib.util import find_spec
from urllib.request import getproxies

import httpx

MOST_CONNECTIONS, _MOST_IDLE = 1000, 100


def open_wire(timeout: httpx.Timeout) -> httpx.AsyncBaseTransport:
    """The transport of this environment.

    Args:
        timeout: of one attempt, for requests that say none.
    """
    if find_spec("aiohttp") is None or getproxies():  # httpx knows each variable that names a proxy
        return HttpxWire(timeout)
    from adaptive_reasoner.server.upstream_aiohttp import AiohttpWire

    return AiohttpWire(MOST_CONNECTIONS)


class HttpxWire(httpx.AsyncBaseTransport):
    """A whole client of httpx, with its proxies."""

    def __init__(self, timeout: httpx.Timeout) -> None:
        limits = httpx.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=_MOST_IDLE)
        self._client = httpx.AsyncClient(timeout=timeout, limits=limits)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the answer is a stream."""
        return await self._client.send(request, stream=True)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
