"""Sets the counting up when the server starts."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from adaptive_reasoner.errors import AdaptiveReasonerError
from adaptive_reasoner.gate.drift import DriftWatch, watch_escalations
from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.gate.shipped import profile_for
from adaptive_reasoner.models import resolve_model
from adaptive_reasoner.server.limits.queue import Queue
from adaptive_reasoner.server.metrics.counting import Metrics
from adaptive_reasoner.server.parts import AppParts
from adaptive_reasoner.server.questions import Answer, Around, Next, Question
from adaptive_reasoner.server.upstream_fallback import Upstreams
from adaptive_reasoner.thinking import model_name_of


@asynccontextmanager
async def open_metrics(parts: AppParts) -> AsyncGenerator[None]:
    """Metrics over what the other rooms have opened."""
    metrics = Metrics(parts.get(Queue), parts.get(Upstreams), _drift(parts))
    parts.add(metrics)
    parts.runner.around.insert(0, counting(metrics))
    yield


def counting(metrics: Metrics) -> Around:
    """Each run is counted, whatever becomes of it."""

    async def around(question: Question, following: Next) -> Answer:
        try:
            answer = await following(question)
        except AdaptiveReasonerError as error:
            metrics.failed(question, error.code)
            raise
        metrics.run(question, answer)
        return answer

    return around


def _drift(parts: AppParts) -> DriftWatch | None:
    gate = parts.runner.config.gate or profile_for(
        model_name_of(resolve_model(parts.runner.models.fast)) or ""
    )
    return watch_escalations(gate) if isinstance(gate, GateProfile) else None
