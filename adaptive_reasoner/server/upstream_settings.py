"""The section that says what happens when an endpoint fails."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from adaptive_reasoner.server.config import Section
from adaptive_reasoner.server.settings import Seconds


class UpstreamSection(Section):
    """Endpoints that fail.

    Attributes:
        connect_seconds: how long a connection may take.
        attempt_seconds: how long one attempt may be silent; None: `policy.model_timeout_seconds`.
        breaker_failures: failures in a row after which the endpoint is left alone.
        breaker_seconds: for how long; then one call tries it.
        fallback_base_url: OpenAI-compatible endpoint that is asked where the first one fails.
        fallback_api_key_env: environment variable that holds its key.
        fallback_model: its name for the model, None: the same.
        deep_failure: what becomes of an answer whose deep model fails: the fast model's, or the error.
    """

    table: ClassVar[str] = "upstream"

    connect_seconds: Seconds = 5.0
    attempt_seconds: Seconds | None = None
    breaker_failures: Annotated[int, Field(ge=1)] = 10
    breaker_seconds: Seconds = 10.0
    fallback_base_url: str | None = None
    fallback_api_key_env: str | None = None
    fallback_model: str | None = None
    deep_failure: Literal["fast", "error"] = "fast"
