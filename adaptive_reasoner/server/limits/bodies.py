"""Reads a request's body within its limits, and hands it on."""

import asyncio

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope

from adaptive_reasoner.server.errors import SlowRequestError, TooLargeError


async def read_body(scope: Scope, receive: Receive, most_bytes: int, seconds: float) -> bytes:
    """The whole body.

    Raises:
        TooLargeError: it is larger; what was said of its length is believed before anything is read.
        SlowRequestError: it does not arrive in time.
        ClientDisconnect: the client left.
    """
    said = Headers(scope=scope).get("content-length", "")
    if said.isdecimal() and int(said) > most_bytes:
        raise _too_large(most_bytes)
    try:
        return await asyncio.wait_for(_read(receive, most_bytes), seconds)
    except TimeoutError:
        raise SlowRequestError(f"The request did not arrive within {seconds:g} seconds.") from None


def replaying(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body once, and then what comes after it."""
    sent = False

    async def again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _read(receive: Receive, most_bytes: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > most_bytes:
            raise _too_large(most_bytes)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _too_large(most_bytes: int) -> TooLargeError:
    return TooLargeError(f"The request is larger than {most_bytes} bytes; send less.")
