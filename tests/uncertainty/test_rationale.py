"""An answer's own work, done again by rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inquiries import inquire

from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.uncertainty.arithmetic import find_equations
from adaptive_reasoner.uncertainty.rationale import (
    DOUBT_IF_CONTRADICTED,
    RationaleAgreement,
    rationale_agreement,
    read_rationale,
)

HOLDING = [
    ("9 sprints x 60 meters = 540 meters", 540.0),
    ("she earns $9 × 2 = $18 a day", 18.0),  # noqa: RUF001
    ("16 − 3 − 4 = 9 eggs", 9.0),  # noqa: RUF001
    ("20% of 50 = 10", 10.0),
    ("$75,000 - $80,000 = -$5,000", -5000.0),
    ("100 / 3 = 33.33", 100 / 3),
    ("100 ÷ 3 ≈ 33", 100 / 3),
    (r"\frac{1}{4} \times 10 = 2.5", 2.5),
    ("3(15) = 45", 45.0),
    ("2 + 3 * 4 = 14", 14.0),
    ("(2 + 3) * 4 = 20", 20.0),
    ("the change is -5 + 3 = -2", -2.0),
]
NO_CALCULATION = [
    "3x + 2 = 8",
    "2x = 32, so x = 16",
    "cost - 3 * 4 = 12",
    "2 + 2 =",
    "1/0 = 3",
    "x = 5",
    "= 4",
    "a = b",
]


@pytest.mark.parametrize(("text", "result"), HOLDING)
def test_calculations_in_prose_are_done_again(text: str, result: float) -> None:
    (equation,) = find_equations(text)
    assert equation.left == pytest.approx(result)
    assert equation.holds


@pytest.mark.parametrize("text", ["8 × 3 = 25", "(47+52) ÷ 2 = 99.5", "100 / 3 = 33.4", "20% of 50 = 20"])  # noqa: RUF001
def test_wrong_calculations_do_not_hold(text: str) -> None:
    (equation,) = find_equations(text)
    assert not equation.holds


@pytest.mark.parametrize("text", NO_CALCULATION)
def test_algebra_and_fragments_are_left_out(text: str) -> None:
    assert find_equations(text) == []


def test_chains_and_several_calculations_are_read_in_order() -> None:
    found = find_equations("(7 + 8) * 3 = 15 * 3 = 45 apples and 5 + 5 = 11.\nThen 1 + 1 = 2.")
    assert [(one.left, one.right) for one in found] == [(45.0, 45.0), (45.0, 45.0), (10.0, 11.0), (2.0, 2.0)]


@given(st.text(alphabet="0123456789+-*/()=x%$., abof\n\\{}", max_size=80))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    find_equations(text)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_any_sum_is_read_and_held(one: int, other: int) -> None:
    (equation,) = find_equations(f"That makes {one:,} + {other} = {one + other:,} in all.")
    assert equation.holds


def test_rationale_after_an_answer_is_held_against_it() -> None:
    assert rationale_agreement("Answer: 42\nBecause: 6 * 7 = 42") == 1.0
    assert rationale_agreement("Answer: 41\nBecause: 6 * 7 = 42") == 0.0
    assert rationale_agreement("Answer: 42\nBecause: 6 * 7 = 42 and 2 * 42 = 80") == 0.0
    assert rationale_agreement("Answer: 42\nBecause: 6 * 7 = 42, and 42 / 7 = 6 checks it") == 1.0


def test_only_a_rationale_that_can_be_checked_is_reported() -> None:
    assert rationale_agreement("Answer: 42") is None
    assert rationale_agreement("Answer: Paris\nBecause: 6 * 7 = 42") is None
    assert rationale_agreement("Answer: 42\nBecause everybody says so.") is None
    assert rationale_agreement("6 * 7 = 42\nAnswer: 42") is None


def test_work_before_the_answer_is_checked_too() -> None:
    rationale = read_rationale("Step 1: 6 * 7 = 41\nStep 2: 41 + 1 = 42\nFinal Answer: 42")
    assert rationale is not None
    assert (len(rationale.equations), rationale.failed, rationale.reaches_answer) == (2, 1, True)


def test_contradicting_work_is_doubt_without_a_call() -> None:
    driven = inquire(RationaleAgreement(), "Answer: 41\nBecause: 6 * 7 = 42")
    assert (driven.signal["kind"], driven.signal["risk"], driven.asks) == (
        "agreement",
        DOUBT_IF_CONTRADICTED,
        [],
    )
    assert driven.signal["reason"] == "the rationale contradicts the answer: the work comes to another result"
    driven = inquire(RationaleAgreement(), "Answer: 43\nBecause: 6 * 7 = 43")
    assert "1 of 1 calculations do not hold" in (driven.signal["reason"] or "")


def test_a_measured_doubt_makes_agreement_after_an_answer_count() -> None:
    source = RationaleAgreement(doubt_if_agreed=0.05)
    driven = inquire(source, "Answer: 42\nBecause: 6 * 7 = 42")
    assert (driven.signal["kind"], driven.signal["risk"]) == ("agreement", 0.05)
    assert inquire(source, "6 * 7 = 42\nAnswer: 42").signal["kind"] == "unknown"


@pytest.mark.parametrize("settings", [{"doubt_if_agreed": -0.1}, {"doubt_if_contradicted": 1.5}])
def test_doubts_out_of_range_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError):
        RationaleAgreement(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["Answer: 42\nBecause: 6 * 7 = 42", "Answer: 42", ""])
def test_agreeing_or_missing_work_is_no_confidence(text: str) -> None:
    assert inquire(RationaleAgreement(), text).signal["kind"] == "unknown"
