"""When two answers say the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptive_reasoner.uncertainty.equivalence import (
    Quantity,
    cluster,
    normal_text,
    read_quantity,
    same_answer,
)

SAME = [
    ("$18", "18"),
    ("$8.00", "8"),
    ("**8 hours.**", "8"),
    ("-$5,000", "−5000"),  # noqa: RUF001
    ("30 minutes", "0.5 hours"),
    ("$5", "500 cents"),
    ("50%", "50 percent"),
    ("1/2", "0.5"),
    (r"\frac{1}{2}", ".5"),
    (r"\text{Paris}", "paris"),
    ("½", "0.5"),
    ("$18$", "18 apples"),
    ("11 packs", "11 boxes"),
    ("Twelve packs", "12"),
    ("The Eiffel Tower", "eiffel tower."),
    ("(B)", "b"),
    ("20 m²", "20 square meters"),
    ("Willy has 1,110 more crayons than Lucy.", "1110"),
    ("Dan spent $ 3 more", "3 dollars"),
    ("Each side is 18 cm", "The side is 18 cm long"),
    ("about 5", "5"),
]
OTHER = [
    ("18", "81"),
    ("30 minutes", "30 hours"),
    ("1,00", "100"),
    ("15 $100 bills, 1 $50 bill", "15"),
    ("3 and 4", "3"),
    ("56:84", "56"),
    ("twenty-one", "20"),
    ("Paris", "London"),
    ("5/0", "5"),
    ("a", "b"),
    ("", ""),
    ("Paris 2024", "London 2024"),
    ("one rose and 7 orchids", "1 rose and 6 orchids"),
    ("12:50", "12"),
    ("Q4 results", "4"),
    ("x^2 + 1", "1"),
    ("between 3 and 5 of them", "3"),
    ("**", "..."),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_same_answers(one: str, other: str) -> None:
    assert same_answer(one, other)
    assert same_answer(other, one)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_different_answers(one: str, other: str) -> None:
    assert not same_answer(one, other)
    assert not same_answer(other, one)


@given(st.text())
def test_any_text_with_something_to_compare_equals_itself(text: str) -> None:
    assert same_answer(text, text) == bool(normal_text(text))


@given(st.decimals(-(10**9), 10**9, places=2))
def test_numbers_are_read_with_separators_and_currency(number: object) -> None:
    assert same_answer(f"{number:,}", f"{number}")
    assert same_answer(f"**{number} dollars**", f"{number}")


def test_quantity_knows_what_its_unit_measures() -> None:
    assert read_quantity("0.5 hours") == Quantity(0.5, "time", 3600.0)
    assert read_quantity("7 packs of gum") == Quantity(7.0)
    assert read_quantity("no number") is None


def test_clusters_keep_the_order_of_first_appearance() -> None:
    assert cluster(["8", "9", "$8", "nine", "x"]) == [[0, 2], [1, 3], [4]]


def test_clusters_take_any_equivalence() -> None:
    assert cluster(["ab", "cd", "ax"], lambda one, other: one[0] == other[0]) == [[0, 2], [1]]


def test_a_long_run_of_letters_is_compared_in_linear_time() -> None:
    """A million letters, of which each would start a search to the end if any place could begin a word."""
    run = "x" * 1_000_000
    assert same_answer(run, run)
    assert not same_answer(run, run + "y")
