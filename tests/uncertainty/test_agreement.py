"""Samples vote on an answer: what counts as the same, when to stop, how much doubt is left."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inquiries import inquire
from langchain_core.messages import AIMessage

from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.uncertainty.agreement import (
    SampleAgreement,
    Votes,
    count_votes,
    doubt,
    is_settled,
    leads,
)

LONG = (
    "The harvest failed because rain came late, and so the village lived on what the sea gave it for years. "
    * 3
)


def test_lead_is_the_beta_rule_of_adaptive_consistency() -> None:
    # 1 - I_.5(a + 1, b + 1), by hand: Beta(5, 1) at .5 is .5**5; Beta(4, 4) is symmetric.
    assert leads(4, 0) == pytest.approx(1 - 0.5**5)
    assert leads(3, 3) == 0.5
    assert leads(5, 1) == pytest.approx(0.9375)
    assert leads(6, 1) == pytest.approx(1 - 9 / 256)


@given(st.integers(0, 40), st.integers(0, 40))
def test_lead_of_one_is_what_the_other_lacks(ahead: int, behind: int) -> None:
    assert leads(ahead, behind) + leads(behind, ahead) == pytest.approx(1.0)


@given(st.integers(1, 20), st.integers(0, 20), st.integers(0, 20))
def test_another_vote_for_the_answer_lowers_its_doubt(own: int, rival: int, others: int) -> None:
    votes, one_more = Votes(own, rival, own + rival + others), Votes(own + 1, rival, own + rival + others + 1)
    assert 0 < doubt(one_more) < doubt(votes) < 1


def test_doubt_is_the_mean_over_the_strongest_rival_and_all_others() -> None:
    assert doubt(Votes(3, 0, 3)) == pytest.approx(1 / 16)
    assert doubt(Votes(2, 1, 4)) == pytest.approx(1 - (11 / 16 + 1 / 2) / 2)


def test_one_united_rival_is_more_doubtful_than_several() -> None:
    assert doubt(Votes(2, 3, 5)) > doubt(Votes(2, 2, 5)) > doubt(Votes(2, 1, 5))


def test_votes_go_to_the_first_answer_and_its_strongest_rival() -> None:
    assert count_votes(["$8.00", "8", "9", "10", "**9.**", "Eight dollars"]) == Votes(3, 2, 6)


def test_equal_answers_settle_the_vote() -> None:
    assert not is_settled(["7", "7"], 0.93)
    assert is_settled(["7", "7", "7"], 0.93)
    assert not is_settled(["7", "7", "7"], 0.95)
    assert not is_settled(["7", "7", "8"], 0.93)


def test_sampling_stops_as_soon_as_the_vote_is_settled() -> None:
    driven = inquire(SampleAgreement(), "Answer: 42", ["Answer: 42", "It follows that\nAnswer: 42.0"])
    assert len(driven.asks) == 2
    assert driven.signal["kind"] == "agreement"
    assert driven.signal["risk"] == pytest.approx(1 / 16)
    assert driven.signal["spans"] == []
    assert driven.signal["reason"] == "3 of 3 samples agree, the answer's own included"


def test_split_votes_use_every_sample_and_show_the_alternatives() -> None:
    driven = inquire(
        SampleAgreement(), "Answer: 42", ["Answer: 41", "Answer: 42", "Answer: 41", "Answer: 40"]
    )
    assert len(driven.asks) == 4
    assert driven.signal["risk"] == pytest.approx(doubt(Votes(2, 2, 5)))
    (span,) = driven.signal["spans"]
    assert (span["text"], span["start"], span["end"]) == ("42", 8, 10)
    assert span["alternatives"] == [["42", 0.4], ["41", 0.4], ["40", 0.2]]
    assert span["entropy_nats"] == pytest.approx(-0.8 * math.log(0.4) - 0.2 * math.log(0.2))


def test_all_samples_are_asked_for_where_nothing_settles() -> None:
    assert len(inquire(SampleAgreement(max_samples=6, stop_at=1.0), "Answer: 1", ["Answer: 1"] * 6).asks) == 6


def test_a_refused_call_ends_the_sampling_with_what_there_is() -> None:
    driven = inquire(SampleAgreement(), "Answer: 42", ["Answer: 41", None])
    assert driven.signal["risk"] == pytest.approx(0.5)
    assert len(driven.asks) == 2


def test_no_sample_is_no_signal() -> None:
    driven = inquire(SampleAgreement(), "Answer: 42")
    assert (driven.signal["kind"], driven.signal["reason"]) == ("unknown", "no further sample could be had")


def test_samples_are_asked_for_as_the_answer_was() -> None:
    (ask,) = inquire(SampleAgreement(temperature=0.9), "Answer: 42").asks
    assert (ask.messages, ask.model, ask.temperature) == (None, None, 0.9)


def test_a_reply_without_an_answer_agrees_with_none() -> None:
    driven = inquire(SampleAgreement(max_samples=2), "Answer: 42", ["", ""])
    assert driven.signal["risk"] == pytest.approx(doubt(Votes(1, 1, 3)))
    assert driven.signal["spans"][0]["alternatives"] == [["42", pytest.approx(1 / 3)]]


def test_a_model_that_repeats_long_replies_word_for_word_does_not_sample() -> None:
    text = LONG + "\nAnswer: fish"
    driven = inquire(SampleAgreement(), text, [text, text])
    assert driven.signal["kind"] == "unknown"
    assert len(driven.asks) == 1


def test_short_answers_may_be_repeated_word_for_word() -> None:
    assert inquire(SampleAgreement(), "fish", ["fish", "fish"]).signal["kind"] == "agreement"


def test_long_free_text_is_unknown_unless_an_equivalence_can_compare_it() -> None:
    assert inquire(SampleAgreement(), LONG, ["no"]).asks == []
    source = SampleAgreement(equivalent=lambda one, other: one.split()[1] == other.split()[1])
    driven = inquire(source, LONG, ["A harvest without rain fails."] * 2)
    assert driven.signal["risk"] == pytest.approx(1 / 16)


def test_calls_of_tools_are_compared_by_name_and_arguments() -> None:
    def call(**arguments: object) -> AIMessage:
        return AIMessage("", tool_calls=[{"name": "pay", "args": arguments, "id": "1"}])

    replies = [call(cents=5, to="Zoe"), call(to="Zoe", cents=500)]
    driven = inquire(SampleAgreement(max_samples=2), call(to="Zoe", cents=5), replies)
    assert driven.signal["risk"] == pytest.approx(doubt(Votes(2, 1, 3)))


def test_an_answer_without_text_is_unknown() -> None:
    assert inquire(SampleAgreement(), "").signal["kind"] == "unknown"


@pytest.mark.parametrize(
    "settings", [{"max_samples": 0}, {"max_samples": 41}, {"stop_at": 0.5}, {"stop_at": 1.1}]
)
def test_settings_out_of_range_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError):
        SampleAgreement(**settings)  # type: ignore[arg-type]
