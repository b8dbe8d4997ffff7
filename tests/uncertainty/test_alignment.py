import pytest

from adaptive_reasoner.uncertainty import TokenLogprob
from adaptive_reasoner.uncertainty.alignment import (
    align_arguments,
    align_text,
    character_offsets,
    joined_text,
)


def tokens(*spellings: str | bytes) -> list[TokenLogprob]:
    return [
        TokenLogprob(text, -0.1) if isinstance(text, str) else TokenLogprob("?", -0.1, utf8=text)
        for text in spellings
    ]


def test_offsets_count_characters_not_bytes():
    assert character_offsets(tokens("é", "日本", "x")) == [(0, 1), (1, 3), (3, 4)]


def test_pieces_of_a_character_share_its_offsets():
    pieces = ["日".encode()[:1], "日".encode()[1:], b"x"]

    assert character_offsets(tokens(*pieces)) == [(0, 1), (0, 1), (1, 2)]


def test_a_token_that_ends_inside_a_character_reaches_over_it():
    pieces = [b"a" + "日".encode()[:1], "日".encode()[1:] + b"b"]

    assert character_offsets(tokens(*pieces)) == [(0, 2), (1, 3)]


def test_no_tokens_have_no_offsets():
    assert character_offsets([]) == []


def test_a_cut_off_character_is_left_out_of_the_text():
    assert joined_text(tokens("a", "日".encode()[:2])) == "a"


@pytest.mark.parametrize(
    ("spellings", "text", "kept"),
    [
        (["4", "2"], "42", ["4", "2"]),
        (["", "42", ""], "42", ["42"]),
        (["<s>", "42", "</s>"], "42", ["42"]),
        (["42", "\n", "<end_of_turn>"], "42", ["42"]),
        (["6 * 7", "</think>", "42"], "42", ["42"]),
        (["42", "42"], "42", ["42"]),
        (["42"], "42\n", ["42"]),
    ],
)
def test_the_visible_tokens_are_kept(spellings: list[str], text: str, kept: list[str]):
    aligned = align_text(tokens(*spellings), text)

    assert aligned is not None
    assert [token.token for token in aligned[0]] == kept


@pytest.mark.parametrize(
    ("spellings", "text"),
    [(["x42"], "42"), (["42", " apples"], "42"), (["2"], "42"), (["4"], "42"), (["42"], "")],
)
def test_tokens_that_do_not_add_up_are_refused(spellings: list[str], text: str):
    assert align_text(tokens(*spellings), text) is None


def test_arguments_are_found_between_other_tokens():
    aligned = align_arguments(tokens("call(", '{"a": ', "6}", ")"), [{"a": 6}])

    assert aligned is not None
    assert aligned[1] == '{"a": 6}'
    assert b"".join(token.utf8 or b"" for token in aligned[0]) == b'{"a": 6}'


@pytest.mark.parametrize("arguments", [[{"a": 7}], [{"a": 6}, {"a": 6}], ["not json"]])
def test_missing_arguments_are_refused(arguments: list[object]):
    assert align_arguments(tokens('{"a": ', "6}"), arguments) is None


def test_the_same_arguments_twice_need_two_objects():
    assert align_arguments(tokens('{"a":6}', '{"a":6}'), [{"a": 6}, {"a": 6}]) is not None


def test_many_braces_do_not_stall():
    assert align_arguments(tokens('{"a":' * 20_000), [{"a": 6}]) is None
