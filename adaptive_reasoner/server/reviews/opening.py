"""The reviews of a server: opened at its start, those that a dead server left finished."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from adaptive_reasoner.server.parts import AppParts
from adaptive_reasoner.server.reviews.desk import ReviewDesk
from adaptive_reasoner.server.reviews.store import ReviewStore
from adaptive_reasoner.server.settings import ThreadsSection


@asynccontextmanager
async def open_reviews(parts: AppParts) -> AsyncGenerator[None]:
    """Keep reviews beside the threads, whose store the waiting runs are in, too."""
    store = ReviewStore(parts.settings.section(ThreadsSection).resolved_url())
    try:
        desk = ReviewDesk(parts, store)
        parts.add(desk)
        parts.runner.on_waiting = desk.wait
        if parts.runner.config.review == "low_confidence":
            parts.runner.around.insert(0, desk.asked_before)
        parts.readiness["reviews"] = store.problem
        await desk.recover()
        yield
    finally:
        store.close()
