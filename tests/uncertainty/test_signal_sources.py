"""Every source of signals keeps one contract, and the cheapest that knows something is taken."""

from collections.abc import Sequence

import pytest
from inquiries import QUESTION, drive, inquire
from langchain_core.messages import AIMessage
from logprob_answers import answer, entry

from adaptive_reasoner.state import Signal
from adaptive_reasoner.uncertainty.agreement import SampleAgreement
from adaptive_reasoner.uncertainty.opinion import SignalSource, cheapest_informative
from adaptive_reasoner.uncertainty.rationale import RationaleAgreement
from adaptive_reasoner.uncertainty.score import unknown_signal
from adaptive_reasoner.uncertainty.verifier import Verifier

SOURCES = [SampleAgreement(), SampleAgreement(max_samples=1), Verifier(), RationaleAgreement()]
YES = answer("Yes", [entry("Yes", 0.9, {"No": 0.1})])
ANSWERS: list[str | AIMessage] = [
    "Answer: 41\nBecause: 6 * 7 = 42",
    "Paris",
    "",
    " \n",
    "x" * 5000,
    "word " * 500,
    "{answer}",
    AIMessage("", tool_calls=[{"name": "pay", "args": {"cents": 5}, "id": "1"}]),
    AIMessage([{"type": "text", "text": "42"}, {"type": "reasoning", "reasoning": "hm"}]),
]
REPLIES: list[Sequence[str | AIMessage | None]] = [
    [],
    [None],
    [YES] * 9,
    ["Paris"] * 9,
    ["", "No", "??"],
    [AIMessage([])] * 9,
]


def is_sound(signal: Signal) -> bool:
    """The shape that a gate relies on: unknown with a reason, or a doubt in [0, 1]."""
    if set(signal) != set(unknown_signal("")):
        return False
    if signal["kind"] == "unknown":
        return signal["risk"] is None and bool(signal["reason"])
    risk, minimum = signal["risk"], signal["min_probability"]
    return (
        signal["kind"] in ("agreement", "verifier")
        and risk is not None
        and minimum is not None
        and 0 <= risk <= 1
        and abs(risk + minimum - 1) < 1e-12
        and bool(signal["reason"])
    )


@pytest.mark.parametrize("source", SOURCES, ids=repr)
@pytest.mark.parametrize("replies", REPLIES, ids=str)
@pytest.mark.parametrize("text", ANSWERS, ids=lambda text: str(text)[:20])
def test_any_answer_and_any_replies_give_a_sound_signal(
    source: SignalSource, text: str | AIMessage, replies: Sequence[str | AIMessage | None]
) -> None:
    driven = inquire(source, text, replies)
    assert is_sound(driven.signal)
    assert len(driven.asks) <= source.most_calls


@pytest.mark.parametrize("source", SOURCES, ids=repr)
def test_inquiries_do_not_share_anything(source: SignalSource) -> None:
    first = inquire(source, "Answer: 42", [YES, YES, YES])
    assert inquire(source, "Answer: 42", [YES, YES, YES]) == first


def test_the_cheapest_source_that_knows_is_taken() -> None:
    sources = [SampleAgreement(), Verifier(), RationaleAgreement()]
    contradicted = AIMessage("Answer: 41\nBecause: 6 * 7 = 42")
    driven = drive(cheapest_informative(sources, QUESTION, contradicted))
    assert (driven.signal["kind"], driven.asks) == ("agreement", [])
    driven = drive(cheapest_informative(sources, QUESTION, AIMessage("42")), [YES])
    assert (driven.signal["kind"], len(driven.asks)) == ("verifier", 1)
    driven = drive(cheapest_informative(sources, QUESTION, AIMessage("42")), ["Yes", "42", "42"])
    assert (driven.signal["kind"], len(driven.asks)) == ("agreement", 3)


def test_where_none_knows_every_reason_is_given() -> None:
    sources = [SampleAgreement(), Verifier(), RationaleAgreement()]
    signal = drive(cheapest_informative(sources, QUESTION, AIMessage("42"))).signal
    assert signal["kind"] == "unknown"
    assert signal["reason"] == (
        "the answer comes without work that a rule could check; the verifier could not be asked; "
        "no further sample could be had"
    )


def test_no_source_is_unknown() -> None:
    assert drive(cheapest_informative([], QUESTION, AIMessage("42"))).signal["kind"] == "unknown"
