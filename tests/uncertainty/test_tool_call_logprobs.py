"""Of a tool call the tokens of its arguments count."""

import math

import pytest
from logprob_answers import answer, entry

from adaptive_reasoner.uncertainty import parse_response


def call(arguments: dict[str, object], call_id: str = "1") -> dict[str, object]:
    return {"name": "multiply", "args": arguments, "id": call_id}


def test_a_tool_call_gives_its_arguments():
    tokens = [entry('{"', 1.0), entry("a", 1.0), entry('":', 1.0), entry("6", 0.5), entry("}", 1.0)]

    parsed = parse_response(answer("", tokens, tool_calls=[call({"a": 6})]))

    assert parsed.trusted
    assert parsed.is_tool_call
    assert parsed.text == '{"a":6}'


def test_a_streamed_tool_call_gives_its_arguments():
    parts = [{"index": 0, "function": {"arguments": piece}} for piece in ('{"a"', ":6}")]
    stream = [
        {
            "choices": [
                {"index": 0, "delta": {"tool_calls": [part]}, "logprobs": {"content": [entry(text, 0.9)]}}
            ]
        }
        for part, text in zip(parts, ('{"a"', ":6}"), strict=True)
    ]

    parsed = parse_response(stream)

    assert parsed.trusted
    assert parsed.text == '{"a":6}'


def test_parallel_tool_calls_are_all_covered():
    tokens = [entry('{"a":6}', 0.9), entry('{"a":7}', 0.8)]

    parsed = parse_response(answer("", tokens, tool_calls=[call({"a": 6}), call({"a": 7}, "2")]))

    assert parsed.trusted
    assert parsed.text == '{"a":6}{"a":7}'


def test_a_tool_call_whose_arguments_have_no_log_probabilities_is_not_trusted():
    message = answer("Let me see.", [entry("Let me see.", 0.9)], tool_calls=[call({"a": 6})])

    assert "tool call" in str(parse_response(message).reason)


def test_a_call_inside_the_raw_text_of_a_call_is_found():
    raw = '<tool_call>{"name": "multiply", "arguments": {"a": 6}}</tool_call>'
    message = answer("", [entry(raw, 0.9)], tool_calls=[{"name": "multiply", "args": {"a": 6}, "id": "1"}])

    assert parse_response(message).text == '{"a": 6}'


def test_a_call_named_in_the_thoughts_is_not_taken_for_it():
    pieces = ['<think>{"a": 6}', "</think>", '{"a": 6}']
    listed = [entry(piece, p) for piece, p in zip(pieces, (0.2, 0.9, 0.8), strict=True)]
    message = answer("", listed, tool_calls=[{"name": "multiply", "args": {"a": 6}, "id": "1"}])

    assert math.exp(parse_response(message).tokens[0].logprob) == pytest.approx(0.8)
