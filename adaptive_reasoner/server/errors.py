"""What the server refuses, and the HTTP status, type and code that each error of the package has there."""

from dataclasses import dataclass, field
from typing import ClassVar

from adaptive_reasoner.errors import AdaptiveReasonerError, InvalidInputError, ModelRateLimitError


class ServerError(AdaptiveReasonerError):
    """A request that is answered with an error of its own.

    Attributes:
        param: the field of the request that is wrong, as "messages[0].content".
        retry_after_seconds: when to try again, None where that is no help.
    """

    code = "server_error"

    def __init__(
        self, message: str, *, param: str | None = None, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message)
        self.param = param
        self.retry_after_seconds = retry_after_seconds


class InvalidRequestError(ServerError, InvalidInputError):
    """A field of the request is wrong, or does not go with another."""

    code = "invalid_value"


class UnknownModelError(ServerError, InvalidInputError):
    """The request names a model that is not served."""

    code = "model_not_found"


class UnknownThreadError(ServerError, InvalidInputError):
    """There is no such thread."""

    code = "thread_not_found"


class ThreadBusyError(ServerError):
    """Another request of the same thread is being answered."""

    code = "thread_busy"


class IdempotencyError(ServerError):
    """The first request with the same idempotency key is still being answered."""

    code = "idempotency_conflict"


class IdempotencyStoreError(ServerError):
    """The store of idempotency keys cannot be reached."""

    code = "idempotency_unavailable"


class IdempotencyMismatchError(ServerError, InvalidInputError):
    """The same idempotency key came with another request."""

    code = "idempotency_mismatch"


class UnknownPageError(ServerError, InvalidInputError):
    """The console has no such file."""

    code = "unknown_url"


class UnknownReviewError(ServerError, InvalidInputError):
    """There is no such review, or it is somebody else's."""

    code = "review_not_found"


class ReviewDecidedError(ServerError, InvalidInputError):
    """Somebody has decided already."""

    code = "review_decided"


class ReviewStoreError(ServerError):
    """The store of reviews cannot be reached."""

    code = "reviews_unavailable"


class ReviewRunError(ServerError):
    """The run that waited cannot be gone on with."""

    code = "review_run_lost"


class ThreadStoreError(ServerError):
    """The store of threads cannot be reached."""

    code = "threads_unavailable"


class KeyRefusedError(ServerError):
    """The request names no key, or one that is unknown, revoked or expired."""

    code = "invalid_api_key"


class ScopeError(ServerError):
    """The key does not reach this route."""

    code = "insufficient_scope"


class ForeignOriginError(ServerError):
    """A page of another origin, or another host's name, asks a server that has no keys."""

    code = "foreign_origin"


class KeyStoreError(ServerError):
    """The store of keys cannot be reached."""

    code = "keys_unavailable"


class TooLargeError(ServerError, InvalidInputError):
    """The request is larger than the server reads."""

    code = "request_too_large"


class SlowRequestError(ServerError):
    """The request's body did not arrive in time."""

    code = "request_timeout"


class RateLimitError(ServerError):
    """The caller has used up its requests or tokens of this minute."""

    code = "rate_limit_exceeded"


class RateStoreError(ServerError):
    """The store of rates that replicas share cannot be reached."""

    code = "rates_unavailable"


class BusyError(ServerError):
    """More requests are waiting than the server lets wait, or this one has waited for too long."""

    code = "server_busy"


class StoppingError(ServerError):
    """The server finishes what it has begun and takes nothing new."""

    code = "server_stopping"


class UpstreamLimitError(ServerError, ModelRateLimitError):
    """A model's provider takes no more calls for now, and says when it does."""

    code = "model_rate_limited"


class AnswerTimeoutError(ServerError):
    """The whole answer, all calls together, took longer than a request may."""

    code = "answer_timeout"


@dataclass(frozen=True, slots=True)
class Shown:
    """How an error is shown to a client.

    Attributes:
        status: HTTP status.
        type: OpenAI's word for its kind.
        code: OpenAI's code where it has one, None: the error's own.
        hides: leave the message out: it may tell of the server's inside.
    """

    status: int
    type: str
    code: str | None = None
    hides: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """By the error's code; whoever adds an error adds a row by `add`."""

    INVALID: ClassVar[str] = "invalid_request_error"
    API: ClassVar[str] = "api_error"
    rows: dict[str, Shown] = field(default_factory=dict[str, Shown])

    def of(self, error: AdaptiveReasonerError) -> Shown:
        """The row of the error's class, or of the nearest class above it."""
        codes = (getattr(kind, "code", None) for kind in type(error).__mro__)
        found = (self.rows[code] for code in codes if code in self.rows)
        return next(found, Shown(500, self.API))

    def add(self, error: type[AdaptiveReasonerError], shown: Shown) -> None:
        """Say how `error` is shown."""
        self.rows[error.code] = shown


SHOWN = Table(
    {
        "invalid_input": Shown(400, Table.INVALID),
        "invalid_configuration": Shown(400, Table.INVALID),
        "missing_extra": Shown(500, Table.API),
        "context_window_exceeded": Shown(400, Table.INVALID, "context_length_exceeded"),
        "invalid_api_key": Shown(401, Table.INVALID),
        "unknown_tenant": Shown(403, "permission_error"),
        "insufficient_scope": Shown(403, "permission_error"),
        "foreign_origin": Shown(403, "permission_error"),
        "model_not_found": Shown(404, Table.INVALID),
        "thread_not_found": Shown(404, Table.INVALID),
        "request_timeout": Shown(408, "timeout_error"),
        "thread_busy": Shown(409, "conflict_error"),
        "unknown_url": Shown(404, Table.INVALID),
        "review_not_found": Shown(404, Table.INVALID),
        "review_decided": Shown(409, "conflict_error"),
        "review_run_lost": Shown(500, Table.API),
        "reviews_unavailable": Shown(503, Table.API),
        "idempotency_conflict": Shown(409, "conflict_error"),
        "request_too_large": Shown(413, Table.INVALID),
        "idempotency_mismatch": Shown(422, Table.INVALID),
        "budget_exhausted": Shown(429, "insufficient_quota", "insufficient_quota"),
        "rate_limit_exceeded": Shown(429, "rate_limit_error"),
        "server_busy": Shown(429, "overloaded_error"),
        "answer_timeout": Shown(504, "timeout_error"),
        "model_timeout": Shown(504, "timeout_error"),
        "model_failed": Shown(502, "upstream_error"),
        "model_rate_limited": Shown(429, "rate_limit_error"),
        "ledger_unavailable": Shown(503, Table.API),
        "threads_unavailable": Shown(503, Table.API),
        "keys_unavailable": Shown(503, Table.API),
        "idempotency_unavailable": Shown(503, Table.API),
        "rates_unavailable": Shown(503, Table.API),
        "server_stopping": Shown(503, "overloaded_error"),
        "adaptive_reasoner_error": Shown(500, Table.API),
    }
)
