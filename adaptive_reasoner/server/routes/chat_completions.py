"""`POST /v1/chat/completions`."""

import hashlib
import json
import re
from collections.abc import AsyncGenerator

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from adaptive_reasoner.openai_shapes import Envelope
from adaptive_reasoner.server.asking import THREAD_HEADER, Asked, answer, read_asked, to_its_end
from adaptive_reasoner.server.caller import caller_of
from adaptive_reasoner.server.disconnects import unless_gone
from adaptive_reasoner.server.errors import InvalidRequestError
from adaptive_reasoner.server.idempotency import HEADER, Stored
from adaptive_reasoner.server.parts import AppParts, parts_of
from adaptive_reasoner.server.routes.documented import ERRORS
from adaptive_reasoner.server.streaming import AnswerStream
from adaptive_reasoner.server.wire.answers import SSE_END, completion
from adaptive_reasoner.server.wire.requests import ChatCompletionRequest

router = APIRouter(tags=["chat"], responses=ERRORS)

IGNORED_HEADER = "x-ignored-fields"
REPLAYED_HEADER = "idempotent-replayed"
_JSON, _SSE = "application/json", "text/event-stream"
_KEY = re.compile(r"[\x21-\x7e]{1,255}\Z")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_SSE_HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}


@router.post("/v1/chat/completions")
async def create_chat_completion(body: ChatCompletionRequest, request: Request) -> Response:
    """Answer a conversation, whole or as server-sent events; the report is under `adaptive_reasoning`."""
    parts, raw = parts_of(request), await request.body()
    _check_text(raw)
    asked = read_asked(body, request, parts)
    envelope = Envelope(body.model, asked.look.logprobs)
    claim = await _Claim.make(parts, request, raw)
    asked = asked.under(claim.turn_key)
    if claim.stored is not None:
        return claim.stored_answer(_headers(asked))
    try:
        if body.stream:
            stream = AnswerStream(parts, asked, envelope)
            await stream.begin(request)
            headers = {**_headers(asked), **_SSE_HEADERS}
            return StreamingResponse(claim.keeping(stream.events()), headers=headers, media_type=_SSE)
        given = await unless_gone(request, answer(parts, asked))
    except BaseException:
        await to_its_end(claim.release())
        raise
    text = json.dumps(completion(envelope, given, asked.look), separators=(",", ":")).encode()
    status = 200 if all(one.is_settled for one in given) else 202
    await to_its_end(claim.finish(Stored(text, _JSON, status)))
    return Response(text, status, _headers(asked), _JSON)


def _headers(asked: Asked) -> dict[str, str]:
    ignored = ",".join(name for name in asked.ignored if _KEY.match(name))
    thread = asked.question.thread_id
    headers = {} if thread is None else {THREAD_HEADER: thread.rpartition("/")[2]}
    return {**headers, **({IGNORED_HEADER: ignored} if ignored else {})}


def _check_text(raw: bytes) -> None:
    """Half of a surrogate pair is no character: no model, store or answer could carry it."""
    if _SURROGATE.search(raw):
        try:
            json.dumps(json.loads(raw), ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise InvalidRequestError(
                "The request holds half of a surrogate pair, which is no character."
            ) from error


class _Claim:
    """What the request's idempotency key stands for; without a key, nothing."""

    def __init__(
        self, parts: AppParts, key: str | None = None, digest: str = "", stored: Stored | None = None
    ) -> None:
        self._store = parts.idempotency
        self._key = key
        self.stored = stored
        self.turn_key = None if key is None else hashlib.sha256(f"{key}\n{digest}".encode()).hexdigest()

    @classmethod
    async def make(cls, parts: AppParts, request: Request, raw: bytes) -> "_Claim":
        given = request.headers.get(HEADER)
        if given is None:
            return cls(parts)
        if not _KEY.match(given):
            raise InvalidRequestError(
                "An idempotency key has 1 to 255 printable ASCII characters without spaces.", param=HEADER
            )
        caller = caller_of(request)
        key = "\n".join((caller.tenant or "", caller.key_id or "", given))
        digest = hashlib.sha256(raw).hexdigest()
        return cls(parts, key, digest, await parts.idempotency.begin(key, digest))

    def stored_answer(self, headers: dict[str, str]) -> Response:
        assert self.stored is not None  # noqa: S101 - asked for only then
        stored = self.stored
        return Response(stored.body, stored.status, {**headers, REPLAYED_HEADER: "true"}, stored.media_type)

    async def finish(self, stored: Stored) -> None:
        if self._key is not None:
            await self._store.finish(self._key, stored)

    async def release(self) -> None:
        if self._key is not None:
            await self._store.release(self._key)

    async def keeping(self, events: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        """Pass `events` on and keep them, if they come to their end."""
        sent: list[bytes] = []
        try:
            async for event in events:
                if self._key is not None:
                    sent.append(event)
                yield event
        finally:
            await events.aclose()
            if sent and sent[-1] == SSE_END:
                await to_its_end(self.finish(Stored(b"".join(sent), _SSE)))
            else:
                await to_its_end(self.release())
