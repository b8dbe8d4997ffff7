"""Batches: one output row an input row, whatever the input holds and however often the run was killed."""

import gzip
import json
from collections import Counter

import pytest

from adaptive_reasoner.batch import BatchJob, run_batch
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.server.config import load_settings
from adaptive_reasoner.server.questions import ServedModels
from adaptive_reasoner.testing import Reply, ScriptedChatModel

OPENAI_ROW = {
    "custom_id": "a",
    "method": "POST",
    "url": "/v1/chat/completions",
    "body": {"model": "fast", "messages": [{"role": "user", "content": "How many pens?"}]},
}


def sure():
    return ServedModels(ScriptedChatModel([Reply(text="Answer: 12", probability=0.999)], cycle=True))


def job_of(folder, rows, **fields):
    source = folder / "in.jsonl"
    source.write_text("".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows))
    return BatchJob(source=source, out=folder / "out.jsonl", **{"models": sure(), **fields})


def lines_of(job):
    return [json.loads(line) for line in job.out.read_text().splitlines()]


def test_each_shape_is_answered(tmp_path):
    rows = [
        OPENAI_ROW,
        {"id": 7, "question": "How many?"},
        {"messages": [{"role": "user", "content": "Hm?"}]},
    ]
    result = run_batch(job_of(tmp_path, rows))
    assert (result.rows, result.answered, result.failed, result.new) == (3, 3, 0, 3)
    by_row = {line["row"]: line for line in lines_of(job_of(tmp_path, rows))}
    assert [by_row[row]["custom_id"] for row in (1, 2, 3)] == ["a", "7", None]
    body = by_row[1]["response"]["body"]
    assert body["choices"][0]["message"]["content"] == "Answer: 12"
    assert body["model"] == "fast"
    assert body["adaptive_reasoning"]["route"] == "fast"


def test_equal_rows_are_each_answered(tmp_path):
    job = job_of(tmp_path, [OPENAI_ROW] * 50)
    run_batch(job)
    assert sorted(line["row"] for line in lines_of(job)) == list(range(1, 51))


def test_bad_rows_are_rows_with_a_code(tmp_path):
    elsewhere = {**OPENAI_ROW, "url": "/v1/embeddings"}
    unknown = {**OPENAI_ROW, "body": {**OPENAI_ROW["body"], "model": "gpt-9"}}
    wrong = {**OPENAI_ROW, "body": {**OPENAI_ROW["body"], "temperature": "hot"}}
    job = job_of(tmp_path, ["{no json\n", "[1]\n", {"text": "?"}, elsewhere, unknown, wrong, OPENAI_ROW])
    result = run_batch(job)
    assert (result.rows, result.answered, result.failed) == (7, 1, 6)
    by_row = {line["row"]: line for line in lines_of(job)}
    codes = [by_row[row]["error"]["code"] for row in range(1, 7)]
    assert codes == ["invalid_value"] * 4 + ["model_not_found", "invalid_value"]
    assert [by_row[row]["response"]["status_code"] for row in range(1, 8)] == [400] * 4 + [404, 400, 200]
    assert "'temperature'" in by_row[6]["error"]["message"]


def test_a_killed_run_goes_on_where_it_was(tmp_path):
    job = job_of(tmp_path, [{"id": place, "question": "How many?"} for place in range(20)])
    run_batch(job)
    kept = job.out.read_bytes().splitlines(keepends=True)[:8]
    job.out.write_bytes(b"".join(kept) + b'{"row": 9, "dig')  # killed while it wrote
    result = run_batch(job)
    assert (result.new, result.answered) == (12, 20)
    assert job.out.read_bytes().startswith(b"".join(kept))
    assert Counter(line["row"] for line in lines_of(job)) == Counter(range(1, 21))
    assert run_batch(job).new == 0


def test_another_input_is_refused_and_the_output_stays(tmp_path):
    job = job_of(tmp_path, [OPENAI_ROW])
    run_batch(job)
    before = job.out.read_bytes()
    with pytest.raises(ConfigurationError, match="Row 1 is not the one"):
        run_batch(job_of(tmp_path, [{"question": "Another?"}]))
    assert job.out.read_bytes() == before


def test_a_file_that_is_no_output_is_refused(tmp_path):
    job = job_of(tmp_path, [OPENAI_ROW])
    job.out.write_text("my notes\n")
    with pytest.raises(ConfigurationError, match="no output of a batch"):
        run_batch(job)
    assert job.out.read_text() == "my notes\n"


def test_two_runs_do_not_write_one_file(tmp_path):
    from adaptive_reasoner.batch.output import open_output

    job = job_of(tmp_path, [OPENAI_ROW])
    with open_output(job.out), pytest.raises(ConfigurationError, match="Another batch"):
        run_batch(job)


def test_failed_rows_are_asked_again_on_request(tmp_path):
    failing = ServedModels(ScriptedChatModel([RuntimeError("down")], cycle=True))
    job = job_of(tmp_path, [OPENAI_ROW] * 3, models=failing)
    assert run_batch(job).failed == 3
    assert run_batch(job_of(tmp_path, [OPENAI_ROW] * 3)).new == 0
    result = run_batch(job_of(tmp_path, [OPENAI_ROW] * 3, retries_errors=True))
    assert (result.new, result.answered, result.failed) == (3, 3, 0)


def test_compressed_input_is_read(tmp_path):
    source = tmp_path / "in.jsonl.gz"
    with gzip.open(source, "wt") as file:
        file.write(json.dumps(OPENAI_ROW) + "\n")
    assert run_batch(BatchJob(source=source, out=tmp_path / "out.jsonl", models=sure())).answered == 1


def test_a_budget_holds_across_workers(tmp_path):
    budget = [{"max_model_calls": 5, "per": "day"}]
    ledger = f"sqlite:///{tmp_path}/ledger.sqlite"
    settings = load_settings(environment={}, given={"policy": {"budgets": budget, "ledger": ledger}})
    result = run_batch(job_of(tmp_path, [OPENAI_ROW] * 12, settings=settings, workers=6))
    assert (result.answered, result.failed) == (5, 7)
