"""An OpenAI-compatible endpoint that fails as it is told to, on loopback."""

import json
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER = "Answer: 12"


def completion(text: str = ANSWER, logprobs: Any = "good") -> dict[str, Any]:
    """An answer whose tokens are sure, or with these log probabilities."""
    entries = [
        {"token": piece, "logprob": -0.001, "bytes": None, "top_logprobs": []} for piece in ("Answer:", " 12")
    ]
    held = {"content": entries, "refusal": None} if logprobs == "good" else logprobs
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": held}
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    return {
        "id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage,
    }  # fmt: skip


@dataclass
class Upstream:
    """What came: bodies and heads in their order; `play` says by number what the next request gets."""

    base_url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def failing(play: Callable[[int], str] | Sequence[str]) -> Generator[Upstream]:
    """Serve for as long as the `with` block runs.

    Args:
        play: what request `number` gets: "ok", "429", "500" (with "429 7" it says to wait for 7 seconds), "hang",
            "reset", "truncated", "redirect", "no_logprobs", "bad_logprobs", "unsure"; a sequence's last word goes on
            for ever. A request for a stream gets one, broken off in the middle where the word is "reset".
    """
    upstream = Upstream()
    words = play

    def chosen(number: int) -> str:
        return words(number) if callable(words) else words[min(number, len(words) - 1)]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with upstream.lock:
                number = len(upstream.bodies)
                upstream.bodies.append(body)
                upstream.heads.append({name.lower(): value for name, value in self.headers.items()})
            play_one(self, chosen(number), stop, is_streamed=bool(body.get("stream")))

    stop = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    upstream.base_url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield upstream
    finally:
        stop.set()
        server.shutdown()
        server.server_close()
        thread.join()


def play_one(
    handler: BaseHTTPRequestHandler, word: str, stop: threading.Event, *, is_streamed: bool = False
) -> None:
    """Answer one request as `word` says."""
    if word == "hang":
        stop.wait(30)
        return
    status, _, wait = word.partition(" ")
    if status in ("429", "500", "503"):
        error = {"error": {"message": "no", "type": "server_error", "param": None, "code": None}}
        _send(handler, int(status), json.dumps(error).encode(), {"Retry-After": wait or "0"})
        return
    if word == "redirect":
        _send(handler, 307, b"", {"Location": "http://127.0.0.1:1/v1/chat/completions"})
        return
    if is_streamed and word in ("ok", "reset"):
        _stream(handler, is_whole=word == "ok")
        return
    odd = {"no_logprobs": None, "bad_logprobs": {"content": [{"token": 5, "logprob": "x"}, None]}}
    whole = completion(logprobs=odd.get(word, "good"))
    if word == "unsure":
        for entry in whole["choices"][0]["logprobs"]["content"]:
            entry["logprob"] = -0.9
    raw = json.dumps(whole).encode()
    if word == "reset":
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(raw)))
        handler.end_headers()
        handler.wfile.write(raw[: len(raw) // 2])
        handler.wfile.flush()
        handler.close_connection = True
        return
    _send(handler, 200, raw[: len(raw) // 2] if word == "truncated" else raw, {})


def _stream(handler: BaseHTTPRequestHandler, *, is_whole: bool) -> None:
    """The same answer as events; one that is not whole ends after its first words, without the last chunk's mark."""
    whole = completion()
    choice, entries = whole["choices"][0], whole["choices"][0]["logprobs"]["content"]
    head = {name: whole[name] for name in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    pieces = [({"role": "assistant", "content": ""}, None, None)]
    pieces += [({"content": entry["token"]}, {"content": [entry]}, None) for entry in entries]
    pieces.append(({}, None, choice["finish_reason"]))
    events = [
        {**head, "choices": [{"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish}]}
        for delta, logprobs, finish in pieces
    ]
    events.append({**head, "choices": [], "usage": whole["usage"]})
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    lines = [f"data: {json.dumps(event)}\n\n".encode() for event in events] + [b"data: [DONE]\n\n"]
    for line in lines if is_whole else lines[:2]:
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
    if is_whole:
        handler.wfile.write(b"0\r\n\r\n")
    handler.wfile.flush()
    handler.close_connection = True


def _send(handler: BaseHTTPRequestHandler, status: int, raw: bytes, headers: dict[str, str]) -> None:
    handler.send_response(status)
    for name, value in {
        "Content-Type": "application/json",
        "Content-Length": str(len(raw)),
        **headers,
    }.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(raw)
