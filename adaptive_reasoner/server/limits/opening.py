"""Sets the limits up when the server starts."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from adaptive_reasoner.server.limits.around import as_tenant, counting_tokens, within
from adaptive_reasoner.server.limits.queue import Queue
from adaptive_reasoner.server.limits.rates import Rates
from adaptive_reasoner.server.limits.settings import LimitsSection
from adaptive_reasoner.server.parts import AppParts


@asynccontextmanager
async def open_limits(parts: AppParts) -> AsyncGenerator[None]:
    """Queue and rates."""
    section = parts.settings.section(LimitsSection)
    queue, rates = (
        Queue(section.max_in_flight, section.max_waiting, section.wait_seconds),
        Rates(parts.settings),
    )
    parts.add(queue)
    parts.add(rates)
    parts.runner.around += [as_tenant(), counting_tokens(rates), within(section.request_seconds)]

    async def has_room() -> str | None:
        return "the queue is full" if queue.is_full else None

    parts.readiness["queue"] = has_room
    yield
