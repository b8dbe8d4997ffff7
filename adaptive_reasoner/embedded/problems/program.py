"""A problem and the program that solves it: named steps over small whole numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Operator = Literal["+", "-", "*", "/"]
Operand = int | str
Given = tuple[tuple[str, int], ...]

MAX_VALUE = 199
MAX_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Step:
    """One operation; an operand is a number of the question or the key of an earlier value.

    `wording` is how the question puts it, e.g. "{right} more than {left}"; a plan copies it.
    Empty: a plan writes the operation.
    """

    key: str
    operator: Operator
    left: Operand
    right: Operand
    wording: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """A question in English with its answer and the steps that lead to it.

    Attributes:
        question: the text, as a user would type it.
        answer: the value of the last step, 0..199.
        level: number of operations, 1..6 (0: outside the model's world).
        family: name of the generator's family.
        steps: the operations in an order in which they can be executed.
        given: named values that the question states and steps refer to by name.
        backward: whether a plan is written from what is asked down to what is given.
    """

    question: str
    answer: int
    level: int
    family: str
    steps: tuple[Step, ...] = ()
    given: Given = ()
    backward: bool = False


def calculate(operator: Operator, left: int, right: int) -> int | None:
    """The result of one operation, or None where it leaves the whole numbers 0..199."""
    if operator == "+":
        value = left + right
    elif operator == "-":
        value = left - right
    elif operator == "*":
        value = left * right
    elif right == 0 or left % right:
        return None
    else:
        value = left // right
    return value if 0 <= value <= MAX_VALUE else None


def look_up(operand: Operand, values: dict[str, int]) -> int:
    """The number that an operand stands for."""
    return values[operand] if isinstance(operand, str) else operand


def evaluate(steps: Sequence[Step], given: Given = ()) -> dict[str, int] | None:
    """Every named value of a program, or None where one leaves 0..199."""
    values = dict(given)
    for step in steps:
        left, right = look_up(step.left, values), look_up(step.right, values)
        value = calculate(step.operator, left, right)
        if value is None:
            return None
        values[step.key] = value
    return values


@dataclass(frozen=True, slots=True)
class Solution:
    """What a family hands over to become a problem, before its values are checked."""

    steps: tuple[Step, ...]
    given: Given = ()
    backward: bool = False


def make_problem(question: str, family: str, solution: Solution) -> Problem | None:
    """Evaluate a solution; None where a value leaves 0..199, so that the caller draws again."""
    values = evaluate(solution.steps, solution.given)
    if values is None:
        return None
    return Problem(
        question=question,
        answer=values[solution.steps[-1].key],
        level=len(solution.steps),
        family=family,
        steps=solution.steps,
        given=solution.given,
        backward=solution.backward,
    )
