"""Where an answer ends and its rationale begins, and whether the rationale leads to the answer."""

import pytest
from langchain_core.messages import AIMessage

from adaptive_reasoner.uncertainty.rationale import rationale_agreement, with_rationale
from adaptive_reasoner.uncertainty.rationale_text import answer_with_rationale, rationale_of, split_rationale
from adaptive_reasoner.uncertainty.score import unknown_signal


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Answer: 4\nBecause: 2 + 2 = 4.", ("Answer: 4", "2 + 2 = 4.")),
        ("Answer: 4\n\n**Because:** 2 + 2 = 4.", ("Answer: 4", "2 + 2 = 4.")),
        ("Paris\n### Rationale:\nIt is.", ("Paris", "It is.")),
        ("I came because: no.", ("I came because: no.", None)),
        ("Because: no answer stands before it", ("Because: no answer stands before it", None)),
    ],
)
def test_the_heading_parts_the_answer_from_its_rationale(text, parts):
    assert split_rationale(text) == parts


@pytest.mark.parametrize(
    ("text", "agreement"),
    [
        ("Answer: Paris\nBecause: the Seine runs through it.\nResult: Paris", 1.0),
        ("Answer: Paris\nBecause: I meant Italy.\n**Result:** Rome.", 0.0),
        ("Answer: 1.5 hours\nBecause: 60 + 30 = 90.\nResult: 90 minutes", 1.0),
        ("Answer: 90\nBecause: 60 + 30 = 80.\nResult: 90", 0.0),  # its work does not hold
        ("Answer: 42\nBecause: 6 * 7 = 42", 1.0),
        ("Answer: 41\nBecause: 6 * 7 = 42", 0.0),
        ("Answer: Paris\nBecause: it is.", None),
        ("6 * 7 = 42\nAnswer: 42", None),
    ],
)
def test_what_the_rationale_comes_to_is_held_against_the_answer(text, agreement):
    assert rationale_agreement(text) == agreement
    answer, rationale = split_rationale(text)
    beside = AIMessage(answer, additional_kwargs={"rationale": rationale} if rationale else {})
    assert with_rationale(unknown_signal("none"), beside).get("rationale_agreement") == agreement


def test_a_rationale_is_found_in_the_text_and_beside_it():
    text = "4\nBecause: 2 + 2"
    assert rationale_of(AIMessage(text)) == "2 + 2"
    beside = AIMessage("4", additional_kwargs={"rationale": "2 + 2"})
    assert (rationale_of(beside), answer_with_rationale(beside)) == ("2 + 2", "4\nBecause: 2 + 2")


def test_a_contradiction_is_a_doubt_where_no_tokens_tell():
    signal = with_rationale(unknown_signal("no logprobs"), AIMessage("Answer: 41\nBecause: 6 * 7 = 42"))
    assert (signal["kind"], signal["risk"], signal["rationale_agreement"]) == ("agreement", 0.7, 0.0)
    agrees = with_rationale(unknown_signal("no logprobs"), AIMessage("Answer: 42\nBecause: 6 * 7 = 42"))
    assert (agrees["kind"], agrees["rationale_agreement"]) == ("unknown", 1.0)  # that says little
