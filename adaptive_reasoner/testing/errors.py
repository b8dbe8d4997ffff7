"""Errors of the test doubles, in the package's own tree."""

from adaptive_reasoner.errors import AdaptiveReasonerError


class ScriptError(AdaptiveReasonerError):
    """A script and what was played of it do not fit together."""

    code = "script_mismatch"


class UnexpectedCallError(ScriptError):
    """A scripted model was called after its last step."""

    code = "unexpected_call"


class UnconsumedStepsError(ScriptError):
    """Steps of a script were never played."""

    code = "unconsumed_steps"


class EndpointError(AdaptiveReasonerError):
    """What an endpoint answers with an HTTP error status; a step that raises it plays that answer.

    Attributes:
        status_code: HTTP status, 400 to 599.
        error_code: `error.code` of the response body, for example "rate_limit_exceeded".
    """

    code = "endpoint_error"

    def __init__(self, message: str, *, status_code: int = 500, error_code: str | None = None) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.error_code = error_code


class BadRequestError(EndpointError):
    """A request that the endpoint refuses before any model is called."""

    code = "invalid_request"

    def __init__(self, message: str, *, status_code: int = 400) -> None:
        super().__init__(message, status_code=status_code, error_code=self.code)
