"""The sections that limit requests, and tenants."""

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from adaptive_reasoner.config import Budget
from adaptive_reasoner.server.config import Section
from adaptive_reasoner.server.settings import BudgetTable, Seconds

Count = Annotated[int, Field(ge=1)]


class LimitsSection(Section):
    """What one process of the server takes on.

    Attributes:
        max_in_flight: requests that are answered at once.
        max_waiting: further ones that wait; beyond them 429 at once.
        wait_seconds: how long one waits at most before 429.
        max_body_bytes: of one request.
        body_seconds: how long a request's body may take to arrive.
        request_seconds: how long one answer may take, all calls together.
        max_choices: the most answers that one request may ask for (`n`).
        requests_per_minute: of each tenant, or of each key without one; None: no limit.
        tokens_per_minute: of each tenant, or of each key without one, counted when the answer is there; None: no limit.
        drain_seconds: how long requests under way may take when the server is told to stop.
        drain_notice_seconds: how long `/readyz` says so before the server stops listening, for balancers.
    """

    table: ClassVar[str] = "limits"

    max_in_flight: Count = 256
    max_waiting: Annotated[int, Field(ge=0)] = 1024
    wait_seconds: Seconds = 30.0
    max_body_bytes: Count = 16 * 2**20
    body_seconds: Seconds = 30.0
    request_seconds: Seconds = 600.0
    max_choices: Annotated[int, Field(ge=1, le=128)] = 16
    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None
    drain_seconds: Annotated[float, Field(ge=0)] = 30.0
    drain_notice_seconds: Annotated[float, Field(ge=0)] = 0.0


class Tenant(BaseModel):
    """One tenant's own limits.

    Attributes:
        budgets: hard limits beside those of `policy.budgets`.
        requests_per_minute, tokens_per_minute: instead of those of `limits`.
        max_in_flight: of its requests at once, so that one tenant leaves room for others.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    budgets: tuple[BudgetTable, ...] = ()
    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None
    max_in_flight: Count | None = None


class TenantsSection(Section):
    """Who the tenants are.

    Attributes:
        known: each tenant's limits by its name: `[tenants.known.acme]`. Where any is named, a key's tenant must be one
            of them; with none, every tenant that a key names is served under the common limits.
    """

    table: ClassVar[str] = "tenants"

    known: dict[str, Tenant] = Field(default_factory=dict)

    def budgets(self) -> dict[str, tuple[Budget, ...]] | None:
        """As `ReasonerConfig.tenants` takes them."""
        return {name: tuple(one.budget() for one in its.budgets) for name, its in self.known.items()} or None
