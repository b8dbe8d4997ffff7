"""LangSmith's runs carry the report as metadata, where its tracing is on; the service is played on loopback."""

import json
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from graph_ways import WAYS, disbelieved, sure
from langsmith import Client, tracing_context

from adaptive_reasoner import ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.testing import ScriptedChatModel

FEW_WAYS = ("invoke", "ainvoke", "stream messages", "astream_events v3")
OURS = ("adaptive_reasoning.", "gen_ai.", "error.type")


class Handler(BaseHTTPRequestHandler):
    """Posted runs go to /runs, patched ones to /runs/<id>."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.take(body["id"] if self.path == "/runs" else self.path.rpartition("/")[2], body)
        self.send_response(202)
        self.end_headers()

    def do_PATCH(self):
        self.do_POST()

    def log_message(self, *arguments):
        pass


class LangSmith(ThreadingHTTPServer):
    """Takes runs as the service does, one request each, and merges what is patched into what was posted."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests, self.runs = 0, defaultdict(dict)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def take(self, run_id, body):
        self.requests += 1
        self.runs[run_id] |= {name: value for name, value in body.items() if value is not None}

    def metadata(self, name):
        """Ours of the run of that name."""
        (run,) = [run for run in self.runs.values() if run["name"] == name]
        return {key: value for key, value in run["extra"]["metadata"].items() if key.startswith(OURS)}


@pytest.fixture
def langsmith():
    with LangSmith() as service:
        serving = threading.Thread(target=service.serve_forever, daemon=True)
        serving.start()
        yield service
        service.shutdown()
        serving.join()


@pytest.fixture
def client(langsmith):
    client = Client(api_url=langsmith.url, api_key="not-checked", auto_batch_tracing=False, info={})
    yield client
    client.close()


def ask(way="invoke"):
    model = ScriptedChatModel([disbelieved("Forty one"), sure("Forty two")], logprobs_in_chunks=True)
    graph = build_reasoning_graph(model, config=ReasonerConfig(triage="off"))
    return WAYS[way](graph, {"messages": [("user", "How much?")]}).report


@pytest.mark.parametrize("way", FEW_WAYS)
def test_the_graphs_run_carries_the_report(langsmith, client, way):
    with tracing_context(enabled=True, client=client):
        report = ask(way)
    said = langsmith.metadata("adaptive_reasoner")
    assert said["adaptive_reasoning.route"] == "fast"
    assert said["adaptive_reasoning.verdicts"] == ["escalate", "accept"]
    assert said["adaptive_reasoning.entropy.upper_nats"] == report["signal"]["entropy_nats"]["upper"]
    assert said["gen_ai.usage.output_tokens"] == report["usage"]["output_tokens"]
    assert langsmith.metadata("hand_off") == said


def test_each_run_of_the_gate_carries_its_round(langsmith, client):
    with tracing_context(enabled=True, client=client):
        report = ask()
    gates = [run["extra"]["metadata"] for run in langsmith.runs.values() if run["name"] == "confidence_gate"]
    verdicts = {one["adaptive_reasoning.round"]: one["adaptive_reasoning.verdict"] for one in gates}
    assert verdicts == dict(enumerate(one["verdict"] for one in report["rounds"]))


def test_without_tracing_nothing_is_sent(langsmith, client):
    with tracing_context(enabled=False, client=client):
        ask()
    assert langsmith.requests == 0
