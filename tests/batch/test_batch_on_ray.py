"""Batches on Ray Data: the same rows, once each."""

import json
from collections import Counter
from importlib.util import find_spec

import pytest

from adaptive_reasoner.batch import BatchJob, run_batch

pytestmark = [
    pytest.mark.ray,
    pytest.mark.slow,
    pytest.mark.skipif(
        find_spec("ray") is None, reason="the dependency group `server-tests` is not installed"
    ),
    pytest.mark.filterwarnings("ignore"),
]


def test_ray_answers_each_row_once_and_goes_on(tmp_path, shipped_weights):
    import ray

    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    rows = [{"id": place % 7, "question": "What is 3 * 7 + 5?"} for place in range(60)]
    source.write_text("".join(json.dumps(row) + "\n" for row in [*rows, {"text": "nothing"}]))
    job = BatchJob(source=source, out=out, engine="ray", processes=1, workers=4)
    try:
        assert run_batch(job).answered == 60
        out.write_text("".join(out.read_text().splitlines(keepends=True)[:40]))
        result = run_batch(job)
    finally:
        ray.shutdown()
    assert (result.rows, result.answered, result.failed, result.new) == (61, 60, 1, 21)
    assert Counter(json.loads(line)["row"] for line in out.read_text().splitlines()) == Counter(range(1, 62))
