"""The estimators that ship."""

import time

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.triage import estimate_gain, estimator_for, shipped_estimator

CASE = (
    "A landlord told a tenant that if she left before June, he would return all of her deposit. She left later than "
    "that because her father was ill. Should he return any of it?\n"
    "A. Yes, because he gave his word.\nB. Yes, unless she was warned.\nC. No, because she was late.\nD. No."
)
TERM = "What is the term for programmed cell death?\nA. Apoptosis\nB. Mitosis\nC. Necrosis\nD. Phagocytosis"


def test_a_case_to_reason_about_gains_more_than_a_term_to_recall():
    assert 0 < estimate_gain(TERM) < estimate_gain(CASE) < 1


def test_a_text_and_its_thread_have_the_same_gain():
    thread = [SystemMessage("Be brief."), HumanMessage("Hi"), AIMessage("Hello!"), HumanMessage(CASE)]
    assert estimate_gain(thread) == estimate_gain(CASE) == estimate_gain([HumanMessage(CASE)])


def test_the_shipped_estimator_says_where_it_comes_from():
    provenance = shipped_estimator().provenance
    assert provenance["licence"] == "Apache-2.0"
    assert "RouteLLM" in provenance["data"]
    assert "gsm8k" not in str(provenance).lower()
    assert sum(provenance["families"].values()) == provenance["questions"]


def test_its_reason_names_what_it_saw():
    triage = shipped_estimator().estimate([HumanMessage(CASE)])
    assert triage["source"] == "linear:default"
    assert "predicted from the question's text, from its " in triage["reason"]
    assert triage["gain"] <= triage["difficulty"] <= 1


def test_a_pair_that_does_not_ship_is_named():
    with pytest.raises(ConfigurationError, match=r"'gpt-9'.*default, embedded.*train triage"):
        estimate_gain("How?", pair="gpt-9")


def test_the_default_pairs_estimator_is_not_lent_to_other_models():
    assert estimator_for("gpt-4o-mini") is None
    assert shipped_estimator().think_at_gain is None


def test_an_estimate_takes_microseconds():
    """The aim is 100 µs; the bound leaves room for a busy machine."""
    started = time.perf_counter()
    for _ in range(200):
        estimate_gain(CASE)
    assert (time.perf_counter() - started) / 200 < 1e-3
