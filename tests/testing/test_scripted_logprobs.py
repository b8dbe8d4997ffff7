import math

import pytest

from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.testing import logprobs_of
from adaptive_reasoner.testing.logprobs import even_tokens, text_pieces, words_of


def test_builds_what_openai_sends_for_one_token():
    built = logprobs_of([(" 42", 0.75, [(" 43", 0.125)])])
    chosen = {"token": " 42", "logprob": math.log(0.75), "bytes": [32, 52, 50]}
    other = {"token": " 43", "logprob": math.log(0.125), "bytes": [32, 52, 51]}
    assert built == {"content": [{**chosen, "top_logprobs": [chosen, other]}], "refusal": None}


def test_ranks_the_top_list_and_drops_the_chosen_token_below_it():
    entry = logprobs_of([("c", 0.1, [("b", 0.3), ("a", 0.6)])], top_logprobs=2)["content"][0]
    assert entry["token"] == "c"
    assert [top["token"] for top in entry["top_logprobs"]] == ["a", "b"]


def test_lists_the_chosen_token_once_when_it_is_named_among_the_alternatives():
    entry = logprobs_of([("a", 0.6, [("a", 0.6), ("b", 0.4)])])["content"][0]
    assert [top["token"] for top in entry["top_logprobs"]] == ["a", "b"]


def test_no_top_list_when_none_is_asked_for():
    assert logprobs_of([("a", 0.6, [("b", 0.4)])], top_logprobs=0)["content"][0]["top_logprobs"] == []


def test_writes_part_of_a_character_escaped_and_keeps_its_bytes():
    entry = logprobs_of([(b"\xd1", 1.0)])["content"][0]
    assert (entry["token"], entry["bytes"]) == ("\\xd1", [0xD1])


def test_gives_the_sentinel_for_a_token_of_no_probability():
    assert logprobs_of([("x", 0.0)])["content"][0]["logprob"] == -9999.0


@pytest.mark.parametrize("probability", [-0.1, 1.1])
def test_refuses_what_is_no_probability(probability):
    with pytest.raises(ConfigurationError, match="number from 0 to 1"):
        logprobs_of([("x", probability)])


@pytest.mark.parametrize("count", [-1, 21])
def test_refuses_top_lists_that_openai_would_refuse(count):
    with pytest.raises(ConfigurationError, match="between 0 and 20"):
        logprobs_of([("x", 0.5)], top_logprobs=count)


def test_even_tokens_spread_the_rest_over_stand_ins_below_the_word():
    first, second = even_tokens("so 4", 0.4)
    assert first == ("so", 0.4, [("so~1", pytest.approx(0.3)), ("so~2", pytest.approx(0.3))])
    assert second[0] == " 4"


def test_a_certain_word_has_no_alternative():
    assert even_tokens("yes", 1.0) == [("yes", 1.0, [])]


@pytest.mark.parametrize("probability", [0.0, 1.5])
def test_even_tokens_need_a_probability(probability):
    with pytest.raises(ConfigurationError, match="probability is"):
        even_tokens("yes", probability)


def test_text_comes_when_its_character_is_complete():
    tokens = [("a ", 1.0), (b"\xe6\x97", 1.0), (b"\xa5", 1.0), ("!", 1.0)]
    assert list(text_pieces(tokens)) == ["a ", "", "日", "!"]


def test_a_character_that_is_never_complete_becomes_a_replacement():
    assert list(text_pieces([(b"\xe6\x97", 1.0)])) == ["\ufffd"]


@pytest.mark.parametrize("text", ["", " ", "a  b\n", " lead", "日本 語"])
def test_words_join_to_their_text(text):
    assert "".join(words_of(text)) == text
