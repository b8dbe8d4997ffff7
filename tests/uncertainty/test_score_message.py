import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage
from logprob_answers import FORTY_TWO, answer, byte_entry, entry

from adaptive_reasoner.config import Situation
from adaptive_reasoner.gate import GateProfile
from adaptive_reasoner.uncertainty import TokenLogprob, parse_response, score_tokens
from adaptive_reasoner.uncertainty.message import score_message

FAST = Situation(mode="fast", can_refine=True, can_escalate=True, can_review=False)


def test_only_the_answer_span_is_measured():
    signal = score_message(answer("Answer: 42", FORTY_TWO))

    # " 4": .6, .3, .05 and .05 unseen; "2": .9, .1
    first = -sum(p * math.log(p) for p in (0.6, 0.3, 0.05, 0.05))
    second = -sum(p * math.log(p) for p in (0.9, 0.1))
    assert signal["kind"] == "logprobs"
    assert signal["risk"] is None
    assert signal["reason"] is None
    assert signal["token_count"] == 2
    assert signal["entropy_nats"]["lower"] == pytest.approx((first + second) / 2)
    assert signal["entropy_nats"]["upper"] == pytest.approx(
        (first + second + 0.05 * math.log(199_997)) / 2, rel=1e-6
    )
    assert signal["covered_mass"] == pytest.approx(0.95)
    assert signal["min_probability"] == pytest.approx(0.6)
    assert signal["perplexity"] == pytest.approx(1 / math.sqrt(0.6 * 0.9))


def test_certain_tokens_around_a_doubtful_one_do_not_dilute_it():
    tokens = [
        entry("{'", 1.0),
        entry("sol", 1.0),
        entry("': '", 1.0),
        entry("d", 0.5, {"c": 0.5}),
        entry("'}", 1.0),
    ]

    signal = score_message(answer("{'sol': 'd'}", tokens))

    assert signal["token_count"] == 1
    assert signal["entropy_nats"]["lower"] == pytest.approx(math.log(2))


def test_uncertain_tokens_become_spans_with_their_alternatives():
    spans = score_message(answer("Answer: 42", FORTY_TWO))["spans"]

    assert [(span["text"], span["start"], span["end"]) for span in spans] == [("4", 8, 9), ("2", 9, 10)]
    assert spans[0]["alternatives"] == [
        ["4", pytest.approx(0.6)],
        ["5", pytest.approx(0.3)],
        ["7", pytest.approx(0.05)],
    ]


def test_a_token_below_the_threshold_is_no_span():
    # .97 and .03: .135 nats
    assert score_message(answer("42", [entry("42", 0.97, {"43": 0.03})]))["spans"] == []


def test_the_chosen_text_comes_first_even_when_it_is_not_the_most_probable():
    alternatives = score_message(answer("G", [entry("G", 0.1, {"F": 0.6, "C": 0.3})]))["spans"][0][
        "alternatives"
    ]

    assert [text for text, _ in alternatives] == ["G", "F", "C"]


def test_at_most_four_alternatives_of_at_least_one_percent_are_kept():
    others = {"b": 0.2, "c": 0.15, "d": 0.1, "e": 0.1}
    spans = score_message(answer("a", [entry("a", 0.4, {**others, "f": 0.005})]))["spans"]

    assert [text for text, _ in spans[0]["alternatives"]] == ["a", "b", "c", "d"]


def test_the_same_text_with_other_white_space_is_no_alternative():
    spans = score_message(answer("5", [entry("5", 0.4, {" 5": 0.3, " 6": 0.3})]))["spans"]

    assert spans[0]["alternatives"] == [["5", pytest.approx(0.7)], ["6", pytest.approx(0.3)]]


def test_pieces_of_one_character_make_one_span():
    first, second, third = "日".encode()[:1], "日".encode()[1:2], "日".encode()[2:]
    tokens = [byte_entry(first, 0.5), byte_entry(second, 0.9), byte_entry(third, 1.0), entry("本", 1.0)]

    signal = score_message(answer("日本", tokens))

    assert [(span["text"], span["start"], span["end"]) for span in signal["spans"]] == [("日", 0, 1)]
    assert signal["spans"][0]["alternatives"] == [["日", pytest.approx(0.45)]]
    assert signal["token_count"] == 4


def test_offsets_count_characters_before_the_span():
    signal = score_message(
        answer("日本語: 7", [entry("日本語", 1.0), entry(":", 1.0), entry(" 7", 0.6, {" 8": 0.4})])
    )

    assert [(span["start"], span["end"]) for span in signal["spans"]] == [(5, 6)]


