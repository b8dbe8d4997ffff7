"""Errors in the shape of OpenAI's API."""

from typing import Any

from adaptive_reasoner.errors import AdaptiveReasonerError, ConfigurationError, InvalidInputError, ModelError

Json = dict[str, Any]


def error_body(error: Exception) -> tuple[int, Json]:
    """Give the HTTP status and the body that tell a client of `error`.

    Errors that carry a `status_code` of 400 to 599, as openai's do, keep it.
    """
    status = _status(error)
    code = getattr(error, "error_code", None) or getattr(error, "code", None)
    kind = "invalid_request_error" if status < 500 else "server_error"
    text = str(error) or type(error).__name__
    body = {"message": text, "type": kind, "param": None, "code": code if isinstance(code, str) else None}
    return status, {"error": body}


def _status(error: Exception) -> int:
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and 400 <= status <= 599:
        return status
    if isinstance(error, InvalidInputError | ConfigurationError | NotImplementedError):
        return 400
    is_upstream = isinstance(error, ModelError) or not isinstance(error, AdaptiveReasonerError)
    return 502 if is_upstream else 500
