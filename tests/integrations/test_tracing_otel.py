"""OpenTelemetry sees the run: the report on the current span, a child span a round, and no words unless asked."""

import asyncio
import sys

import pytest
from graph_ways import WAYS, disbelieved, sure
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from openinference.instrumentation.langchain import LangChainInstrumentor
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from adaptive_reasoner import ReasonerConfig, build_reasoning_graph, nodes
from adaptive_reasoner.budget import ThinkingShare
from adaptive_reasoner.nodes import run_metadata
from adaptive_reasoner.testing import Reply, ScriptedChatModel

FEW_WAYS = ("invoke", "ainvoke", "stream messages", "astream_events v3")
QUESTION = "How many marbles has Priya?"
ROUNDS = ["adaptive_reasoning.round fast_answer", "adaptive_reasoning.round deep_think"]
UNCALIBRATED = ReasonerConfig(triage="off")


@pytest.fixture
def provider(monkeypatch):
    """The application's provider, as `set_tracer_provider` leaves it; it can be set only once a process."""
    provider = TracerProvider()
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    return provider


@pytest.fixture
def finished(provider):
    """A function to the spans that have ended, in order."""
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter.get_finished_spans


def build(*steps, config=UNCALIBRATED, **options):
    model = ScriptedChatModel(steps, logprobs_in_chunks=True)
    return build_reasoning_graph(model, config=config, **options)


def escalating(**options):
    return build(disbelieved("Forty one"), sure("Forty two"), **options)


def asked(graph, way="invoke", **options):
    return WAYS[way](graph, {"messages": [("user", QUESTION)]}, **options)


def under_a_span(graph, way="invoke"):
    with trace.get_tracer("application").start_as_current_span("request"):
        return asked(graph, way)


@pytest.mark.parametrize("way", FEW_WAYS)
def test_each_round_is_a_child_of_the_current_span_which_carries_the_report(finished, way):
    report = under_a_span(escalating(), way).report
    *rounds, request = finished()
    assert [span.name for span in rounds] == ROUNDS
    assert {span.parent.span_id for span in rounds} == {request.context.span_id}
    assert request.name == "request"
    said = request.attributes
    assert said["adaptive_reasoning.route"] == report["route"] == "fast"
    assert said["adaptive_reasoning.verdicts"] == ("escalate", "accept")
    assert (said["adaptive_reasoning.rounds"], said["adaptive_reasoning.accepted_round"]) == (2, 1)
    assert said["adaptive_reasoning.entropy.lower_nats"] == report["signal"]["entropy_nats"]["lower"]
    assert said["adaptive_reasoning.entropy.upper_nats"] == report["signal"]["entropy_nats"]["upper"]
    assert said["gen_ai.usage.input_tokens"] == report["usage"]["input_tokens"]
    assert said["gen_ai.usage.output_tokens"] == report["usage"]["output_tokens"]


def test_a_round_says_who_answered_what_came_of_it_and_how_long_the_call_took(finished):
    report = under_a_span(escalating()).report
    for index, (span, one) in enumerate(zip(finished(), report["rounds"], strict=False)):
        said = span.attributes
        assert said["adaptive_reasoning.round"] == index
        assert (said["adaptive_reasoning.node"], said["adaptive_reasoning.verdict"]) == (
            one["node"],
            one["verdict"],
        )
        assert said["adaptive_reasoning.min_probability"] == one["signal"]["min_probability"]
        assert said["adaptive_reasoning.token_count"] == one["signal"]["token_count"] == 2
        assert said["gen_ai.response.model"] == "scripted"
        assert (span.end_time - span.start_time) / 1e9 == pytest.approx(one["latency_seconds"], abs=1e-6)


def test_without_a_span_around_it_the_run_has_one_of_its_own(finished):
    asked(escalating(), config={"configurable": {"thread_id": "monday"}})
    *rounds, run = finished()
    assert [span.name for span in rounds] == ROUNDS
    assert run.name == "invoke_agent adaptive_reasoner"
    assert run.attributes["gen_ai.operation.name"] == "invoke_agent"
    assert run.attributes["adaptive_reasoning.verdicts"] == ("escalate", "accept")
    assert {span.attributes["gen_ai.conversation.id"] for span in finished()} == {"monday"}
    assert run.start_time < rounds[0].end_time < run.end_time


