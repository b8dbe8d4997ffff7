"""What is opened when the server starts and closed when it stops."""

import dataclasses
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from adaptive_reasoner.server.checkpointers import open_checkpointer
from adaptive_reasoner.server.config import ServerSettings
from adaptive_reasoner.server.idempotency import IdempotencyInMemory, IdempotencyStore
from adaptive_reasoner.server.idempotency_shared import SharedIdempotency
from adaptive_reasoner.server.limits.opening import open_limits
from adaptive_reasoner.server.limits.settings import TenantsSection
from adaptive_reasoner.server.metrics.opening import open_metrics
from adaptive_reasoner.server.parts import AppParts
from adaptive_reasoner.server.questions import ServedModels
from adaptive_reasoner.server.recording import TracesSection, open_recording
from adaptive_reasoner.server.reviews.opening import open_reviews
from adaptive_reasoner.server.running import Runner
from adaptive_reasoner.server.security.opening import open_keys
from adaptive_reasoner.server.settings import AnswersSection, PolicySection, ThreadsSection
from adaptive_reasoner.server.threads import ThreadStore
from adaptive_reasoner.server.upstream_fallback import open_upstreams

Opening = Callable[[AppParts], AbstractAsyncContextManager[None]]
# In this order; closed in the opposite one.
OPENINGS: tuple[Opening, ...] = (
    open_keys,
    open_limits,
    open_upstreams,
    open_metrics,
    open_reviews,
)


@asynccontextmanager
async def _idempotency(url: str, answers: AnswersSection) -> AsyncGenerator[IdempotencyStore]:
    """Where the threads are: in memory, or shared by all who share them."""
    if url == "memory":
        yield IdempotencyInMemory(answers.idempotency_seconds, answers.idempotency_entries)
        return
    async with SharedIdempotency(url, answers).open() as shared:
        yield shared


@asynccontextmanager
async def open_parts(settings: ServerSettings, models: ServedModels) -> AsyncGenerator[AppParts]:
    """Everything that the server needs, for as long as it runs.

    Raises:
        ConfigurationError: something cannot be opened as the settings say.
    """
    policy, answers = settings.section(PolicySection), settings.section(AnswersSection)
    config = dataclasses.replace(policy.config(), tenants=settings.section(TenantsSection).budgets())
    async with AsyncExitStack() as stack:
        url = settings.section(ThreadsSection).resolved_url()
        checkpointer = await stack.enter_async_context(open_checkpointer(url))
        recorder = await stack.enter_async_context(open_recording(settings.section(TracesSection)))
        parts = AppParts(
            settings=settings,
            runner=Runner(models, config, recorder, checkpointer.saver),
            threads=ThreadStore(checkpointer, models.fast),
            idempotency=await stack.enter_async_context(_idempotency(url, answers)),
        )
        parts.readiness["threads"] = parts.threads.problem
        for opening in OPENINGS:
            await stack.enter_async_context(opening(parts))
        yield parts
