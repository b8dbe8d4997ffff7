"""Counts in a question's text: the cues that say whether it asks to reason or to recall."""

import math
import time

import pytest

from adaptive_reasoner.triage.cues import CUES, SIGNS, question_cues

CASE = (
    "If a man earns less than his neighbour, should he pay more before he moves?\n"
    "A. Yes, because he earns less.\nB. No, unless he moves.\nC. Yes.\nD. No."
)
TERM = "What is the pharmacological mechanism of acetylsalicylic acid called?"


def test_every_cue_has_a_sign_and_a_value_for_any_text():
    assert set(SIGNS.values()) == {1, 0, -1}
    for text in ("", " ", "はい", "🤔" * 50, CASE, TERM, "x" * 100_000, "A.", "\x00\ud800"):
        cues = question_cues(text)
        assert set(cues) == set(CUES)
        assert all(math.isfinite(value) for value in cues.values())


def test_a_case_is_told_from_a_term():
    case, term = question_cues(CASE), question_cues(TERM)
    assert case["conditions"] == pytest.approx(math.log1p(2))  # if, should
    assert case["comparisons"] == pytest.approx(math.log1p(3))  # less, than, more
    assert case["reasoned_options"] == 1.0
    assert (term["opens_with_what"], term["definitions"]) == (1.0, pytest.approx(math.log1p(1)))
    assert term["long_words"] == pytest.approx(3 / 9)  # pharmacological, mechanism, acetylsalicylic


def test_the_stem_ends_where_lettered_options_begin():
    cues = question_cues("A gene of 3 parts is\nA. long\nB. 12 or 15")
    assert cues["log_words"] == pytest.approx(math.log(6))  # A gene of parts is
    assert cues["completes"] == 1.0
    assert cues["option_numbers"] == pytest.approx(math.log1p(2))


def test_one_letter_alone_is_no_list_of_options():
    assert question_cues("Explain this:\nA. Smith wrote it")["completes"] == 0.0


def test_a_calculation_without_options_counts_its_length_only():
    cues = question_cues("What is the total if he has 3 pens and buys 5 more?")
    assert {name for name, value in cues.items() if value} == {"log_words"}


def test_a_huge_text_is_measured_but_not_read_whole():
    text = f"Which clause applies? {'word ' * 200_000}"
    started = time.perf_counter()
    cues = question_cues(text)
    assert time.perf_counter() - started < 0.05
    assert cues["log_words"] == pytest.approx(math.log(200_000), abs=0.1)
    assert cues["which"] > 0
