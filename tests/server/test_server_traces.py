"""The server's spans belong to the caller's trace, and the loop's are below them."""

import pytest
from served import body_of, http_of, served, sure

pytest.importorskip("opentelemetry.sdk")


def test_a_request_continues_the_callers_trace_without_its_words(monkeypatch):
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", lambda name, *_, **__: provider.get_tracer(name))
    parent = f"00-{'1' * 32}-{'2' * 16}-01"
    with served(sure()) as server, http_of(server) as http:
        http.post("/v1/chat/completions", json=body_of("a private matter"), headers={"traceparent": parent})
    spans = exporter.get_finished_spans()
    first = next(span for span in spans if span.name == "POST /v1/chat/completions")
    assert f"{first.context.trace_id:032x}" == "1" * 32
    assert f"{first.parent.span_id:016x}" == "2" * 16
    assert first.attributes["http.response.status_code"] == 200
    assert "private" not in str(dict(first.attributes))
