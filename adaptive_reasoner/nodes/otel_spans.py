"""Spans and span attributes. Imported only where OpenTelemetry's API is installed (extra `otel`).

Providers and exporters are the application's: without one, every call here does nothing.
"""

import time

from opentelemetry import trace
from opentelemetry.trace import Span, StatusCode

from adaptive_reasoner.nodes.run_attributes import Attributes

_NANOSECONDS = 1_000_000_000
_AGENT = "adaptive_reasoner"


def is_watched(graph_span: Span | None) -> bool:
    """True if somebody may see what is written here: a span is open, or the application has a provider.

    Args:
        graph_span: as the parent in `add_round_span`.
    """
    if graph_span is not None or trace.get_current_span().get_span_context().is_valid:
        return True
    nobody = (trace.ProxyTracerProvider, trace.NoOpTracerProvider)
    return not isinstance(trace.get_tracer_provider(), nobody)


def add_round_span(attributes: Attributes, latency_seconds: float, parent: Span | None) -> None:
    """A child span as long as the round's model call, which ends now, at the verdict.

    Args:
        attributes: of the round.
        latency_seconds: of its model call.
        parent: the span of the graph's run, where somebody traces it; None is the current span.
    """
    ended = time.time_ns()
    span = trace.get_tracer(_AGENT).start_span(
        f"adaptive_reasoning.round {attributes['adaptive_reasoning.node']}",
        context=None if parent is None else trace.set_span_in_context(parent),
        attributes=attributes,
        start_time=ended - round(latency_seconds * _NANOSECONDS),
    )
    if "error.type" in attributes:
        span.set_status(StatusCode.ERROR, str(attributes["error.type"]))
    span.end(ended)


def describe_run(attributes: Attributes, started_at: float, graph_span: Span | None) -> None:
    """Say how the run went, on the current span and the graph's, or on a span of its own where there is neither.

    Args:
        attributes: of the run.
        started_at: when it began, in seconds since the epoch.
        graph_span: as the parent in `add_round_span`.
    """
    spans = {graph_span or trace.INVALID_SPAN, trace.get_current_span()}
    spans = {span for span in spans if span.get_span_context().is_valid}
    for span in spans:
        span.set_attributes(attributes)
    if spans:
        return
    alone = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": _AGENT, **attributes}
    began = round(started_at * _NANOSECONDS)
    trace.get_tracer(_AGENT).start_span(f"invoke_agent {_AGENT}", attributes=alone, start_time=began).end()
