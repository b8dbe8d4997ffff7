"""Tells those who already watch the run how it went: LangSmith's run tree and OpenTelemetry's spans.

It adds to what is there and starts nothing: no client, no provider, no connection. Without a tracer among the run's
callbacks and without OpenTelemetry, nothing happens.
"""

import os
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tracers.base import BaseTracer
from langchain_core.tracers.langchain import LangChainTracer
from langchain_core.tracers.schemas import Run

from adaptive_reasoner.nodes.run_attributes import (
    Attributes,
    content_attributes,
    round_attributes,
    run_attributes,
)
from adaptive_reasoner.nodes.run_record import model_name_in, thread_id_in
from adaptive_reasoner.state import ReasoningReport, ReasoningState

# The switch that OpenTelemetry's own instrumentations of generative models read.
CONTENT_SWITCH = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_WITH_CONTENT = frozenset({"true", "span_only", "span_and_event"})


def show_round(report: ReasoningReport, message: AIMessage, config: RunnableConfig) -> None:
    """One child span for the newest round, and metadata on the gate's own run.

    Args:
        report: with that round judged.
        message: its answer.
        config: the gate's; names the run and its tracers.
    """
    runs, graph_span = list(_langsmith_runs(config)), _graph_span(config)
    spans = _watched_spans(graph_span)
    if not (runs or spans):
        return
    last = report["rounds"][-1]
    known: Attributes = {"adaptive_reasoning.round": len(report["rounds"]) - 1, **_thread(config)}
    if model := model_name_in(message):
        known["gen_ai.response.model"] = model
    attributes = {**round_attributes(last), **known}
    for own_run, _ in runs:
        own_run.add_metadata(attributes)
    if spans:
        words = content_attributes(last, str(message.text)) if _shows_content() else {}
        spans.add_round_span({**attributes, **words}, last["latency_seconds"], graph_span)


def show_run(report: ReasoningReport, answer: str, state: ReasoningState, config: RunnableConfig) -> None:
    """The finished run: attributes of the current span and the graph's, metadata of the graph's run and hand_off's.

    Args:
        report: as it is handed on.
        answer: as it is handed on.
        state: as hand_off got it.
        config: hand_off's; names the run and its tracers.
    """
    runs, graph_span = list(_langsmith_runs(config)), _graph_span(config)
    spans = _watched_spans(graph_span)
    if not (runs or spans):
        return
    attributes = {**run_attributes(report), **_thread(config)}
    for own_run, graph_run in runs:
        for run in filter(None, (own_run, graph_run)):
            run.add_metadata(attributes)
    if spans:
        words: Attributes = {}
        if _shows_content():
            question = next((m for m in reversed(state["messages"]) if isinstance(m, HumanMessage)), None)
            words = content_attributes(report["rounds"][-1], answer, str(question.text) if question else "")
        spans.describe_run({**attributes, **words}, state["turn"]["started_at"], graph_span)


def _thread(config: RunnableConfig) -> Attributes:
    thread = thread_id_in(config)
    return {} if thread is None else {"gen_ai.conversation.id": thread}


def _shows_content() -> bool:
    return os.environ.get(CONTENT_SWITCH, "").strip().lower() in _WITH_CONTENT


@cache
def _spans() -> ModuleType | None:
    try:
        from adaptive_reasoner.nodes import otel_spans
    except ImportError:
        return None
    return otel_spans


def _watched_spans(graph_span: Any | None) -> ModuleType | None:
    """What writes spans; None where nobody would see them."""
    spans = _spans()
    return spans if spans and spans.is_watched(graph_span) else None


def _langsmith_runs(config: RunnableConfig) -> Iterator[tuple[Run, Run | None]]:
    """This node's run and the graph's; LangChain adds the tracer to the callbacks if LangSmith is on."""
    for tracer, own_run in _traced(config):
        if isinstance(tracer, LangChainTracer):
            yield own_run, tracer.run_map.get(str(own_run.parent_run_id))


def _graph_span(config: RunnableConfig) -> Any | None:
    """The graph's span in OpenInference's instrumentation, which does not make its spans the current ones."""
    for tracer, own_run in _traced(config):
        span_of = getattr(tracer, "get_span", None)
        if span_of and own_run.parent_run_id and (span := span_of(own_run.parent_run_id)):
            return span
    return None


def _traced(config: RunnableConfig) -> Iterator[tuple[BaseTracer, Run]]:
    """Each tracer among the callbacks with the run that it keeps for this node."""
    callbacks = config.get("callbacks")
    if not isinstance(callbacks, BaseCallbackManager):
        return
    for handler in callbacks.handlers:
        if isinstance(handler, BaseTracer):
            run = handler.run_map.get(str(callbacks.parent_run_id))
            if run is not None:
                yield handler, run
