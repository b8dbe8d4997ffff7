"""The server's metrics, in a registry of their own."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from adaptive_reasoner.gate.drift import DriftWatch
from adaptive_reasoner.server.limits.queue import Queue
from adaptive_reasoner.server.questions import Answer, Question
from adaptive_reasoner.server.upstream_fallback import Upstreams

PREFIX = "adaptive_reasoner"
_SECONDS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120)
_NOBODY = "-"


class Metrics:
    """Counts requests, runs, tokens and money.

    Args:
        queue: its length is read when metrics are asked for.
        upstreams: their failures are.
        drift: the watch on the share of escalations, None where the gate does not say what calibration saw.
    """

    def __init__(self, queue: Queue, upstreams: Upstreams, drift: DriftWatch | None) -> None:
        self.registry = CollectorRegistry()
        self._drift = drift

        def counter(name: str, words: str, *labels: str) -> Counter:
            return Counter(f"{PREFIX}_{name}", words, labels, registry=self.registry)

        self._requests = counter("http_requests", "HTTP requests.", "method", "path", "status")
        self._seconds = Histogram(
            f"{PREFIX}_http_request_seconds",
            "Time until an answer was sent whole.",
            ("path",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._runs = counter("runs", "Questions answered.", "model", "route")
        self._failed = counter(
            "runs_failed", "Questions without an answer, by the error's code.", "model", "code"
        )
        self._verdicts = counter("verdicts", "The gate's verdicts.", "node", "verdict")
        self._call_errors = counter("call_errors", "Model calls that failed, by the error's code.", "code")
        self._fallbacks = counter("fallbacks", "Answers of the fast model where the deep one failed.")
        self._tokens = counter("tokens", "Tokens of model calls.", "kind", "tenant")
        self._usd = counter("spend_usd", "Money spent, where prices are known.", "tenant")
        self._unpriced = counter("unpriced_runs", "Runs whose cost is unknown.")
        self._unrecorded = counter("unrecorded_runs", "Runs that could not be recorded.")
        self._drifting = Gauge(
            f"{PREFIX}_calibration_drift",
            "1 if escalations are not what calibration saw.",
            registry=self.registry,
        )
        self._escalated = Gauge(
            f"{PREFIX}_escalation_share",
            "Share of fast answers that escalated: expected by calibration, and observed.",
            ("kind",),
            registry=self.registry,
        )
        self.registry.register(_Live(queue, upstreams))

    def request(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count one HTTP request; `path` is the route's, not what was asked for."""
        self._requests.labels(method, path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def run(self, question: Question, answer: Answer) -> None:
        """Count one answer."""
        report, tenant = answer.report, question.caller.tenant or _NOBODY
        self._runs.labels(question.model, report["route"]).inc()
        for one in report["rounds"]:
            self._verdicts.labels(one["node"], one["verdict"]).inc()
            if "error" in one:
                self._call_errors.labels(one["error"]).inc()
            if one["node"] == "fast_answer":
                self._watch(escalated=one["verdict"] == "escalate")
        if "fallback" in report:
            self._fallbacks.inc()
        if "recording" in report:
            self._unrecorded.inc()
        usage = report["usage"]
        self._tokens.labels("input", tenant).inc(usage["input_tokens"])
        self._tokens.labels("output", tenant).inc(usage["output_tokens"])
        self._tokens.labels("reasoning", tenant).inc(usage["reasoning_tokens"])
        if usage["cost_usd"] is None:
            self._unpriced.inc()
        else:
            self._usd.labels(tenant).inc(usage["cost_usd"])

    def failed(self, question: Question, code: str) -> None:
        """Count a question without an answer."""
        self._failed.labels(question.model, code).inc()

    def _watch(self, *, escalated: bool) -> None:
        if self._drift is None:
            return
        state = self._drift.observe(event=escalated)
        self._drifting.set(state.is_drift)
        self._escalated.labels("expected").set(state.expected)
        self._escalated.labels("observed").set(state.observed or 0.0)


class _Live(Collector):
    """What is read at the moment of asking."""

    def __init__(self, queue: Queue, upstreams: Upstreams) -> None:
        self._queue, self._upstreams = queue, upstreams

    def collect(self) -> Iterable[Metric]:
        """Prometheus asks."""
        yield GaugeMetricFamily(f"{PREFIX}_in_flight", "Requests being answered.", self._queue.in_flight)
        yield GaugeMetricFamily(f"{PREFIX}_queue_waiting", "Requests that wait.", self._queue.waiting)
        yield GaugeMetricFamily(f"{PREFIX}_stopping", "1 while the server drains.", self._queue.is_stopping)
        labels = ["model", "endpoint"]
        attempts = CounterMetricFamily(f"{PREFIX}_upstream_attempts", "Attempts at endpoints.", labels=labels)
        errors = CounterMetricFamily(
            f"{PREFIX}_upstream_errors", "Attempts that failed.", labels=[*labels, "kind"]
        )
        circuits = GaugeMetricFamily(
            f"{PREFIX}_upstream_circuit_open", "1 while an endpoint is left alone.", labels=labels
        )
        for model, client in self._upstreams.items():
            for name, number in client.counts.attempts.items():
                attempts.add_metric([model, name], number)
            for (name, kind), number in client.counts.failures.items():
                errors.add_metric([model, name, kind], number)
            for endpoint in client.endpoints:
                circuits.add_metric([model, endpoint.name], endpoint.breaker.is_open)
        yield from (attempts, errors, circuits)
