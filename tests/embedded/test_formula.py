from fractions import Fraction

import pytest

from adaptive_reasoner.embedded.problems import Problem, Step, generate
from adaptive_reasoner.embedded.problems.formula import formula_of, value_of


def test_steps_are_put_into_one_another_with_the_brackets_they_need() -> None:
    steps = (Step("a", "+", 33, 2), Step("b", "*", "a", 2), Step("c", "-", 199, "b"), Step("d", "-", "c", 8))
    assert formula_of(Problem("", 121, 4, "story", steps)) == "199 - (33 + 2) * 2 - 8"


def test_equal_precedence_on_the_right_gets_brackets() -> None:
    steps = (Step("a", "+", 6, 10), Step("b", "-", 124, "a"))
    assert formula_of(Problem("", 108, 2, "shop", steps)) == "124 - (6 + 10)"


def test_given_names_are_replaced_by_their_numbers() -> None:
    steps = (Step("all", "+", "pens", "cups"),)
    assert formula_of(Problem("", 9, 1, "shop", steps, given=(("pens", 4), ("cups", 5)))) == "4 + 5"


def test_every_problem_comes_to_its_answer_and_expressions_are_copied() -> None:
    for problem in generate("calibration", 300, seed=1):
        formula = formula_of(problem)
        assert value_of(formula) == problem.answer
        assert problem.family != "expression" or formula in problem.question


@pytest.mark.parametrize(
    ("formula", "value"),
    [("7 * 14 - 3", 95), ("-(2 + 3) / 2", Fraction(-5, 2)), ("0.1 + 0.2", Fraction(3, 10))],
)
def test_formulas_are_computed_exactly(formula: str, value: Fraction) -> None:
    assert value_of(formula) == value


@pytest.mark.parametrize(
    "formula", ["", "7 *", "(1 + 2", "1 / 0", "2 ** 9", "print(1)", "x", "1 if 2 else 3", "(" * 999]
)
def test_what_is_no_formula_has_no_value(formula: str) -> None:
    assert value_of(formula) is None
