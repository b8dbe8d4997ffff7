"""Every provider's shape of the same answer is read as the same tokens; docs/logprobs.md names every reader."""

import math
from pathlib import Path
from typing import Any

import pytest
from message_shapes import MESSAGES
from openai.types.chat import ChatCompletion
from provider_shapes import (
    FINAL,
    HARMONY,
    SHAPES,
    SPELLED,
    TEXT,
    TOP,
    chat,
    cohere,
    entries,
    imported,
    surrounded,
)

from adaptive_reasoner.uncertainty import parse_response
from adaptive_reasoner.uncertainty.providers.table import READERS
from adaptive_reasoner.uncertainty.tokens import token_bytes

PAGE = Path(__file__).parents[2] / "docs" / "logprobs.md"
CASES = [
    pytest.param(family, raw, id=f"{family}: {name}")
    for family, shapes in {**SHAPES, "LangChain message": MESSAGES}.items()
    for name, raw in shapes.items()
]
WITHOUT_LOGPROBS = "Anthropic Messages"
WITHOUT_ALTERNATIVES = {"Cohere Command"}


@pytest.mark.parametrize(("family", "raw"), CASES)
def test_every_shape_gives_the_same_tokens(family: str, raw: Any):
    parsed = parse_response(raw)

    assert parsed.trusted, parsed.reason
    assert parsed.text == TEXT
    assert [token.token for token in parsed.tokens] == SPELLED
    assert b"".join(map(token_bytes, parsed.tokens)) == TEXT.encode()
    chosen = [math.log(place[0][1]) for place in TOP]
    assert [token.logprob for token in parsed.tokens] == pytest.approx(chosen)


@pytest.mark.parametrize(
    ("family", "raw"),
    [case for case in CASES if case.values[0] not in WITHOUT_ALTERNATIVES and "streamed" not in str(case.id)],
)
def test_every_shape_gives_the_alternatives(family: str, raw: Any):
    token = parse_response(raw).tokens[2]

    assert [text for text, _ in token.top] == [" 4", " 5"]
    assert [math.exp(logprob) for _, logprob in token.top] == pytest.approx([0.6, 0.3])


def test_every_reader_has_a_shape():
    families = [reader.family for reader in READERS]

    assert len(set(families)) == len(families)
    assert set(families) - {WITHOUT_LOGPROBS} == set(SHAPES)


def test_the_page_lists_the_readers_in_their_order():
    rows = [line.split("|")[1].strip() for line in PAGE.read_text().splitlines() if line.startswith("| ")]

    assert [row for row in rows if row in {reader.family for reader in READERS}] == [
        reader.family for reader in READERS
    ]


@pytest.mark.parametrize(
    "raw",
    [
        {"type": "message", "role": "assistant", "content": [{"type": "text", "text": TEXT}]},
        [
            {"type": "message_start", "message": {"content": []}},
            {"type": "content_block_delta", "delta": {"type": "text_delta", "text": TEXT}},
            {"type": "message_stop"},
        ],
        {"candidates": [{"content": {"parts": [{"text": TEXT}]}, "avgLogprobs": -0.1}]},
        {"message": {"content": TEXT}, "done": True},
        {"output": {"message": {"content": [{"text": TEXT}]}}},
        {"generation": TEXT, "logprobs": None},
        {"content": TEXT, "stop": True},
        {
            "object": "response",
            "output": [{"type": "message", "content": [{"type": "output_text", "text": TEXT}]}],
        },
    ],
)
def test_an_answer_without_log_probabilities_is_unknown_with_its_text(raw: Any):
    parsed = parse_response(raw)

    assert (parsed.trusted, parsed.text) == (False, TEXT)
    assert parsed.reason == "no log probabilities arrived with the answer"


def test_token_ids_without_text_are_refused():
    assert "by id, without their text" in str(parse_response(imported(readable=False)).reason)


def test_cohere_names_a_token_by_its_key_too():
    raw = cohere()
    listed = raw["generations"][0]["token_likelihoods"]
    raw["generations"][0]["token_likelihoods"] = [{one["token"]: one.get("likelihood")} for one in listed]

    assert [token.token for token in parse_response(raw).tokens] == SPELLED


@pytest.mark.parametrize(
    "raw",
    [
        {"candidates": [{"content": {"parts": [{"functionCall": {"name": "f", "args": {"a": 6}}}]}}]},
        {"message": {"content": "", "tool_calls": [{"function": {"arguments": {"a": 6}}}]}, "done": True},
        {"output": {"message": {"content": [{"toolUse": {"name": "f", "input": {"a": 6}}}]}}},
        {"output": [{"type": "function_call", "name": "f", "arguments": '{"a":6}'}]},
    ],
)
def test_a_tool_call_without_log_probabilities_is_unknown(raw: Any):
    parsed = parse_response(raw)

    assert not parsed.trusted
    assert "no log probabilities" in str(parsed.reason)


def test_an_object_of_an_sdk_is_read_as_its_json():
    completion = ChatCompletion.model_construct(**chat({"content": entries()}))

    assert [token.token for token in parse_response(completion).tokens] == SPELLED


def test_an_answer_beside_its_log_probabilities_must_be_theirs():
    assert parse_response({"content": TEXT, "logprobs": entries()}).trusted
    assert not parse_response({"content": "Answer: 43", "logprobs": entries()}).trusted
    assert not parse_response({"text": "Answer: 43", "logprobs": entries()}).trusted


def test_gpt_oss_on_bedrock_shows_its_thoughts_in_other_words_than_its_tokens():
    raw = chat({"content": surrounded([*HARMONY, *FINAL], ["<|return|>"])})
    raw["choices"][0]["message"]["content"] = f"<reasoning>6 * 7</reasoning>{TEXT}"

    assert [token.token for token in parse_response(raw).tokens] == SPELLED
