"""A problem as one formula over the numbers of its question, e.g. "7 * 14 - 3": what a calculator is asked."""

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from adaptive_reasoner.embedded.problems.program import Operand, Operator, Problem, Step

_PRECEDENCE: dict[Operator, int] = {"+": 1, "-": 1, "*": 2, "/": 2}
_NUMBER = 3
_OPERATIONS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda left, right: left / right,
}


@dataclass(frozen=True, slots=True)
class _Part:
    text: str
    precedence: int


def formula_of(problem: Problem) -> str:
    """The program's steps put into one another; of a bare expression, the expression itself.

    Args:
        problem: any but one from outside the model's world, which has no steps.

    Raises:
        IndexError: the problem has no steps.
    """
    parts = {name: _Part(str(value), _NUMBER) for name, value in problem.given}
    for step in problem.steps:
        parts[step.key] = _join(step, parts)
    return parts[problem.steps[-1].key].text


def _join(step: Step, parts: Mapping[str, _Part]) -> _Part:
    left, right = _part(step.left, parts), _part(step.right, parts)
    precedence = _PRECEDENCE[step.operator]
    left_text = f"({left.text})" if left.precedence < precedence else left.text
    # As in the questions: equal precedence on the right is put in brackets.
    right_text = f"({right.text})" if right.precedence <= precedence else right.text
    return _Part(f"{left_text} {step.operator} {right_text}", precedence)


def _part(operand: Operand, parts: Mapping[str, _Part]) -> _Part:
    return parts[operand] if isinstance(operand, str) else _Part(str(operand), _NUMBER)


def value_of(formula: str) -> Fraction | None:
    """What a formula comes to, exactly; None where it is none, divides by zero or is beyond reason.

    Nothing is executed: numbers, + - * / and brackets are all that is read.
    """
    try:
        return _value(ast.parse(formula.strip(), mode="eval").body)
    except (SyntaxError, ValueError, ZeroDivisionError, MemoryError, RecursionError):
        return None


def _value(node: ast.expr) -> Fraction:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return Fraction(str(node.value))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
        return _OPERATIONS[type(node.op)](_value(node.left), _value(node.right))
    raise ValueError("no formula")
