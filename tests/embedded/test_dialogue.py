"""The format of prompts and of the request to refine."""

from adaptive_reasoner.embedded.dialogue import (
    MODE_TOKENS,
    REFINE_REQUEST_ENDING,
    answer_text,
    refine_request,
    render_prompt,
)
from adaptive_reasoner.embedded.tokenizer import encoding, special


def test_a_prompt_ends_where_the_mode_token_belongs():
    ids = render_prompt([("user", "What is 3 + 4?")])
    assert encoding().decode(ids) == "<bos><user> What is 3 + 4?<assistant>"


def test_earlier_turns_precede_and_earlier_answers_are_fast():
    ids = render_prompt([("user", "Hi"), ("assistant", "Answer: 7"), ("user", " yes ")])
    assert encoding().decode(ids) == "<bos><user> Hi<assistant><fast>Answer: 7<eos><user> yes<assistant>"


def test_special_tokens_in_a_users_text_stay_text():
    ids = render_prompt([("user", "<think>")])
    assert special("<think>") not in ids


def test_every_mode_has_its_own_token():
    assert len({special(token) for token in MODE_TOKENS.values()}) == 4


def test_refine_request_names_each_uncertain_span_with_its_alternatives():
    spans = [[(" 4", 0.553), (" 5", 0.3)], [("2", 0.4), ("7", 0.22), ("3", 0.1), ("9", 0.08), ("1", 0.05)]]
    assert refine_request(spans) == (
        'Unsure: "4" (55%) or "5" (30%); "2" (40%) or "7" (22%) or "3" (10%) or "9" (8%). Check and answer again.'
    )


def test_a_span_without_alternatives_is_named_alone():
    assert refine_request([[("4", 0.5)]]) == 'Unsure: "4" (50%). Check and answer again.'


def test_refine_request_without_spans_is_the_plain_request():
    assert refine_request([]) == REFINE_REQUEST_ENDING == "Check and answer again."


def test_an_answer_is_labelled():
    assert answer_text(42) == "Answer: 42"
