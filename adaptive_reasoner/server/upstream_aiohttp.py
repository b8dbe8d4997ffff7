"""aiohttp's connections behind httpx's interface of transports."""

import asyncio
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager

import aiohttp
import httpx

# As long as httpx keeps them: shorter than usual servers do.
_KEEP_ALIVE_SECONDS = 5.0


class AiohttpWire(httpx.AsyncBaseTransport):
    """aiohttp's connections, of the event loop that asks."""

    def __init__(self, most_connections: int) -> None:
        self._most_connections = most_connections
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._certificates = httpx.create_ssl_context()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the answer is a stream.

        Raises:
            httpx.TransportError: what went wrong under way.
        """
        session, limits = self._opened(), request.extensions.get("timeout", {})
        timeout = aiohttp.ClientTimeout(
            total=None,
            connect=limits.get("pool"),
            sock_connect=limits.get("connect"),
            sock_read=limits.get("read"),
        )
        with _told_as_httpx():
            response = await session.request(
                request.method,
                str(request.url),
                headers=request.headers.multi_items(),
                data=await request.aread() or None,
                allow_redirects=False,
                timeout=timeout,
            )
        return httpx.Response(response.status, headers=response.raw_headers, stream=_Body(response))

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        session = self._session
        if session is None or session.closed or self._loop is not loop:
            connector = aiohttp.TCPConnector(
                limit=self._most_connections, keepalive_timeout=_KEEP_ALIVE_SECONDS, ssl=self._certificates
            )
            session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
            )
            self._session, self._loop = session, loop
        return session


class _Body(httpx.AsyncByteStream):
    """What the endpoint sends, as it comes."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _told_as_httpx():
            async for chunk in self._response.content.iter_any():
                yield chunk

    async def aclose(self) -> None:
        """Give the connection back; one with an answer that was not read to its end is closed."""
        self._response.close()


@contextmanager
def _told_as_httpx() -> Generator[None]:
    """Tell aiohttp's errors as those of httpx that OpenAI's client and the breakers know."""
    try:
        yield
    except aiohttp.SocketTimeoutError as error:
        raise httpx.ReadTimeout(str(error)) from error
    except aiohttp.ServerTimeoutError as error:
        raise httpx.ConnectTimeout(str(error)) from error
    except TimeoutError as error:
        raise httpx.PoolTimeout(str(error)) from error
    except aiohttp.InvalidURL as error:
        raise httpx.UnsupportedProtocol(str(error)) from error
    except aiohttp.ClientConnectorError as error:
        raise httpx.ConnectError(str(error)) from error
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientResponseError) as error:
        raise httpx.RemoteProtocolError(str(error)) from error
    except aiohttp.ClientError as error:
        raise httpx.ReadError(str(error)) from error
