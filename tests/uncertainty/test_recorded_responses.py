"""Real responses of real providers, each read as it should be or refused with its reason; needs the recordings."""

import json
import os
from pathlib import Path

import pytest

from adaptive_reasoner.uncertainty import parse_response, score_tokens

FOLDER = Path(os.environ.get("ADAPTIVE_REASONER_DATA", "../shared/data")) / "logprob-fixtures"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no recorded responses in {FOLDER}")

# file -> number of the answer's tokens, its text or how it begins
READ = {
    "azure-chat-stream-top3.json": (7, "4 + 4 = 8"),
    "llamacpp-completion-legacy.json": (3, " to find purpose"),
    "openai-chat-nano-1token.json": (1, "Paris"),
    "openai-chat-stream-top3.json": (8, "4 + 4 equals 8."),
    "openai-chat-stream-top5.json": (9, "The smallest continent by land area is Australia."),
    "openai-chat-top20-factual.json": (7, "The capital of France is Paris."),
    "openai-chat-top20-wrong-factoid.json": (20, "The Remington Model 7615 pump-action"),
    "openai-chat-top5-natural.json": (59, "The sky appears blue"),
    "openai-responses-simple.json": (7, "The capital of France is Paris."),
    "openai-responses-stream.sse": (9, "The capital of Minas Gerais is Belo Horizonte."),
    "openrouter-parasail-qwen-nontop1.json": (1, "G"),
    "together-chat.json": (10, "New York City is a vibrant"),
    "uqlm-openai-content-lists.json": (1, "30"),
    "vertex-gemini-top5.json": (7, "2 + 2 = 4"),
    "vllm-chat-top5-promptlogprobs.json": (1, "Your"),
}
REFUSED = {
    "groq-chat-stream-top5.sse": "ends inside its thoughts",
    "openai-chat-top20-minus9999.json": "placeholder -9999",
    "rawlogits-invalid.json": "a logit or a probability",
    "vllm-chat-degenerate.json": "equally probable",
}


def load(name: str) -> object:
    text = (FOLDER / name).read_text(encoding="utf-8")
    return json.loads(text) if name.endswith(".json") else text


def test_every_recording_is_expected_here():
    assert {path.name for path in FOLDER.iterdir()} - {"INDEX.json"} <= {*READ, *REFUSED}


@pytest.mark.parametrize("name", READ)
def test_a_recording_is_read(name: str):
    if not (FOLDER / name).exists():
        pytest.skip(f"{name} is not among the recordings")
    count, beginning = READ[name]
    parsed = parse_response(load(name))

    assert parsed.trusted, parsed.reason
    assert len(parsed.tokens) == count
    assert parsed.text.startswith(beginning)
    assert "".join(token.token for token in parsed.tokens) == parsed.text
    assert score_tokens(parsed)["kind"] == "logprobs"


@pytest.mark.parametrize("name", REFUSED)
def test_a_recording_is_refused(name: str):
    if not (FOLDER / name).exists():
        pytest.skip(f"{name} is not among the recordings")
    parsed = parse_response(load(name))

    assert not parsed.trusted
    assert REFUSED[name] in str(parsed.reason)
    assert score_tokens(parsed)["kind"] == "unknown"


def test_an_unsorted_list_is_sorted_and_its_doubt_kept():
    token = parse_response(load("openrouter-parasail-qwen-nontop1.json")).tokens[0]

    assert [text for text, _ in token.top][:3] == ["F", "C", "G"]


def test_a_stream_keeps_the_exact_numbers_that_its_last_events_round():
    tokens = parse_response(load("openai-responses-stream.sse")).tokens

    assert tokens[0].logprob == -1.9361264946837764e-07
