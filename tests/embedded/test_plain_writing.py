# ruff: noqa: RUF001 - the signs that people type
import pytest

from adaptive_reasoner.embedded.plain_writing import as_learned
from adaptive_reasoner.embedded.problems import generate


@pytest.mark.parametrize(
    ("typed", "learned"),
    [
        ("What is 17+25?", "What is 17 + 25?"),
        ("what's 17*6-4?", "What is 17 * 6 - 4?"),
        ("(3+4)*(5−1)", "(3 + 4) * (5 - 1)"),
        ("17 × 6", "17 * 6"),
        ("12÷4", "12 / 4"),
        ("2x3 x 4", "2 * 3 * 4"),
        ("What is 17 plus 25 times 2?", "What is 17 + 25 * 2?"),
        ("What is 1,200 + 5?", "What is 1200 + 5?"),
    ],
)
def test_arithmetic_is_spelled_as_the_model_learned_it(typed: str, learned: str) -> None:
    assert as_learned(typed) == learned


@pytest.mark.parametrize(
    "text",
    [
        "Tom buys 3 boxes of 5 pens and 2 more. What is it?",
        "It opens at 10:30 and costs 5, 6 or 7 dollars.",
        'Unsure: "42" (60%) or "24" (30%). Check and answer again.',
        "three times as many",
        "",
    ],
)
def test_everything_else_stays_as_it_is(text: str) -> None:
    assert as_learned(text) == text


def test_its_own_problems_stay_as_they_are() -> None:
    assert all(as_learned(one.question) == one.question for one in generate("test", 2000, seed=3))
