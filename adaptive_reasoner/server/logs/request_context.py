"""Which request a log line belongs to."""

from contextvars import ContextVar

REQUEST_ID: ContextVar[str] = ContextVar("adaptive_reasoner_request_id", default="")
