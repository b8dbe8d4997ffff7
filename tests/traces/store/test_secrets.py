"""Keys, tokens and passwords are masked wherever they stand; other text stays as it is."""

import json
import time

import pytest
from recorded_runs import judged, run

from adaptive_reasoner.traces.store.lines import line_of
from adaptive_reasoner.traces.store.redaction import Redaction
from adaptive_reasoner.traces.store.secrets import MASK, mask_secrets, may_hold_secrets, without_secrets

SECRETS = [
    "sk-proj-abcDEF1234567890abcd",
    "sk-ant-api03-abcdefghijklmnop",
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_abcdefghijklmnopqrstuvwx0123",
    "github_pat_11ABCDEFG0abcdefghijkl",
    "glpat-abcdefghij0123456789",
    "xoxb-123456789012-abcdefghijkl",
    "AIzaSyA1234567890abcdefghijklmnopqrstuv",
    "hf_abcdefghijklmnopqrstuvwxyz",
    "gsk_abcdefghijklmnopqrstuvwxyz",
    "lsv2_pt_0123456789abcdef0123",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdef",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_keys_are_masked_by_their_shape(secret):
    text = f"Why does {secret} fail?"
    assert may_hold_secrets(text)
    assert mask_secrets(text) == f"Why does {MASK} fail?"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Authorization: Bearer abc123def456.xyz", "Authorization: Bearer [secret]"),
        ("postgresql://bob:hunter2@host/db", "postgresql://[secret]@host/db"),
        ("OPENAI_API_KEY=abcdef12", "OPENAI_API_KEY=[secret]"),
        ("my password is hunter22, why?", "my password is [secret], why?"),
        ("{'access_token': 'abcdefgh'}", "{'access_token': '[secret]'}"),
        ("-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY----- x", "[secret] x"),
    ],
)
def test_of_a_name_with_its_value_only_the_value_is_masked(text, masked):
    assert mask_secrets(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "Is a basic understanding of secret sharing enough?",
        "A risk-averse bearer certificates market; tokens: 12",
        "My password is incorrect. See https://example.org/a@b",
        "What is 12 + 30? The token costs 5.",
    ],
)
def test_other_text_stays(text):
    assert mask_secrets(text) == text


@pytest.mark.parametrize("before", ["\n", "\t", "\\", "“", '"', "日本 "])
def test_a_key_is_found_in_json_whatever_stands_before_it(before):
    text = f"Mine is:{before}{SECRETS[0]}"
    assert may_hold_secrets(json.dumps({"question": text}))
    assert mask_secrets(text) == f"Mine is:{before}{MASK}"


def test_fields_that_are_named_like_a_secret_are_masked_whatever_they_hold():
    kept = without_secrets(
        {"api_key": "x", "headers": [{"Authorization": "y"}], "token_count": 3, "key": "z"}
    )
    assert kept == {"api_key": MASK, "headers": [{"Authorization": MASK}], "token_count": 3, "key": "z"}


def test_a_stored_line_holds_no_secret_anywhere():
    secret = SECRETS[0]
    record = run(1, judged("fast", "accept", f"It is {secret}"), question=f"What is {secret}?")
    record["report"]["review"] = {"comment": secret, "api_key": "plain"}
    line = line_of(record, Redaction())
    assert secret.encode() not in line
    assert json.loads(line)["answers"] == [f"It is {MASK}"]
    assert json.loads(line)["report"]["review"]["api_key"] == MASK


def test_looking_costs_little_where_there_is_nothing():
    text = json.dumps(run(1, judged("fast", "accept", "The answer is 42. " * 20)))
    times = []
    for _ in range(50):
        started = time.perf_counter()
        may_hold_secrets(text)
        times.append(time.perf_counter() - started)
    assert min(times) < 5e-4
