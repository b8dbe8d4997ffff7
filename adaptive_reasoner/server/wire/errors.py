"""Every failure in the shape of OpenAI's errors."""

import logging
import math
from typing import Any, cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from adaptive_reasoner.errors import AdaptiveReasonerError
from adaptive_reasoner.openai_shapes import Json
from adaptive_reasoner.server.errors import SHOWN, ServerError, Table
from adaptive_reasoner.server.request_ids import HEADER

_LOG = logging.getLogger(__name__)
# nginx's word for a client that left; nobody sees it but the log.
_CLIENT_CLOSED = 499
_INTERNAL = "The server failed to answer; its log holds more under this request's id."


def error_body(message: str, kind: str, code: str | None, param: str | None = None) -> Json:
    """What OpenAI's clients read."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def body_of(error: Exception) -> tuple[int, Json, dict[str, str]]:
    """HTTP status, body and further headers that tell a client of `error`."""
    if not isinstance(error, AdaptiveReasonerError):
        return 500, error_body(_INTERNAL, Table.API, "internal_error"), {}
    shown = SHOWN.of(error)
    param = error.param if isinstance(error, ServerError) else None
    wait = error.retry_after_seconds if isinstance(error, ServerError) else None
    headers = {} if wait is None else {"retry-after": str(max(1, math.ceil(wait)))}
    text = _INTERNAL if shown.hides else str(error)
    return shown.status, error_body(text, shown.type, shown.code or error.code, param), headers


def install(app: FastAPI) -> None:
    """Let `app` answer every failure in this shape."""
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(AdaptiveReasonerError, _failed)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _broken)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - Starlette's types are wider than its promise
    first = cast("dict[str, Any]", error.errors()[0])
    if first["type"] == "json_invalid":
        said = first.get("ctx", {}).get("error", "")
        text = f"We could not parse the JSON body of your request: {said}."
        return JSONResponse(error_body(text, Table.INVALID, "invalid_json"), 400)
    param = param_of(first["loc"])
    where = f"Invalid value for '{param}'" if param else "The body of your request is invalid"
    code = "missing_required_parameter" if first["type"] == "missing" else "invalid_value"
    return JSONResponse(error_body(f"{where}: {first['msg']}.", Table.INVALID, code, param or None), 400)


def param_of(loc: tuple[Any, ...]) -> str:
    """The path of a pydantic error in OpenAI's spelling: "messages[0].content"."""
    path, was_tag = "", False
    for part in loc[1:]:
        was_tag = not was_tag and (part in _TAGS or str(part).endswith("]"))
        if not was_tag:
            path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path


# What pydantic puts into a path beside the fields: the branch of a union that it tried.
_TAGS = frozenset({
    "system", "developer", "user", "assistant", "tool", "str", "json_schema", "json_object", "text", "NamedTool",
    "ThoughtTokens", "constrained-str",
})  # fmt: skip


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    where = f"{request.method} {request.url.path}"
    texts = {404: f"Unknown request URL: {where}.", 405: f"The method is not allowed: {where}."}
    codes = {404: "unknown_url", 405: "method_not_allowed", 413: "request_too_large"}
    kind = Table.INVALID if error.status_code < 500 else Table.API
    body = error_body(texts.get(error.status_code, str(error.detail)), kind, codes.get(error.status_code))
    return JSONResponse(body, error.status_code, error.headers)


async def _failed(_request: Request, error: Exception) -> Response:
    status, body, headers = body_of(error)
    if status >= 500:
        _LOG.warning("request failed: %s", getattr(error, "code", type(error).__name__))
    return JSONResponse(body, status, headers)


async def _gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=_CLIENT_CLOSED)


async def _broken(request: Request, error: Exception) -> Response:
    status, body, headers = body_of(error)
    # Starlette answers this one outside of every middleware.
    return JSONResponse(body, status, {**headers, HEADER: getattr(request.state, "request_id", "")})