def test_runs_at_once_keep_to_their_own_spans(finished):
    graph = build(*[lambda call: sure(call.messages[-1].text)] * 2)

    async def ask(name):
        with trace.get_tracer("application").start_as_current_span(name):
            await graph.ainvoke({"messages": [("user", name)]})

    async def both():
        await asyncio.gather(ask("one"), ask("two words"))

    asyncio.run(both())
    spans = {span.name: span for span in finished()}
    for name, tokens in (("one", 1), ("two words", 2)):
        assert spans[name].attributes["adaptive_reasoning.token_count"] == tokens
        (own,) = [
            one for one in finished() if one.parent and one.parent.span_id == spans[name].context.span_id
        ]
        assert own.attributes["adaptive_reasoning.token_count"] == tokens


def test_what_is_unknown_is_absent_and_never_a_number(finished):
    under_a_span(build(*[Reply(text="Forty two", drop_logprobs=True)] * 3))
    for span in finished():
        assert span.attributes["adaptive_reasoning.signal.kind"] == "unknown"
        assert not {"adaptive_reasoning.risk", "adaptive_reasoning.entropy.lower_nats"} & set(span.attributes)
        assert "adaptive_reasoning.cost_usd" not in span.attributes


def test_a_calibrated_risk_is_shown(finished, shipped_weights):
    with trace.get_tracer("application").start_as_current_span("request"):
        report = asked(build_reasoning_graph("embedded")).report
    assert finished()[-1].attributes["adaptive_reasoning.risk"] == report["signal"]["risk"] > 0


def test_a_failed_call_is_an_error_of_its_round_without_the_providers_words(finished):
    under_a_span(build(RuntimeError("Priya's key is wrong"), sure("Forty two")))
    failed, answered, request = finished()
    assert failed.attributes["error.type"] == "model_failed"
    assert failed.status.status_code is trace.StatusCode.ERROR
    assert answered.status.status_code is trace.StatusCode.UNSET
    assert request.status.status_code is trace.StatusCode.UNSET
    assert "Priya" not in "".join(span.to_json() for span in finished())


def test_the_price_of_a_budget_kept_on_average_is_there(finished):
    report = under_a_span(build(sure("42"), config=ReasonerConfig(allocation=ThinkingShare(0.3)))).report
    said = finished()[-1].attributes
    assert said["adaptive_reasoning.allocation.kind"] == "thinking_share"
    name = "price_per_thinking_query"
    assert said[f"adaptive_reasoning.allocation.{name}"] == report["allocation"][name]


@pytest.mark.parametrize(
    ("switch", "is_shown"), [(None, False), ("false", False), ("TRUE", True), ("SPAN_ONLY", True)]
)
def test_questions_and_answers_are_shown_only_if_asked_for(finished, monkeypatch, switch, is_shown):
    if switch is not None:
        monkeypatch.setenv(run_metadata.CONTENT_SWITCH, switch)
    under_a_span(escalating())
    everything = "".join(span.to_json() for span in finished())
    assert {word in everything for word in ("Priya", "Forty one", "Forty two")} == {is_shown}
    if is_shown:
        said = finished()[-1].attributes
        assert '"content": "Forty two"' in said["gen_ai.output.messages"]
        assert said["gen_ai.input.messages"] == (
            '[{"role": "user", "parts": [{"type": "text", "content": "How many marbles has Priya?"}]}]'
        )


def test_without_a_provider_nothing_is_kept_and_the_answer_is_the_same():
    assert under_a_span(escalating()).answer == "Forty two"


def test_without_opentelemetry_the_answer_is_the_same(monkeypatch, finished):
    monkeypatch.delattr(nodes, "otel_spans", raising=False)
    monkeypatch.delitem(sys.modules, "adaptive_reasoner.nodes.otel_spans", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    run_metadata._spans.cache_clear()
    try:
        assert asked(escalating()).answer == "Forty two"
    finally:
        run_metadata._spans.cache_clear()
    assert finished() == ()


def test_a_run_that_waits_for_a_person_has_shown_its_rounds(finished):
    config = ReasonerConfig(triage="off", review="low_confidence", max_refinements=0)
    graph = build(disbelieved("41"), disbelieved("42"), config=config, checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}
    asked(graph, config=thread)
    assert [span.name for span in finished()] == ROUNDS
    graph.invoke(Command(resume={"action": "approve"}), thread)
    assert finished()[-1].attributes["adaptive_reasoning.review.action"] == "approve"


@pytest.mark.parametrize("way", FEW_WAYS)
def test_beside_openinference_the_graphs_span_carries_the_report_and_the_rounds(provider, finished, way):
    instrumentor = LangChainInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    try:
        under_a_span(escalating(), way)
    finally:
        instrumentor.uninstrument()
    spans = {span.name: span for span in finished()}
    graph = spans["adaptive_reasoner"]
    assert {spans[name].parent.span_id for name in ROUNDS} == {graph.context.span_id}
    for span in (graph, spans["request"]):
        assert span.attributes["adaptive_reasoning.verdicts"] == ("escalate", "accept")
