"""Plain responses are read in bulk, odd ones entry by entry: both must come to the same tokens, reasons and signal."""

import copy
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from provider_shapes import chat

from adaptive_reasoner.uncertainty import TokenLogprobs, parse_response, score_tokens
from adaptive_reasoner.uncertainty.columns import Columns

TEXTS = ["a", " b", "Answer", ": ", "42", "é", "{", '"']
ODD_NUMBERS = [
    0.0,
    -0.0,
    0.5,
    40.0,
    -9999.0,
    -3,
    0,
    True,
    None,
    "-1",
    math.nan,
    -math.inf,
    math.inf,
    10**400,
]
ODD: dict[str, list[Any]] = {
    "token": [None, 4, "", "x", "\ud800", b"a", ["a"]],
    "logprob": ODD_NUMBERS,
    "bytes": [None, [], [97], [300], [0.5], [True], "a", 5, b"a"],
    "top_logprobs": [None, [], {}, {"a": -1.0}, "", "ab", 3, [None], [[]], [{}]],
}


@st.composite
def places(draw: st.DrawFn) -> dict[str, Any]:
    """One entry as OpenAI writes it: up to four alternatives by their probability, one of them chosen."""
    texts = draw(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=4, unique=True))
    weights = sorted((draw(st.floats(0.01, 1.0)) for _ in texts), reverse=True)
    scale = draw(st.sampled_from([0.5, 0.9, 1.0])) / sum(weights)
    top = [
        {"token": text, "logprob": math.log(weight * scale), "bytes": list(text.encode())}
        for text, weight in zip(texts, weights, strict=True)
    ]
    return {**top[draw(st.sampled_from([0, 0, 0, len(top) - 1]))], "top_logprobs": top}


responses = st.lists(places(), min_size=1, max_size=6)


def both_ways(entries: list[dict[str, Any]]) -> tuple[TokenLogprobs, TokenLogprobs]:
    """The same response read in bulk and entry by entry: JSON's lists are plain, and tuples are not."""
    raw = chat({"content": entries})
    raw["choices"][0]["message"]["content"] = "".join(
        entry["token"] for entry in entries if isinstance(entry.get("token"), str)
    )
    careful = copy.deepcopy(raw)
    for entry in careful["choices"][0]["logprobs"]["content"]:
        if isinstance(entry.get("top_logprobs"), list):
            entry["top_logprobs"] = tuple(entry["top_logprobs"])
    return parse_response(raw), parse_response(careful)


def assert_same(one: TokenLogprobs, other: TokenLogprobs) -> None:
    # A NaN equals nothing, and a surrogate cannot be printed: so the spellings are compared.
    assert (repr(one).encode("utf-8", "backslashreplace")) == repr(other).encode("utf-8", "backslashreplace")
    assert repr(score_tokens(one)) == repr(score_tokens(other))


@given(responses)
def test_a_plain_response_is_the_same_both_ways(entries: list[dict[str, Any]]):
    fast, careful = both_ways(entries)

    assert_same(fast, careful)
    if fast.trusted:
        assert isinstance(fast.tokens, Columns)
        assert fast == careful
        assert careful == fast


@given(responses, st.data())
def test_an_odd_response_is_the_same_both_ways(entries: list[dict[str, Any]], data: st.DataObject):
    for _ in range(data.draw(st.integers(1, 2))):
        entry = data.draw(st.sampled_from(entries))
        others = [one for one in entry.get("top_logprobs") or () if isinstance(one, dict)]
        spoilt = data.draw(st.sampled_from([entry, *others]))
        field = data.draw(st.sampled_from(list(ODD)))
        if data.draw(st.booleans()):
            spoilt.pop(field, None)
        else:
            spoilt[field] = data.draw(st.sampled_from(ODD[field]))

    assert_same(*both_ways(entries))


@given(responses, st.randoms(use_true_random=False))
def test_a_shuffled_response_is_the_same_both_ways(entries: list[dict[str, Any]], random: Any):
    for entry in entries:
        random.shuffle(entry["top_logprobs"])

    assert_same(*both_ways(entries))