def test_a_tool_call_is_measured_on_its_argument_values():
    tokens = [
        entry('{"value":', 0.5, {"{": 0.5}),
        entry(" 6", 0.7, {" 7": 0.3}),
        entry(', "unit": "', 0.5, {",": 0.5}),
        entry("cm", 0.8, {"m": 0.2}),
        entry('"}', 1.0),
    ]
    call = {"name": "convert", "args": {"value": 6, "unit": "cm"}, "id": "1"}

    signal = score_message(answer("", tokens, tool_calls=[call]))

    assert signal["token_count"] == 2
    assert signal["min_probability"] == pytest.approx(0.7)
    assert [span["text"] for span in signal["spans"]] == ["6", "cm"]


def test_missing_log_probabilities_are_unknown_and_not_confident():
    signal = score_message(AIMessage("Answer: 42"))

    assert signal == {
        "kind": "unknown",
        "risk": None,
        "entropy_nats": None,
        "covered_mass": None,
        "min_probability": None,
        "perplexity": None,
        "token_count": 0,
        "spans": [],
        "reason": "no log probabilities arrived with the answer",
    }


def test_an_answer_span_of_ones_own_is_measured():
    assert score_message(answer("Answer: 42", FORTY_TWO), r": (4)")["token_count"] == 1
    assert score_message(answer("Answer: 42", FORTY_TWO), "whole")["token_count"] == 4


def test_bare_tokens_are_scored():
    tokens = [
        TokenLogprob("4", math.log(0.5), [("4", math.log(0.5)), ("5", math.log(0.5))]),
        TokenLogprob("2", 0.0),
    ]

    signal = score_tokens(tokens)

    assert signal["entropy_nats"]["lower"] == pytest.approx(math.log(2) / 2)
    assert score_tokens([])["kind"] == "unknown"
    assert score_tokens([TokenLogprob("4", math.nan)])["kind"] == "unknown"


probabilities = st.floats(0.02, 1.0)


@given(st.lists(probabilities, min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_a_top_list_does_not_matter(weights: list[float], random: object):
    shares = [weight / sum(weights) for weight in weights]
    top = [(str(index), math.log(share)) for index, share in enumerate(shares)]
    shuffled = list(top)
    random.shuffle(shuffled)

    listed = score_tokens([TokenLogprob(*top[0], top)])
    unlisted = score_tokens([TokenLogprob(*top[0], shuffled)])

    assert unlisted["entropy_nats"]["lower"] == pytest.approx(listed["entropy_nats"]["lower"], abs=1e-12)
    assert unlisted["spans"] == listed["spans"] or not listed["spans"]
    assert GateProfile.default().decide(unlisted, FAST) == GateProfile.default().decide(listed, FAST)


@given(probabilities, st.sampled_from([".", "\n", "**", " .", "<|im_end|>", "\n\n"]))
def test_certain_format_tokens_at_the_end_do_not_change_the_verdict(p: float, mark: str):
    digit = entry(" 42", p, {" 43": 1.0 - p} if p < 0.99 else None)
    bare = score_message(answer("Answer: 42", [entry("Answer:", 1.0), digit]))
    marked = score_message(answer(f"Answer: 42{mark}", [entry("Answer:", 1.0), digit, entry(mark, 1.0)]))

    assert marked == bare
    assert GateProfile.default().decide(marked, FAST) == GateProfile.default().decide(bare, FAST)


@given(st.text(min_size=1, max_size=20).filter(str.strip), st.data())
def test_any_split_of_the_bytes_is_scored(text: str, data: st.DataObject):
    if "<think>" in text:
        return
    whole = text.encode()
    cuts = sorted(data.draw(st.sets(st.integers(0, len(whole)), max_size=8)) | {0, len(whole)})
    pieces = [byte_entry(whole[low:high], data.draw(probabilities)) for low, high in pairwise(cuts)]

    signal = score_tokens(parse_response(answer(text, pieces)))

    assert signal["kind"] == "logprobs"
    for span in signal["spans"]:
        assert text[span["start"] : span["end"]] == span["text"]


@given(st.sampled_from([None, {}, {"content": None}, {"content": []}, {"content": FORTY_TWO[-1:]}, "junk"]))
def test_log_probabilities_that_are_missing_or_lost_never_accept_a_fast_answer(logprobs: object):
    signal = score_message(AIMessage("Answer: 42", response_metadata={"logprobs": logprobs}))

    for can_escalate in (True, False):
        situation = Situation(
            mode="fast", can_refine=True, can_escalate=can_escalate, can_review=False, accept_unknown=True
        )
        assert GateProfile.default().decide(signal, situation).verdict in {"escalate", "give_up"}
