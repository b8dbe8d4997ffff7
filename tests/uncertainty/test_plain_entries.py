import copy
import math
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logprob_answers import FORTY_TWO, entry

from adaptive_reasoner.uncertainty import TokenLogprob
from adaptive_reasoner.uncertainty.bulk_checks import check_numbers
from adaptive_reasoner.uncertainty.columns import PlainToken
from adaptive_reasoner.uncertainty.plain_entries import read_plain
from adaptive_reasoner.uncertainty.tokens import find_fault, normalize


def test_plain_entries_are_read_whole():
    tokens = read_plain(FORTY_TWO)

    assert tokens[3] == TokenLogprob("2", math.log(0.9), [("2", math.log(0.9)), ("3", math.log(0.1))], b"2")
    assert [token.token for token in tokens] == ["Answer", ":", " 4", "2"]


@pytest.mark.parametrize(
    "changed",
    [{"token": 4}, {"logprob": 0}, {"logprob": None}, {"top_logprobs": None}, {"bytes": "4"}, {"bytes": [300]},
     {"top_logprobs": [{"token": None, "logprob": -1.0}]}, {"top_logprobs": [{"token": "4"}]},
     {"top_logprobs": [{"token": "4", "logprob": "-1"}]}, {"top_logprobs": {"4": -1.0}}],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_the_careful_reader(changed: dict[str, Any]):
    assert read_plain([FORTY_TWO[0], {**entry("4", 0.5), **changed}]) is None


def test_a_plain_token_behaves_like_any_other():
    plain = read_plain(FORTY_TWO)[2]
    common = TokenLogprob(plain.token, plain.logprob, plain.top, plain.utf8)

    assert isinstance(plain, PlainToken)
    assert plain == common
    assert common == plain
    assert plain != TokenLogprob("5", plain.logprob, plain.top, plain.utf8)
    assert pickle.loads(pickle.dumps(plain)) == copy.deepcopy(plain) == common
    with pytest.raises(AttributeError):
        plain.token = "5"


numbers = st.sampled_from([0.0, -0.1, -0.7, -1.2, -3.0, -9999.0, 0.5, 3.0, math.nan, -math.inf])
tokens = st.builds(
    TokenLogprob,
    st.sampled_from("ab"),
    numbers,
    st.lists(st.tuples(st.sampled_from("abc"), numbers), max_size=4),
)


@given(st.lists(tokens, max_size=5))
def test_checking_in_bulk_finds_what_checking_one_by_one_does(given_tokens: list[TokenLogprob]):
    kept, fault = check_numbers(given_tokens)

    assert fault == find_fault(given_tokens)
    if fault is None:
        for fast, slow in zip(kept, map(normalize, given_tokens), strict=True):
            assert (fast.token, fast.logprob) == (slow.token, slow.logprob)
            assert sorted(fast.top) == sorted(slow.top)
            assert [logprob for _, logprob in fast.top] == [logprob for _, logprob in slow.top]
