"""Sets the limits up when the server starts."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from adaptive_reasoner.server.limits.around import as_tenant, counting_tokens, within
from adaptive_reasoner.server.limits.queue import Queue
from adaptive_reasoner.server.limits.rates import Rates
from adaptive_reasoner.server.limits.settings import LimitsSection, TenantsSection
from adaptive_reasoner.server.limits.shared_buckets import SharedBuckets
from adaptive_reasoner.server.parts import AppParts
from adaptive_reasoner.server.settings import ThreadsSection


@asynccontextmanager
async def open_limits(parts: AppParts) -> AsyncGenerator[None]:
    """Queue and rates; the rates are counted in the database of the threads, where there is one."""
    section, shared = parts.settings.section(LimitsSection), _shared_buckets(parts)
    queue = Queue(section.max_in_flight, section.max_waiting, section.wait_seconds)
    rates = Rates(parts.settings, shared)
    parts.add(queue)
    parts.add(rates)
    parts.runner.around += [as_tenant(), counting_tokens(rates), within(section.request_seconds)]

    async def has_room() -> str | None:
        return "the queue is full" if queue.is_full else None

    parts.readiness["queue"] = has_room
    try:
        yield
    finally:
        if shared is not None:
            shared.close()


def _shared_buckets(parts: AppParts) -> SharedBuckets | None:
    """None where nothing is counted, or one process alone has the threads."""
    url = parts.settings.section(ThreadsSection).resolved_url()
    common = parts.settings.section(LimitsSection)
    limited = (common, *parts.settings.section(TenantsSection).known.values())
    is_counted = any(one.requests_per_minute or one.tokens_per_minute for one in limited)
    return SharedBuckets(url) if is_counted and url != "memory" else None
