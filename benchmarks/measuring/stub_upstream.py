"""An OpenAI-compatible endpoint that answers after a fixed time, and a client that asks as often as it may.

Both speak plain HTTP/1.1 over asyncio, so that they cost little of what is measured.

    python benchmarks/measuring/stub_upstream.py --port 9000 --delay 0.05
"""

import argparse
import asyncio
import json
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]
ANSWER = "Answer: 26"
_LIMIT = 2**22  # bytes of a body


def completion(model: str, with_logprobs: bool) -> bytes:
    """One sure answer, in OpenAI's shape."""
    logprobs: Json | None = None
    if with_logprobs:
        other = [{"token": "13", "logprob": math.log(0.001), "bytes": None}]
        tokens = ("Answer", ":", " 26")
        entries = [{"token": token, "logprob": math.log(0.999), "bytes": None} for token in tokens]
        logprobs = {"content": [{**entry, "top_logprobs": [entry, *other]} for entry in entries]}
    message = {"role": "assistant", "content": ANSWER, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": logprobs, "finish_reason": "stop"}
    usage = {"prompt_tokens": 20, "completion_tokens": 3, "total_tokens": 23}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model}
    return json.dumps({**head, "choices": [choice], "usage": usage}).encode()


async def read_message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Head and body of one HTTP message that says its length."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    if b"transfer-encoding: chunked" in head.lower():
        return head, await _chunks(reader)
    return head, await reader.readexactly(length) if length else b""


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readuntil(b"\r\n")
    return body


def upstream(delay: float) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """A handler of connections that answers each request after `delay` seconds."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                _, body = await read_message(reader)
                asked: Json = json.loads(body) if body else {}
                await asyncio.sleep(delay)
                text = completion(asked.get("model", "stub"), bool(asked.get("logprobs")))
                head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(text)}\r\n\r\n"
                writer.write(head.encode() + text)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    return serve


@dataclass(slots=True)
class Load:
    """What one round of requests saw.

    Attributes:
        seconds: of each answered request.
        statuses: how often each HTTP status came; 0 is a lost connection.
        wall: seconds of the whole round.
    """

    seconds: list[float] = field(default_factory=list[float])
    statuses: dict[int, int] = field(default_factory=dict[int, int])
    wall: float = 0.0

    @property
    def errors(self) -> int:
        """Requests without an answer."""
        return sum(count for status, count in self.statuses.items() if status != 200)


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked: a base URL and the name of a model there."""

    base_url: str
    model: str
    question: str = "What is 3 * 7 + 5?"
    more: Json = field(default_factory=dict[str, Any])

    def request(self) -> bytes:
        """The bytes of one request."""
        url = urlsplit(self.base_url)
        asked = {"model": self.model, "messages": [{"role": "user", "content": self.question}], **self.more}
        body = json.dumps(asked).encode()
        head = (
            f"POST {url.path}/chat/completions HTTP/1.1\r\nhost: {url.netloc}\r\nauthorization: Bearer none\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


async def load(target: Target, clients: int, requests: int) -> Load:
    """`requests` in all, each of the `clients` asking again as soon as it is answered."""
    seen, left, raw = Load(), iter(range(requests)), target.request()
    url = urlsplit(target.base_url)

    async def client() -> None:
        connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        for _ in left:
            begun, status = perf_counter(), 0
            try:
                connection = connection or await asyncio.open_connection(url.hostname, url.port, limit=_LIMIT)
                connection[1].write(raw)
                head, _ = await read_message(connection[0])
                status = int(head[9:12])
            except (OSError, asyncio.IncompleteReadError):
                connection = None
            if status == 200:
                seen.seconds.append(perf_counter() - begun)
            seen.statuses[status] = seen.statuses.get(status, 0) + 1
        if connection:
            connection[1].close()

    begun = perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    seen.wall = perf_counter() - begun
    return seen


async def _serve(port: int, delay: float) -> None:
    server = await asyncio.start_server(upstream(delay), "127.0.0.1", port, limit=_LIMIT, backlog=2048)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="The endpoint alone.")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--delay", type=float, default=0.05)
    options = parser.parse_args()
    asyncio.run(_serve(options.port, options.delay))
