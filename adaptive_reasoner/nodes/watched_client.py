"""An OpenAI client that shows a reader what comes back from the Responses API, and changes nothing."""

from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Any, Protocol, Self


class ResponseReader(Protocol):
    """Who is shown what comes back."""

    def read_response(self, response: Any) -> None:
        """Read a whole response."""

    def read_event(self, event: Any) -> None:
        """Read one event of a stream."""


class WatchedClient:
    """An OpenAI client, sync or async, whose `responses` are watched; all else is the client's own."""

    def __init__(self, client: Any, reader: ResponseReader) -> None:
        self._client = client
        self._reader = reader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    @property
    def responses(self) -> "_WatchedMethods":
        """The methods of the Responses API."""
        return _WatchedMethods(self._client.responses, self._reader)

    @property
    def with_raw_response(self) -> "WatchedClient":
        """The client whose methods give raw HTTP responses."""
        return WatchedClient(self._client.with_raw_response, self._reader)


class _WatchedMethods:
    """`client.responses`, and its `with_raw_response`: what `create` and `parse` give is watched."""

    def __init__(self, methods: Any, reader: ResponseReader) -> None:
        self._methods = methods
        self._reader = reader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._methods, name)

    @property
    def with_raw_response(self) -> "_WatchedMethods":
        return _WatchedMethods(self._methods.with_raw_response, self._reader)

    def create(self, **payload: Any) -> Any:
        return self._watched(self._methods.create(**payload))

    def parse(self, **payload: Any) -> Any:
        return self._watched(self._methods.parse(**payload))

    def _watched(self, result: Any) -> Any:
        return self._awaited(result) if hasattr(result, "__await__") else _watch(result, self._reader)

    async def _awaited(self, result: Any) -> Any:
        return _watch(await result, self._reader)


class _WatchedRaw:
    """A raw HTTP response whose parsed form is watched."""

    def __init__(self, raw: Any, reader: ResponseReader) -> None:
        self._raw = raw
        self._reader = reader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def parse(self) -> Any:
        return _watch(self._raw.parse(), self._reader)


class _WatchedStream:
    """A stream of events, sync or async, each shown on its way."""

    def __init__(self, stream: Any, reader: ResponseReader) -> None:
        self._stream = stream
        self._reader = reader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __enter__(self) -> Self:
        self._stream.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.__exit__(kind, error, trace)

    async def __aenter__(self) -> Self:
        await self._stream.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stream.__aexit__(kind, error, trace)

    def __iter__(self) -> Iterator[Any]:
        for event in self._stream:
            self._reader.read_event(event)
            yield event

    async def __aiter__(self) -> AsyncIterator[Any]:
        async for event in self._stream:
            self._reader.read_event(event)
            yield event


def _watch(result: Any, reader: ResponseReader) -> Any:
    """What a method of the client gave, in a form that shows itself to `reader`."""
    if hasattr(result, "output"):
        reader.read_response(result)
        return result
    if hasattr(result, "parse"):
        return _WatchedRaw(result, reader)
    is_stream = hasattr(result, "__enter__") or hasattr(result, "__aenter__")
    return _WatchedStream(result, reader) if is_stream else result
