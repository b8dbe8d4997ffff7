"""Whichever way a run comes in, its rounds lie under the caller's span, and the report on it."""

import asyncio

import pytest
from graph_ways import disbelieved, sure
from langchain.agents import create_agent
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from adaptive_reasoner import (
    AdaptiveChatModel,
    AdaptiveReasoningMiddleware,
    ReasonerConfig,
    reasoning_tool,
)
from adaptive_reasoner.testing import ScriptedChatModel

ROUNDS = ["adaptive_reasoning.round fast_answer", "adaptive_reasoning.round deep_think"]
CONFIG = ReasonerConfig(triage="off")
QUESTION = "How much?"


def scripted():
    return ScriptedChatModel([disbelieved("41"), sure("42")], logprobs_in_chunks=True)


def model():
    return AdaptiveChatModel(fast=scripted(), config=CONFIG)


def agent():
    return create_agent(scripted(), middleware=[AdaptiveReasoningMiddleware(config=CONFIG)])


async def streamed(chat_model):
    return [chunk async for chunk in chat_model.astream(QUESTION)]


WAYS_IN = {
    "chat model": lambda: model().invoke(QUESTION),
    "chat model, async": lambda: asyncio.run(model().ainvoke(QUESTION)),
    "chat model, stream": lambda: list(model().stream(QUESTION)),
    "chat model, async stream": lambda: asyncio.run(streamed(model())),
    "middleware": lambda: agent().invoke({"messages": QUESTION}),
    "middleware, async": lambda: asyncio.run(agent().ainvoke({"messages": QUESTION})),
    "tool": lambda: reasoning_tool(scripted(), config=CONFIG).invoke(QUESTION),
}


@pytest.mark.parametrize("way", WAYS_IN)
def test_rounds_lie_under_the_callers_span(monkeypatch, way):
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)  # which can be set only once a process
    with trace.get_tracer("application").start_as_current_span("request"):
        WAYS_IN[way]()
    *rounds, request = exporter.get_finished_spans()
    assert [(span.name, span.parent.span_id) for span in rounds] == [
        (name, request.context.span_id) for name in ROUNDS
    ]
    assert request.attributes["adaptive_reasoning.verdicts"] == ("escalate", "accept")
