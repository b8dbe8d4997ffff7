"""No input makes the parser raise anything but our errors, and what it trusts always keeps its promises."""

import copy
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage
from provider_shapes import SHAPES, chat, entries

from adaptive_reasoner.errors import AdaptiveReasonerError
from adaptive_reasoner.uncertainty import TokenLogprobs, parse_response, score_tokens
from adaptive_reasoner.uncertainty.tokens import token_bytes

RAW = [
    raw
    for shapes in SHAPES.values()
    for raw in shapes.values()
    if isinstance(raw, dict | list) and "bytes': b'" not in str(raw)
]


def _deep(levels: int) -> Any:
    nested: Any = 1
    for level in range(levels):
        nested = {"response": nested} if level % 2 else [nested]
    return nested


ODD = [
    None,
    True,
    -1,
    0.5,
    10**400,
    math.nan,
    -math.inf,
    -9999.0,
    "",
    "\ud800",
    "<think>",
    "<|channel|>final<|message|>",
    [],
    {},
    [[]],
    {"": None},
    b"\xff",
]
UNPRINTABLE = [10**5000, _deep(3000)]  # hypothesis prints what it generates, so these go in by number
FIELDS = sorted({key for raw in RAW for key in json.dumps(raw).split('"')[1::2] if key.isidentifier()})
JSON = st.recursive(
    st.sampled_from(ODD) | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5),
    max_leaves=25,
)


def holds_its_promises(raw: object) -> None:
    try:
        parsed = parse_response(raw)
    except AdaptiveReasonerError:
        return
    assert parsed.trusted == (parsed.reason is None)
    if parsed.trusted:
        assert_believable(parsed)
    assert (score_tokens(parsed)["kind"] == "unknown") or parsed.trusted


def assert_believable(parsed: TokenLogprobs) -> None:
    assert parsed.text.strip()
    joined = b"".join(map(token_bytes, parsed.tokens)).decode("utf-8", "ignore")
    assert joined == parsed.text or token_bytes(parsed.tokens[-1])
    for token in parsed.tokens:
        assert -9000 < token.logprob <= 0
        listed = [logprob for _, logprob in token.top]
        assert listed == sorted(listed, reverse=True)
        assert math.fsum(map(math.exp, listed)) < 1.02 or len(listed) == 1
        assert (token.token, token.logprob) in token.top


def places(raw: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) inside a response."""
    keys = list(raw) if isinstance(raw, dict) else list(range(len(raw))) if isinstance(raw, list) else []
    return [(raw, key) for key in keys] + [place for key in keys for place in places(raw[key])]


@given(JSON)
def test_arbitrary_json(raw: object):
    holds_its_promises(raw)


@given(JSON)
def test_arbitrary_log_probabilities_of_a_message(logprobs: object):
    for field in ("logprobs", "logprobs_result", "additionalModelResponseFields"):
        holds_its_promises(AIMessage("42", response_metadata={field: logprobs}))


@given(JSON)
def test_arbitrary_log_probabilities_of_a_choice(logprobs: object):
    holds_its_promises(chat(logprobs))
    holds_its_promises(chat({"content": [{**entries()[0], "top_logprobs": logprobs}]}))


@given(st.integers(0, len(RAW) - 1), st.data())
def test_mutated_responses(shape: int, data: st.DataObject):
    raw = copy.deepcopy(RAW[shape])
    spots = places(raw)
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = spots[data.draw(st.integers(0, len(spots) - 1))]
        if not (key in container if isinstance(container, dict) else key < len(container)):
            continue  # removed by an earlier mutation
        odd = [*ODD, *UNPRINTABLE][data.draw(st.integers(0, len(ODD) + len(UNPRINTABLE) - 1))]
        match data.draw(st.sampled_from(["replace", "remove", "repeat", "reverse", "wrap"])):
            case "remove":
                del container[key]
            case "repeat" if isinstance(container, list):
                container.append(container[key])
            case "reverse" if isinstance(container, list):
                container.reverse()
            case "wrap":
                container[key] = [container[key]]
            case _:
                container[key] = odd
    holds_its_promises(raw)


@given(st.sampled_from(RAW), st.data())
def test_cut_and_spoilt_text(shape: Any, data: st.DataObject):
    text = json.dumps(shape)
    cut = data.draw(st.integers(0, len(text)))
    holds_its_promises(text[:cut])
    holds_its_promises(text[cut:])
    holds_its_promises("data: " + text.replace(" ", data.draw(st.sampled_from(["\n", "\n\n", "\ndata:"]))))


@given(st.text(max_size=60) | st.binary(max_size=60))
def test_arbitrary_text(raw: str | bytes):
    holds_its_promises(raw)


@pytest.mark.parametrize("levels", [500, 5000, 100_000])
def test_deep_nesting(levels: int):
    for raw in ("[" * levels, '{"response":' * levels + "1" + "}" * levels, "[" * levels + "]" * levels):
        holds_its_promises(raw)
    holds_its_promises(_deep(min(levels, 5000)))
    holds_its_promises({"candidates": [{"content": {"parts": [{"functionCall": {"args": _deep(900)}}]}}]})


@pytest.mark.parametrize("sign", [1, -1])
def test_numbers_too_large_to_print(sign: int):
    huge = sign * 10**5000
    holds_its_promises(chat({"content": entries()}, usage={"completion_tokens": huge}))
    holds_its_promises(chat({"content": [{"token": "42", "logprob": [huge]}]}))
    holds_its_promises([{"token": "42", "logprob": huge}])
    holds_its_promises({"type": huge, "response": {"output": []}})
