"""Where the deep model fails, the fast one answers; and what the server knows of its endpoints."""

import dataclasses
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

from adaptive_reasoner.errors import ModelError, ModelRateLimitError, RefusalError
from adaptive_reasoner.server.errors import UpstreamLimitError
from adaptive_reasoner.server.parts import AppParts
from adaptive_reasoner.server.questions import FAST, Answer, Around, Next, Question, ServedModels
from adaptive_reasoner.server.upstream_client import UpstreamClient
from adaptive_reasoner.server.upstream_settings import UpstreamSection
from adaptive_reasoner.state import ReasoningContext, ReasoningReport

_LOG = logging.getLogger(__name__)


class Upstreams(dict[str, UpstreamClient]):
    """The clients of the models that have endpoints: "fast", "deep"."""


@asynccontextmanager
async def open_upstreams(parts: AppParts) -> AsyncGenerator[None]:
    """Watch the endpoints, close their connections at the end."""
    upstreams = upstreams_of(parts.runner.models)
    parts.add(upstreams)
    parts.runner.around.append(saying_when(upstreams))
    if (
        parts.runner.models.deep is not None
        and parts.settings.section(UpstreamSection).deep_failure == "fast"
    ):
        parts.runner.around.append(fast_instead())

    async def circuit() -> str | None:
        closed = [name for name, client in upstreams.items() if client.is_open]
        return f"the endpoint of {' and '.join(closed)} fails and is left alone" if closed else None

    if upstreams:
        parts.readiness["upstream"] = circuit
    try:
        yield
    finally:
        for client in upstreams.values():
            await client.aclose()


def upstreams_of(models: ServedModels) -> Upstreams:
    """The clients behind the models."""
    found = Upstreams()
    for name, model in (("fast", models.fast), ("deep", models.deep)):
        client: Any = getattr(model, "http_async_client", None)
        if isinstance(client, UpstreamClient):
            found[name] = client
    return found


def saying_when(upstreams: Upstreams) -> Around:
    """Where a provider takes no more calls, the client is told when to come back, as the provider says."""

    async def around(question: Question, following: Next) -> Answer:
        try:
            return await following(question)
        except ModelRateLimitError as error:
            endpoints = [one for client in upstreams.values() for one in client.endpoints]
            wait = max((one.breaker.wait_seconds for one in endpoints), default=0.0)
            raise UpstreamLimitError(str(error), retry_after_seconds=max(wait, 1.0)) from error

    return around


def fast_instead() -> Around:
    """One more run, by the fast model alone, where no call of the first gave an answer. The report says so."""

    async def around(question: Question, following: Next) -> Answer:
        try:
            return await following(question)
        except RefusalError:
            raise
        except ModelError as error:
            if question.model == FAST:
                raise
            _LOG.warning("%s failed: %s; the fast model answers instead", question.model, error.code)
            return await _by_fast(question, following, error.code)

    return around


async def _by_fast(question: Question, following: Next, code: str) -> Answer:
    context = cast("ReasoningContext", {**question.context, "thinking": "off", "importance": "normal"})
    answer = await following(dataclasses.replace(question, model=FAST, context=context))
    report = cast("ReasoningReport", {**answer.report, "fallback": {"from": question.model, "error": code}})
    return dataclasses.replace(answer, report=report)
