"""The sections that the server's core reads."""

import os
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from adaptive_reasoner.config import Budget, ReasonerConfig
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.server.config import Section

Seconds = Annotated[float, Field(gt=0)]


class ListenSection(Section):
    """Where the server listens.

    Attributes:
        host, port: address; port 0 takes a free one.
    """

    table: ClassVar[str] = "server"

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000

    @property
    def is_loopback(self) -> bool:
        """True if nobody but this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


class ModelsSection(Section):
    """Which models answer.

    Attributes:
        fast, deep: "embedded", a string as `init_chat_model` takes it, or with `base_url` the endpoint's name for it.
        base_url: OpenAI-compatible endpoint of both.
        deep_base_url: that of the deep model, where it is another.
        api_key_env, deep_api_key_env: environment variables that hold the endpoints' keys.
        max_retries: repeats of a call by the endpoint's client.
        aliases: other names for what is served: {"gpt-4o" = "adaptive"}.
    """

    table: ClassVar[str] = "models"

    fast: str = "embedded"
    deep: str | None = None
    base_url: str | None = None
    deep_base_url: str | None = None
    api_key_env: str | None = None
    deep_api_key_env: str | None = None
    max_retries: Annotated[int, Field(ge=0, le=10)] = 2
    aliases: dict[str, Literal["adaptive", "fast", "deep"]] = Field(default_factory=dict)


class BudgetTable(BaseModel):
    """A `Budget`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_tokens: int | None = None
    max_model_calls: int | None = None
    max_usd: float | None = None
    max_seconds: float | None = None
    per: Literal["query", "thread", "tenant", "day"] = "query"

    def budget(self) -> Budget:
        """The same as the loop takes it."""
        return Budget(**self.model_dump())


class PolicySection(Section):
    """How the loop triages, doubts and spends; the names are those of `ReasonerConfig`.

    Attributes:
        gate: file of a gate profile.
        prices: file of a price table.
        budgets: hard limits; all hold.
        doubtful_tool_calls: what becomes of a call that stays in doubt: "hand_on" leaves it to the client, which reads
            the verdict in the report; "withhold" says in words that it was not made.
        low_tokens, medium_tokens: thinking budgets of `reasoning_effort`; None: 48 and 96 for the embedded model, else
            1,024 and 8,192.
    """

    table: ClassVar[str] = "policy"

    triage: Literal["auto", "off"] = "auto"
    think_at_gain: float | None = None
    always_think: tuple[str, ...] = ()
    never_think: tuple[str, ...] = ()
    least_thinking_share: float = 0.0
    max_refinements: int = 1
    max_model_calls: int = 8
    max_output_tokens: int | None = None
    model_timeout_seconds: float | None = 120.0
    review: Literal["never", "low_confidence"] = "never"
    accept_unknown: bool = False
    answer_order: Literal["think_first", "answer_first", "auto"] = "think_first"
    rationale_share: float = 1.0
    agreement_share: float = 0.0
    gate: Path | None = None
    prices: Path | None = None
    ledger: str | None = None
    budgets: tuple[BudgetTable, ...] = ()
    doubtful_tool_calls: Literal["hand_on", "withhold"] = "hand_on"
    low_tokens: Annotated[int, Field(ge=1)] | None = None
    medium_tokens: Annotated[int, Field(ge=1)] | None = None

    def config(self) -> ReasonerConfig:
        """The loop's own settings.

        Raises:
            ConfigurationError: a value is out of its range, or a file cannot be read.
        """
        own = {"gate", "prices", "budgets", "doubtful_tool_calls", "low_tokens", "medium_tokens"}
        plain: dict[str, Any] = self.model_dump(exclude=own)
        return ReasonerConfig(
            **plain,
            gate=self._gate(),
            prices=self._prices(),
            budget=tuple(table.budget() for table in self.budgets),
        )

    def _gate(self) -> Any:
        from adaptive_reasoner.gate.profile import GateProfile

        return GateProfile.load(self.gate) if self.gate else None

    def _prices(self) -> Any:
        from adaptive_reasoner.budget.prices import PriceTable

        return PriceTable.load(self.prices) if self.prices else None


class ThreadsSection(Section):
    """Where threads are kept.

    Attributes:
        url: "memory", an SQLite file ("sqlite:///threads.sqlite") or Postgres ("postgresql://…").
        url_env: environment variable that holds the URL, where it has a password in it.
    """

    table: ClassVar[str] = "threads"

    url: str = "memory"
    url_env: str | None = None

    @field_validator("url")
    @classmethod
    def _is_known(cls, url: str) -> str:
        if url == "memory" or url.startswith(("sqlite:///", "postgresql://", "postgres://")):
            return url
        raise ValueError('use "memory", "sqlite:///FILE" or "postgresql://…"')

    def resolved_url(self) -> str:
        """The URL itself.

        Raises:
            ConfigurationError: the variable is not set.
        """
        if self.url_env is None:
            return self.url
        if not (url := os.environ.get(self.url_env, "").strip()):
            raise ConfigurationError(f"threads.url_env names {self.url_env}, which is not set.")
        return self._is_known(url)


class AnswersSection(Section):
    """How answers are sent.

    Attributes:
        thoughts: put what the model thought into `reasoning_content`: where a request asks for it, always, or never.
        keep_alive_seconds: a stream that has nothing to say yet sends a comment so often, and does not begin before
            the first: an error that comes sooner keeps its own status.
        idempotency_seconds: how long an answer is kept for its idempotency key.
        idempotency_entries: how many are kept at most.
        idempotency_lease_seconds: how long a key stays taken after its server died, where servers share the threads'
            database.
    """

    table: ClassVar[str] = "answers"

    thoughts: Literal["on_request", "always", "never"] = "on_request"
    keep_alive_seconds: Seconds = 5.0
    idempotency_seconds: Seconds = 86_400.0
    idempotency_entries: Annotated[int, Field(ge=1)] = 10_000
    idempotency_lease_seconds: Seconds = 30.0
