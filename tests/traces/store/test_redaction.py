"""What is kept of texts: as the policy says, and the rest of the record as it was."""

import json

import pytest
from recorded_runs import judged, run

from adaptive_reasoner.errors import ConfigurationError, RecordError
from adaptive_reasoner.traces.run_schema import find_run_fault
from adaptive_reasoner.traces.store.lines import line_of
from adaptive_reasoner.traces.store.redaction import ENVIRONMENT, Redaction

KEY = b"0123456789abcdef"
SPAN = {"text": "private", "start": 0, "end": 7, "entropy_nats": 0.5, "alternatives": [["private", 0.9]]}


@pytest.fixture
def record():
    made = run(1, judged("fast", "accept", "private answer", reason="private"), question="private question")
    made["thread_id"], made["tenant"], made["thoughts"] = (
        "private thread",
        "private tenant",
        ["private thought"],
    )
    made["report"]["rounds"][0]["signal"]["spans"] = [SPAN]
    made["report"]["triage"]["reason"] = "private"
    made["report"]["review"] = {"text": "private"}
    made["report"]["budget"] = {
        "limits": [],
        "exhausted": "max_tokens: private tenant",
        "accounts": {"tenant:private": {}},
    }
    return made


ALL = ("questions", "answers", "thoughts", "threads", "tenants")


@pytest.mark.parametrize("how", ["drop", "hash"])
def test_nothing_private_is_kept_where_all_is_redacted(record, how):
    line = line_of(record, Redaction(**dict.fromkeys(ALL, how), key=KEY))
    assert b"private" not in line
    assert find_run_fault(json.loads(line)) is None


def test_hashes_make_equal_texts_equal_and_need_the_key(record):
    hashed = Redaction(questions="hash", key=KEY).run(record)["question"]
    assert hashed.startswith("hmac-sha256:")
    assert hashed == Redaction(questions="hash", key=KEY).run(record)["question"]
    assert hashed != Redaction(questions="hash", key=KEY[::-1]).run(record)["question"]


def test_what_is_kept_stays_as_it_is(record):
    kept = Redaction(thoughts="drop").run(record)
    assert kept == {**record, "thoughts": [""]}


def test_figures_outlive_redaction(record):
    kept = Redaction(**dict.fromkeys(ALL, "drop")).run(record)
    assert kept["report"]["usage"] == record["report"]["usage"]
    assert kept["report"]["signal"]["risk"] == record["report"]["signal"]["risk"]


def test_a_hash_without_a_key_is_refused(monkeypatch):
    with pytest.raises(ConfigurationError, match="at least 16 bytes"):
        Redaction(answers="hash")
    monkeypatch.setenv(ENVIRONMENT, KEY.decode())
    assert Redaction(answers="hash").hashes
    with pytest.raises(ConfigurationError, match=r"redaction\.answers is 'mask'"):
        Redaction(answers="mask")


def test_a_right_answer_tells_nothing_where_answers_are_not_kept():
    policy = Redaction(answers="drop")
    assert policy.label({"run_id": "a", "correct": True}) == {"run_id": "a", "correct": True}
    with pytest.raises(RecordError, match='label runs with "correct"'):
        policy.label({"run_id": "a", "answer": "42"})
