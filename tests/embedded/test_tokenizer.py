"""The tiktoken encoding of the embedded model."""

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st

from adaptive_reasoner.embedded.problems import generate
from adaptive_reasoner.embedded.thoughts import write_thought
from adaptive_reasoner.embedded.tokenizer import encoding, special


@given(st.text())
def test_any_text_round_trips(text: str):
    assert encoding().decode(encoding().encode_ordinary(text)) == text


@given(st.integers(min_value=0))
def test_every_digit_is_one_token(number: int):
    assert [encoding().decode([token]) for token in encoding().encode_ordinary(f"{number}")] == list(
        f"{number}"
    )


def test_a_space_before_a_number_belongs_to_its_first_digit():
    tokens = encoding().encode_ordinary("Answer: 142")
    assert [encoding().decode([token]) for token in tokens] == ["Answer", ":", " 1", "4", "2"]


def test_questions_and_thoughts_need_no_bytes():
    single_bytes = set(range(256)) - set(encoding().encode_ordinary("0123456789():.,;?"))
    for problem in generate("train", 2000, seed=9):
        text = " " + problem.question + write_thought(problem).text
        assert not single_bytes & set(encoding().encode_ordinary(text)), text


def test_tiktoken_finds_the_encoding_by_its_name():
    assert tiktoken.get_encoding("adaptive_reasoner").encode_ordinary(
        "Answer: 42"
    ) == encoding().encode_ordinary("Answer: 42")


def test_special_tokens_cannot_be_written_in_plain_text():
    assert special("<think>") not in encoding().encode_ordinary("<think></think><eos>")


def test_special_tokens_are_the_last_ids():
    ids = [special(name) for name in ("<bos>", "<eos>", "<think>", "</think>", "<refine>")]
    assert len(set(ids)) == 5
    assert min(ids) > max(encoding().encode_ordinary("Answer: 7 plan work check"))
    assert max(ids) < encoding().n_vocab


def test_an_unknown_special_token_is_refused():
    with pytest.raises(KeyError):
        special("<nothing>")
