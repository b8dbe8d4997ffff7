"""doubted_values: from the uncertain stretches of calls' arguments to the arguments that they lie in."""

import pytest

from adaptive_reasoner.uncertainty.call_values import doubted_values


def span(text, piece, *others, after=0):
    start = text.index(piece, after)
    alternatives = [[piece, 0.6], *([other, 0.3] for other in others)]
    return {
        "text": piece,
        "start": start,
        "end": start + len(piece),
        "entropy_nats": 0.7,
        "alternatives": alternatives,
    }


def seen(text, calls, *spans):
    return [(one.call, one.name, one.value) for one in doubted_values(text, calls, spans)]


def test_a_piece_of_a_value_names_its_argument_and_the_whole_value():
    text = '{"to": "Ada Lovelace", "amount": 42}'
    [found] = doubted_values(text, [{"to": "Ada Lovelace", "amount": 42}], [span(text, "Lovelace", "Byron")])
    assert (found.call, found.name, found.value) == (0, "to", "Ada Lovelace")
    assert found.alternatives == [["Lovelace", 0.6], ["Byron", 0.3]]


def test_each_call_of_several_has_its_own():
    text = '{"amount": 1}\n{"amount": 2}'
    calls = [{"amount": 1}, {"amount": 2}]
    assert seen(text, calls, span(text, "2"), span(text, "1")) == [(0, "amount", "1"), (1, "amount", "2")]


def test_calls_that_are_wrapped_by_their_model_are_found():
    text = '{"a": 1}</call>\n<call>{"name": "pay", "arguments": {"a": 2}}'
    assert seen(text, [{"a": 1}, {"a": 2}], span(text, "2")) == [(1, "a", "2")]


@pytest.mark.parametrize(
    ("text", "call", "piece", "expected"),
    [
        ('{"to": {"name": "Ada"}}', {"to": {"name": "Ada"}}, "Ada", [(0, "name", "Ada")]),
        ('{"items": [3, 4]}', {"items": [3, 4]}, "4", [(0, "items", "4")]),
        ('{"a": true}', {"a": True}, "true", [(0, "a", "true")]),
        ('{"amount": 42}', {"amount": 42}, "amount", []),
        ('{"amount": 42}', {"amount": 43}, "42", []),
        ("", {}, "", []),
        ("not JSON {", {"a": 1}, "not", []),
    ],
)
def test_nested_listed_and_missing(text, call, piece, expected):
    assert seen(text, [call], span(text, piece)) == expected
