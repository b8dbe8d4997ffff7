"""What a caller may ask a minute, from the settings."""

import logging

from adaptive_reasoner.server.caller import Caller
from adaptive_reasoner.server.config import ServerSettings
from adaptive_reasoner.server.errors import RateLimitError, RateStoreError
from adaptive_reasoner.server.limits.buckets import Buckets
from adaptive_reasoner.server.limits.settings import LimitsSection, Tenant, TenantsSection
from adaptive_reasoner.server.limits.shared_buckets import Limit, SharedBuckets

_LOG = logging.getLogger(__name__)
_NO_TENANT = Tenant()


class Rates:
    """Requests and tokens a minute, by tenant or key.

    Args:
        settings: of the server.
        shared: the buckets of all replicas, None: each process has its own.
    """

    def __init__(self, settings: ServerSettings, shared: SharedBuckets | None = None) -> None:
        self._common = settings.section(LimitsSection)
        self._tenants = settings.section(TenantsSection).known
        self._buckets, self._shared = Buckets(), shared

    def limits_of(self, caller: Caller) -> tuple[int | None, int | None]:
        """Requests and tokens a minute, None: no limit."""
        own = self._tenants.get(caller.tenant or "", _NO_TENANT)
        return (
            own.requests_per_minute or self._common.requests_per_minute,
            own.tokens_per_minute or self._common.tokens_per_minute,
        )

    def most_at_once(self, caller: Caller) -> int | None:
        """Requests of the caller's tenant that may be under way, None: no limit of its own."""
        return self._tenants.get(caller.tenant or "", _NO_TENANT).max_in_flight

    async def admit(self, caller: Caller) -> None:
        """Count one request.

        Raises:
            RateLimitError: this minute's requests or tokens are used up; nothing is counted.
            RateStoreError: the buckets that replicas share cannot be reached.
        """
        requests, tokens = self.limits_of(caller)
        name = name_of(caller)
        if self._shared is not None and (requests or tokens):
            await self._admit_by(
                self._shared, _limit("requests", name, requests), _limit("tokens", name, tokens)
            )
            return
        if requests is not None and (wait := self._buckets.wait_for(f"requests {name}", requests)):
            raise _used_up(f"{requests} requests", wait)
        if tokens is not None and (wait := self._buckets.wait_for(f"tokens {name}", tokens)):
            raise _used_up(f"{tokens} tokens", wait)
        if requests is not None:
            self._buckets.take(f"requests {name}", requests)

    async def spend(self, caller: Caller, tokens: int) -> None:
        """Count the tokens of an answer, which is sent even where they cannot be counted."""
        limit = self.limits_of(caller)[1]
        if limit is None:
            return
        if self._shared is None:
            self._buckets.take(f"tokens {name_of(caller)}", limit, tokens)
            return
        try:
            await self._shared.take(Limit(f"tokens {name_of(caller)}", limit), tokens)
        except RateStoreError as error:
            _LOG.warning("tokens were not counted for their rate: %s", error)

    @staticmethod
    async def _admit_by(shared: SharedBuckets, requests: Limit | None, tokens: Limit | None) -> None:
        if refused := await shared.admit(requests, tokens):
            limit, wait = refused
            raise _used_up(f"{limit.per_minute} {limit.name.partition(' ')[0]}", wait)


def _limit(what: str, name: str, per_minute: int | None) -> Limit | None:
    return None if per_minute is None else Limit(f"{what} {name}", per_minute)


def name_of(caller: Caller) -> str:
    """Under which name a caller's limits are counted."""
    return f"tenant {caller.tenant}" if caller.tenant else f"key {caller.key_id or ''}"


def _used_up(what: str, wait: float) -> RateLimitError:
    return RateLimitError(
        f"The {what} a minute are used up; try again in {wait:.0f} seconds.", retry_after_seconds=wait
    )
