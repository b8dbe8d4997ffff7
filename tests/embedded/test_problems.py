"""The generated problems: what they are, which split they are in, and that their answers are right."""

import ast
import operator
import re
from collections import Counter
from fractions import Fraction
from itertools import islice
from random import Random

import pytest

from adaptive_reasoner.embedded.problems import (
    FAMILIES,
    LEVEL_SHARES,
    Problem,
    Step,
    draw_outside,
    evaluate,
    generate,
    split_of,
)

_PYTHON = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def independent_value(formula: str) -> Fraction:
    """Evaluate an arithmetic formula by Python's own grammar, exactly."""

    def walk(node: ast.expr) -> Fraction:
        if isinstance(node, ast.BinOp):
            return _PYTHON[type(node.op)](walk(node.left), walk(node.right))
        assert isinstance(node, ast.Constant)
        return Fraction(node.value)

    return walk(ast.parse(formula.strip(), mode="eval").body)


def unfolded(problem: Problem) -> str:
    """The whole program as one formula, every key replaced by its definition."""
    formulas = {key: str(value) for key, value in problem.given}
    for step in problem.steps:
        sides = [formulas[side] if isinstance(side, str) else str(side) for side in (step.left, step.right)]
        formulas[step.key] = f"({sides[0]} {step.operator} {sides[1]})"
    return formulas[problem.steps[-1].key]


def test_splits_share_no_question():
    questions = {
        split: {problem.question for problem in generate(split, 1500, seed=3)}
        for split in ("train", "calibration", "test")
    }
    assert not questions["train"] & questions["calibration"]
    assert not questions["train"] & questions["test"]
    assert not questions["calibration"] & questions["test"]


def test_the_split_depends_on_the_question_alone():
    for split in ("train", "calibration", "test"):
        for seed in (0, 1):
            assert {split_of(problem.question) for problem in generate(split, 100, seed=seed)} == {split}


def test_about_one_in_fifty_questions_is_held_apart_for_each_purpose():
    shares = Counter(split_of(f"What is {n} + 1?") for n in range(20_000))
    assert shares["test"] == pytest.approx(400, rel=0.2)
    assert shares["calibration"] == pytest.approx(400, rel=0.2)


def test_the_same_seed_gives_the_same_problems_and_another_seed_others():
    first = list(generate("train", 200, seed=7))
    assert first == list(generate("train", 200, seed=7))
    assert first != list(generate("train", 200, seed=8))
    assert first[:50] == list(islice(generate("train", 10_000, seed=7), 50))


def test_no_question_comes_twice():
    questions = [problem.question for problem in generate("train", 8000, level=1)]
    assert len(set(questions)) == len(questions)


def test_levels_are_mixed_as_published_and_families_evenly():
    problems = list(generate("train", 10_000))
    levels = Counter(problem.level for problem in problems)
    families = Counter(problem.family for problem in problems)
    for level, share in LEVEL_SHARES.items():
        assert levels[level] / 10_000 == pytest.approx(share, abs=0.02)
    for family in FAMILIES:
        assert families[family] / 10_000 == pytest.approx(0.2, abs=0.02)


def test_deduplication_does_not_change_the_mix_of_levels():
    levels = Counter(problem.level for problem in generate("test", 3000))
    assert levels[1] / 3000 == pytest.approx(LEVEL_SHARES[1], abs=0.03)


def test_a_level_is_the_number_of_operations():
    for level in LEVEL_SHARES:
        for problem in generate("train", 100, level=level):
            assert problem.level == len(problem.steps) == level


@pytest.mark.parametrize("level", [0, 7])
def test_a_level_outside_the_range_is_refused(level: int):
    with pytest.raises(ValueError, match=r"1\.\.6"):
        next(generate("train", 1, level=level))


def test_answers_equal_an_independent_evaluation_of_the_program():
    for problem in generate("train", 3000, seed=1):
        assert independent_value(unfolded(problem)) == problem.answer


def test_an_expression_has_the_value_that_python_gives_it():
    expressions = [p for p in generate("train", 3000, seed=2) if p.family == "expression"]
    for problem in expressions:
        formula = re.search(r"[(\d][\d+*/() -]*", problem.question)
        assert formula is not None
        assert independent_value(formula.group()) == problem.answer


def test_every_number_of_the_program_stands_in_the_question():
    words = {"twice": 2, "half": 2, "three times": 3, "doubles": 2, "triples": 3, "one of": 1}
    for problem in generate("train", 2000, seed=4):
        told = {int(number) for number in re.findall(r"\d+", problem.question)}
        told |= {number for word, number in words.items() if word in problem.question}
        used = {side for step in problem.steps for side in (step.left, step.right) if isinstance(side, int)}
        assert used <= told, problem.question


def test_every_value_stays_between_0_and_199():
    for problem in generate("train", 2000, seed=5):
        values = evaluate(problem.steps, problem.given)
        assert values is not None
        assert all(0 <= value <= 199 for value in values.values())


@pytest.mark.parametrize(
    "step",
    [
        Step("a", "+", 150, 50),
        Step("a", "-", 3, 4),
        Step("a", "/", 7, 2),
        Step("a", "/", 7, 0),
        Step("a", "*", 100, 2),
    ],
)
def test_a_program_that_leaves_the_numbers_has_no_value(step: Step):
    assert evaluate([step]) is None


def test_prompts_from_outside_have_no_steps_and_answers_spread_evenly():
    problems = [draw_outside(Random(seed)) for seed in range(4000)]
    assert all(not problem.steps and problem.level == 0 for problem in problems)
    low = sum(problem.answer < 100 for problem in problems)
    assert low / 4000 == pytest.approx(0.5, abs=0.04)


def test_a_problem_of_one_step_names_nothing_beside_the_point():
    for problem in generate("train", 300, seed=6, level=1):
        if problem.family == "chain":
            assert problem.question.count(" has ") == 2
        if problem.family == "shop":
            sold = re.findall(r"(\w+) for \d+", problem.question)
            bought = re.findall(r"(?:one of the|buys \d+) (\w+)", problem.question)
            assert sorted(sold) == sorted(bought)
