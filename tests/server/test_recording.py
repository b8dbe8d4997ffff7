"""Runs that a server keeps: in a store or a file, redacted, where people decide, the disk fails or it is killed."""

import json
import os
import shutil
import signal
import subprocess
import sys

import httpx
import pytest
from served import body_of, http_of, served, settings_of, sure

from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.server.app import create_app
from adaptive_reasoner.server.in_thread import serving
from adaptive_reasoner.server.questions import ServedModels
from adaptive_reasoner.testing import Reply, ScriptedChatModel
from adaptive_reasoner.traces.runs import load_runs

pytest.importorskip("sqlalchemy", reason="the extra `traces` is not installed")

CHAT = "/v1/chat/completions"


def in_doubt():
    return ScriptedChatModel([Reply(text="Answer: 12", probability=0.4)], cycle=True)


@pytest.mark.parametrize("kind", ["sqlite:///{}/runs.db", "{}/runs.jsonl"])
def test_every_answer_leaves_a_record_under_its_reports_run_id(tmp_path, kind):
    url = kind.format(tmp_path)
    with served(sure(), traces={"url": url}) as server, http_of(server) as http:
        reports = [http.post(CHAT, json=body_of(f"How many {n}?")).json() for n in ("pens", "cups")]
        streamed = http.post(CHAT, json=body_of("How many hats?", stream=True)).text
    runs = {run.record["run_id"]: run.record for run in load_runs(url).runs}
    assert len(runs) == 3
    assert [runs[one["adaptive_reasoning"]["run_id"]]["question"] for one in reports] == [
        "How many pens?",
        "How many cups?",
    ]
    assert "How many hats?" in {record["question"] for record in runs.values()}
    assert "Answer: 12" in streamed


def test_texts_are_kept_as_the_settings_say(tmp_path):
    url = f"sqlite:///{tmp_path}/runs.db"
    with (
        served(sure(), traces={"url": url, "questions": "drop", "answers": "drop"}) as server,
        http_of(server) as http,
    ):
        http.post(CHAT, json=body_of("a private matter"))
    (run,) = load_runs(url).runs
    assert (run.record["question"], run.record["answer"]) == ("", "")
    assert b"private" not in b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


def test_a_file_cannot_redact(tmp_path):
    settings = settings_of(traces={"url": f"{tmp_path}/runs.jsonl", "questions": "drop"})
    with pytest.raises(ConfigurationError, match="name a store to redact"), served_with(settings):
        pass


def test_a_hash_without_a_key_is_said_before_the_server_starts(tmp_path, monkeypatch):
    monkeypatch.delenv("ADAPTIVE_REASONER_REDACTION_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="needs a key"):
        create_app(settings_of(traces={"url": f"sqlite:///{tmp_path}/runs.db", "questions": "hash"}))


def test_the_variable_that_holds_the_url_must_be_set(monkeypatch):
    monkeypatch.delenv("TRACES", raising=False)
    with (
        pytest.raises(ConfigurationError, match=r"traces\.url_env names TRACES"),
        served_with(settings_of(traces={"url_env": "TRACES"})),
    ):
        pass


def test_an_answer_that_waits_is_recorded_once_it_is_decided(tmp_path):
    url = f"sqlite:///{tmp_path}/runs.db"
    with (
        served(in_doubt(), policy={"review": "low_confidence"}, traces={"url": url}) as server,
        http_of(server) as http,
    ):
        waiting = http.post(CHAT, json=body_of("How many pens?")).json()
        (review,) = http.get("/v1/reviews").json()["data"]
        decided = http.post(f"/v1/reviews/{review['id']}/approve", json={})
        assert decided.status_code == 200, (waiting, decided.text)
    (run,) = load_runs(url).runs
    assert run.record["question"] == "How many pens?"
    assert run.record["answer"] == "Answer: 12"


def test_a_record_that_cannot_be_kept_costs_nobody_the_answer(tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    with served(sure(), traces={"url": f"{folder}/runs.jsonl"}) as server, http_of(server) as http:
        shutil.rmtree(folder)
        folder.touch()  # a file where the folder was
        told = http.post(CHAT, json=body_of("How many pens?"))
        counted = http.get("/metrics").text
    assert told.status_code == 200
    assert told.json()["adaptive_reasoning"]["recording"].startswith("failed: ")
    assert "adaptive_reasoner_unrecorded_runs_total 1.0" in counted


def test_runs_of_a_killed_server_are_in_the_store_when_it_is_next_opened(tmp_path):
    url = f"sqlite:///{tmp_path}/runs.db"
    command = [sys.executable, "-m", "adaptive_reasoner", "serve", "--port", "0", "--record", url, "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    try:
        listening = json.loads(process.stdout.readline())
        run_ids = [_asked(listening["base_url"], f"What is {n} + 3?") for n in range(20)]
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    assert {run.record["run_id"] for run in load_runs(url).runs} == set(run_ids)


def _asked(base_url, question):
    told = httpx.post(f"{base_url}/chat/completions", json=body_of(question), timeout=30).json()
    return told["adaptive_reasoning"]["run_id"]


def served_with(settings):
    return serving(settings, models=ServedModels(sure(), None))
