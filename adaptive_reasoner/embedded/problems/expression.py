"""Bare expressions: "Calculate 3 * 8 - 10 + (22 - 11) * 3."."""

from dataclasses import dataclass
from random import Random

from adaptive_reasoner.embedded.problems.program import (
    MAX_VALUE,
    Operand,
    Operator,
    Problem,
    Solution,
    Step,
    calculate,
    make_problem,
)
from adaptive_reasoner.embedded.problems.words import LETTERS

_TEMPLATES = (
    "Calculate {}.",
    "What is {}?",
    "Compute {}.",
    "Work out {}.",
    "How much is {}?",
    "Find the value of {}.",
)
_PRECEDENCE: dict[Operator, int] = {"+": 1, "-": 1, "*": 2, "/": 2}
_LEAF_PRECEDENCE = 3
_LARGEST_TERM = 60
_LARGEST_FACTOR = 9


@dataclass(frozen=True, slots=True)
class _Node:
    text: str
    value: int
    operand: Operand
    precedence: int


def draw_expression(rng: Random, level: int) -> Problem | None:
    """Draw an expression of `level` operations, or None where its values get too large."""
    steps: list[Step] = []
    node = _build(rng, level, level, steps)
    if node is None:
        return None
    question = rng.choice(_TEMPLATES).format(node.text)
    return make_problem(question, "expression", Solution(tuple(steps)))


def _build(rng: Random, size: int, level: int, steps: list[Step]) -> _Node | None:
    if size == 0:
        return _leaf(_draw_leaf(rng, level))
    left_size = size - 1 if rng.random() < 0.6 else rng.randrange(size)
    left = _build(rng, left_size, level, steps)
    if left is None:
        return None
    right_size = size - 1 - left_size
    operator = _draw_operator(rng, left.value, is_leaf=right_size == 0)
    if right_size == 0:
        right = _leaf(_draw_right(rng, operator, left.value, level))
    else:
        right = _build(rng, right_size, level, steps)
    return right and _join(operator, left, right, steps)


def _leaf(value: int) -> _Node:
    return _Node(str(value), value, value, _LEAF_PRECEDENCE)


def _draw_leaf(rng: Random, level: int) -> int:
    if rng.random() < 0.5:
        return rng.randint(2, 12)
    return rng.randint(10, 99 if level <= 2 else 40)


def _draw_operator(rng: Random, left: int, *, is_leaf: bool) -> Operator:
    """Choose an operator that can work on `left`; division only by a number drawn to fit."""
    roll = rng.random()
    if is_leaf and roll < 0.1 and _divisors(left):
        return "/"
    if roll < 0.4 and 2 <= left <= MAX_VALUE // 2:
        return "*"
    if roll < 0.68 and left >= 2:
        return "-"
    return "+"


def _divisors(value: int) -> list[int]:
    return [n for n in range(2, 11) if value >= n and value % n == 0]


def _draw_right(rng: Random, operator: Operator, left: int, level: int) -> int:
    largest = 99 if level == 1 else _LARGEST_TERM if level == 2 else 40
    if operator == "/":
        return rng.choice(_divisors(left))
    if operator == "*":
        return rng.randint(2, max(2, min(MAX_VALUE // left, _LARGEST_FACTOR)))
    if rng.random() < 0.4:
        largest = 12
    if operator == "-":
        return rng.randint(1, min(left, largest))
    return rng.randint(1, max(1, min(MAX_VALUE - left, largest)))


def _join(operator: Operator, left: _Node, right: _Node, steps: list[Step]) -> _Node | None:
    value = calculate(operator, left.value, right.value)
    if value is None:
        return None
    precedence = _PRECEDENCE[operator]
    left_text = f"({left.text})" if left.precedence < precedence else left.text
    # Equal precedence on the right is put in brackets, so that reading left to right is enough.
    right_text = f"({right.text})" if right.precedence <= precedence else right.text
    key = LETTERS[len(steps)]
    steps.append(Step(key, operator, left.operand, right.operand))
    return _Node(f"{left_text} {operator} {right_text}", value, key, precedence)
