"""One row answered, as the server would answer the same request: every failure is a row, too."""

import asyncio
import uuid
from dataclasses import dataclass

from pydantic import ValidationError
from starlette.requests import Request

from adaptive_reasoner.batch.rows import BatchRow
from adaptive_reasoner.errors import AdaptiveReasonerError
from adaptive_reasoner.openai_shapes import Envelope, Json
from adaptive_reasoner.server.asking import answer, read_asked
from adaptive_reasoner.server.caller import Caller
from adaptive_reasoner.server.errors import InvalidRequestError, ServerError
from adaptive_reasoner.server.parts import AppParts
from adaptive_reasoner.server.wire.answers import completion
from adaptive_reasoner.server.wire.errors import body_of, param_of
from adaptive_reasoner.server.wire.requests import ChatCompletionRequest

# How often a row waits for its place under a rate limit.
_WAITS = 20


@dataclass(frozen=True, slots=True)
class RowAnswerer:
    """Answers rows for one caller.

    Attributes:
        parts: what the server is made of.
        tenant: whose budgets are used; None: those that hold for everybody.
    """

    parts: AppParts
    tenant: str | None = None

    async def answer(self, row: BatchRow) -> Json:
        """The output of `row`: the response in OpenAI's shape, or the error, and which row it is.

        Errors that nobody foresaw are the row's, too: one row must not end a batch.
        """
        request_id = f"batch_{uuid.uuid4().hex}"
        given = await self._patiently(row, request_id)
        status, body = (200, given) if isinstance(given, dict) else _failure(given)
        error = {key: body["error"][key] for key in ("code", "message")} if status != 200 else None
        response = {"status_code": status, "request_id": request_id, "body": body}
        named = {"row": row.row, "digest": row.digest, "id": request_id, "custom_id": row.custom_id}
        return {**named, "response": response, "error": error}

    async def _patiently(self, row: BatchRow, request_id: str) -> Json | BaseException:
        """The body, or why there is none; a limit that says when to come again is waited for."""
        for _ in range(_WAITS):
            [given] = await asyncio.gather(self._body(row, request_id), return_exceptions=True)
            wait = given.retry_after_seconds if isinstance(given, ServerError) else None
            if wait is None:
                return given
            await asyncio.sleep(wait)
        [given] = await asyncio.gather(self._body(row, request_id), return_exceptions=True)
        return given

    async def _body(self, row: BatchRow, request_id: str) -> Json:
        if row.body is None:
            raise InvalidRequestError(row.problem or "The row cannot be read.")
        request = _request(Caller(tenant=self.tenant), request_id)
        asked = read_asked(_checked(row.body), request, self.parts)
        given = await answer(self.parts, asked)
        return completion(Envelope(row.body["model"], asked.look.logprobs), given, asked.look)


def _failure(error: BaseException) -> tuple[int, Json]:
    """Status and body; unlike a server's client, who runs a batch may read what nobody foresaw."""
    if not isinstance(error, Exception):  # the process is told to stop
        raise error
    status, body, _ = body_of(error)
    if not isinstance(error, AdaptiveReasonerError):
        body["error"]["message"] = f"{type(error).__name__}: {error}"
    return status, body


def _checked(body: Json) -> ChatCompletionRequest:
    try:
        return ChatCompletionRequest.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        param = param_of(("body", *first["loc"]))
        raise InvalidRequestError(f"Invalid value for '{param}': {first['msg']}.", param=param) from None


def _request(caller: Caller, request_id: str) -> Request:
    """What the server knows of who asks; a batch has no headers."""
    state = {"caller": caller, "request_id": request_id}
    return Request({"type": "http", "headers": [], "state": state})
