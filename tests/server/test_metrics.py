"""What the server counts, logs and traces: what happened, and nobody's words or keys."""

import io
import json
import logging
import re

import pytest
from measuring.failing_endpoint import failing
from prometheus_client.parser import text_string_to_metric_families
from served import body_of, http_of, served, settings_of, sure

from adaptive_reasoner.server.in_thread import serving
from adaptive_reasoner.server.logs.lines import Lines, hidden
from adaptive_reasoner.server.security.keys import new_secret

COMPLETIONS = "/v1/chat/completions"
PREFIX = "adaptive_reasoner_"


def values(http, **options):
    """Every sample, by its name and labels."""
    families = text_string_to_metric_families(http.get("/metrics", **options).text)
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


def test_requests_runs_verdicts_and_tokens_are_counted():
    with served(sure()) as server, http_of(server) as http:
        usage = [http.post(COMPLETIONS, json=body_of()).json()["usage"] for _ in range(2)]
        http.get("/made-up")
        seen = values(http)
    assert seen[f"{PREFIX}http_requests_total", "POST", COMPLETIONS, "200"] == 2
    assert seen[f"{PREFIX}http_requests_total", "GET", "other", "404"] == 1
    assert seen[f"{PREFIX}runs_total", "adaptive", "fast"] == 2
    assert seen[f"{PREFIX}verdicts_total", "fast_answer", "accept"] == 2
    output = sum(one["completion_tokens"] for one in usage)
    assert seen[f"{PREFIX}tokens_total", "output", "-"] == output
    assert seen[f"{PREFIX}in_flight",] == 0


def test_upstream_errors_and_open_circuits_are_shown():
    models = {"fast": "m", "max_retries": 0}
    with failing(["500"]) as upstream:
        sections = {"models": {**models, "base_url": upstream.base_url}, "upstream": {"breaker_failures": 1}}
        with serving(settings_of(**sections)) as server, http_of(server) as http:
            http.post(COMPLETIONS, json={**body_of(), "model": "fast"})
            seen = values(http)
    assert seen[f"{PREFIX}upstream_errors_total", "first", "status_500", "fast"] == 1
    assert seen[f"{PREFIX}upstream_circuit_open", "first", "fast"] == 1
    assert seen[f"{PREFIX}runs_failed_total", "model_failed", "fast"] == 1


def test_the_dashboard_asks_for_metrics_that_exist_and_for_nothing_else(repository):
    with served(sure()) as server, http_of(server) as http:
        http.post(COMPLETIONS, json=body_of())
        families = list(text_string_to_metric_families(http.get("/metrics").text))
    known = {sample.name for family in families for sample in family.samples}
    for family in families:
        known |= {family.name, f"{family.name}_total"} if family.type == "counter" else {family.name}
    dashboard = json.loads((repository / "deploy" / "grafana-dashboard.json").read_text())
    alerts = (repository / "deploy" / "prometheus-alerts.yaml").read_text()
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    assert len(queries) >= 10
    named = {name for query in [*queries, alerts] for name in re.findall(rf"{PREFIX}[a-z_]+", query)}
    assert named - known == set()


def line_of(**fields):
    record = logging.LogRecord("x", logging.INFO, "f", 1, "said", (), fields.pop("exc_info", None))
    record.__dict__.update(fields)
    return Lines(as_json=True).format(record)


def test_of_an_exception_its_words_stay_out_of_the_log():
    with pytest.raises(ValueError, match="invalid literal") as caught:
        int("my secret prompt")
    line = line_of(exc_info=(ValueError, caught.value, caught.value.__traceback__))
    assert "prompt" not in line
    assert json.loads(line)["error"].startswith("ValueError at test_of_an_exception")


@pytest.mark.parametrize(
    "text",
    [new_secret()[1], "sk-proj-abcdefghijkl", "Bearer whatever-it-is", "postgresql://user:pass@host/db"],
)
def test_what_looks_like_a_secret_is_hidden(text):
    said = hidden(f"failed with {text} now")
    assert "[hidden]" in said
    assert not any(part in said for part in ("whatever", "pass", "abcdef", "ar_"))


def test_a_request_leaves_one_line_with_its_id_and_without_its_words():
    logger, stream = logging.getLogger("adaptive_reasoner"), io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Lines(as_json=True))
    logger.addHandler(handler)
    logging.getLogger("adaptive_reasoner.server.access").setLevel("INFO")
    try:
        with served(sure()) as server, http_of(server) as http:
            http.post(COMPLETIONS, json=body_of("a very private question"), headers={"x-request-id": "r-1"})
    finally:
        logger.removeHandler(handler)
        logging.getLogger("adaptive_reasoner.server.access").setLevel("NOTSET")
    assert "private" not in stream.getvalue()
    line = json.loads(stream.getvalue().splitlines()[-1])
    assert (line["request_id"], line["path"], line["status"]) == ("r-1", COMPLETIONS, 200)
