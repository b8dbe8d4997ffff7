"""Writes a problem's solution as a visible thought: plan, work, check.

The plan looks up what the question says, the work computes, the check recomputes every step
another way. Slips can be injected: they teach the check to find and repair the model's own.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Literal

from adaptive_reasoner.embedded.problems import (
    MAX_VALUE,
    Operand,
    Problem,
    Step,
    calculate,
    evaluate,
    look_up,
)

SlipKind = Literal["result", "lookup", "check"]
Segment = tuple[str, float]

# A plan's look-ups are few tokens among many that merely follow, and the hardest to learn.
_PLAN_WEIGHT = 3.0
# Cumulative shares of a misread number: the neighbour's, another of the question, any.
_MISREAD_NEAR = 0.5
_MISREAD_KNOWN = 0.8
# What finds and repairs a mistake; rare beside the many checks that merely agree.
_DOUBT_WEIGHT = 4.0
_REDO_WEIGHT = 2.0
_NEAR = (-20, -10, -9, -2, -1, 1, 2, 9, 10, 20)


@dataclass(frozen=True, slots=True)
class Slip:
    """One injected mistake at a step.

    Attributes:
        kind: a wrong result in the work, a wrong number read in the plan, or a wrong check.
        step: index of the step.
        value: the wrong number.
        side: which operand is misread (lookup only).
    """

    kind: SlipKind
    step: int
    value: int
    side: Literal["left", "right"] = "right"


class ImpossibleSlipError(ValueError):
    """The slip would lead outside 0..199; write the thought without it."""


@dataclass(slots=True)
class Thought:
    """Segments of text, each with the weight of its loss (0 for what must not be imitated)."""

    segments: list[Segment] = field(default_factory=list[Segment])
    answer: int = 0

    def say(self, text: str, weight: float = 1.0) -> None:
        """Append text."""
        self.segments.append((text, weight))

    @property
    def text(self) -> str:
        """The thought without its weights."""
        return "".join(text for text, _ in self.segments)


def write_thought(problem: Problem, slip: Slip | None = None, *, plan: bool = True) -> Thought:
    """Write plan, work and check; the answer is right even after a slip.

    Raises:
        ImpossibleSlipError: the slip drives a value out of 0..199.
    """
    thought = Thought()
    if not problem.steps:
        thought.say(" plan: ?.")
        thought.answer = problem.answer
        return thought
    if plan:
        _write_plan(thought, problem, slip)
    claimed = _write_work(thought, problem, slip)
    _write_check(thought, problem, claimed, slip)
    return thought


def write_work(problem: Problem) -> str:
    """The work alone, as a rationale: " pens: 5 * 12 = 60; …"."""
    thought = Thought()
    _write_work(thought, problem, None)
    return thought.text.removeprefix(" work:")


def draw_slip(rng: Random, problem: Problem, kind: SlipKind) -> Slip | None:
    """Draw a plausible mistake, or None where this problem has no place for one."""
    index = rng.randrange(len(problem.steps))
    step = problem.steps[index]
    values = evaluate(problem.steps, problem.given) or {}
    if kind == "lookup":
        return _draw_lookup_slip(rng, problem, index)
    right = values[step.key] if kind == "result" else _check_of(step, values, values[step.key])[1]
    wrong = right + rng.choice(_NEAR) if rng.random() < 0.7 else rng.randint(0, MAX_VALUE)
    if wrong == right or not 0 <= wrong <= MAX_VALUE:
        return None
    return Slip(kind, index, wrong)


def _draw_lookup_slip(rng: Random, problem: Problem, index: int) -> Slip | None:
    step = problem.steps[index]
    sides = [side for side in ("left", "right") if isinstance(getattr(step, side), int)]
    is_spelled = step.wording and "{right}" not in step.wording  # "twice": no number to misread
    if not sides or is_spelled:
        return None
    side = rng.choice(sides)
    # A misread number is mostly another one of the same question, often the neighbour's.
    neighbours = problem.steps[max(0, index - 1) : index + 2]
    near = [n for s in neighbours for n in (s.left, s.right) if isinstance(n, int)]
    numbers = [n for s in problem.steps for n in (s.left, s.right) if isinstance(n, int)]
    numbers += [value for _, value in problem.given]
    right = getattr(step, side)
    roll = rng.random()
    pool = near if roll < _MISREAD_NEAR else numbers if roll < _MISREAD_KNOWN else range(1, 61)
    others = [number for number in pool if number != right]
    if not others:
        return None
    wrong = rng.choice(others)
    return Slip("lookup", index, wrong, "left" if side == "left" else "right")


def _misread(slip: Slip | None, index: int, side: Literal["left", "right"]) -> int | None:
    if slip and (slip.kind, slip.step, slip.side) == ("lookup", index, side):
        return slip.value
    return None


def _write_plan(thought: Thought, problem: Problem, slip: Slip | None) -> None:
    thought.say(" plan:")
    order = range(len(problem.steps))
    separator = ""
    for index in reversed(order) if problem.backward else order:
        step = problem.steps[index]
        thought.say(f"{separator} {step.key}:", _PLAN_WEIGHT)
        wrong = {side: _misread(slip, index, side) for side in ("left", "right")}
        for word in (step.wording or f"{{left}} {step.operator} {{right}}").split():
            if word == "{left}":
                _say_operand(thought, step.left, wrong["left"], _PLAN_WEIGHT)
            elif word == "{right}":
                _say_operand(thought, step.right, wrong["right"], _PLAN_WEIGHT)
            else:
                thought.say(f" {word}", _PLAN_WEIGHT)
        separator = ";"
    thought.say("".join(f"; {key}: {value}" for key, value in problem.given) + ".", _PLAN_WEIGHT)


def _say_operand(thought: Thought, operand: Operand, wrong: int | None, weight: float = 1.0) -> None:
    if wrong is None:
        thought.say(f" {operand}", weight)
    else:
        thought.say(f" {wrong}", 0.0)


def _write_work(thought: Thought, problem: Problem, slip: Slip | None) -> dict[str, int]:
    """Write the work and return the values that it claims."""
    thought.say(" work:")
    claimed = dict(problem.given)
    for index, step in enumerate(problem.steps):
        misread = (_misread(slip, index, "left"), _misread(slip, index, "right"))
        left = look_up(step.left, claimed) if misread[0] is None else misread[0]
        right = look_up(step.right, claimed) if misread[1] is None else misread[1]
        value = _require(calculate(step.operator, left, right))
        thought.say(f"{';' if index else ''} {step.key}:")
        _say_operand(thought, left, misread[0])
        thought.say(f" {step.operator}")
        _say_operand(thought, right, misread[1])
        thought.say(" =")
        if slip and slip.kind == "result" and slip.step == index:
            value = slip.value
            thought.say(f" {value}", 0.0)
        else:
            thought.say(f" {value}")
        claimed[step.key] = value
    thought.say(".")
    return claimed


def _write_check(thought: Thought, problem: Problem, claimed: dict[str, int], slip: Slip | None) -> None:
    """Recompute every step from the best known values; redo it where the results differ."""
    thought.say(" check:")
    known = dict(problem.given)
    for index, step in enumerate(problem.steps):
        left, right = look_up(step.left, known), look_up(step.right, known)
        true_value = _require(calculate(step.operator, left, right))
        value = claimed[step.key]
        formula, result, expected = _check_of(step, known, value)
        is_doubtful = result != expected
        thought.say(f"{';' if index else ''} {step.key}: {formula} =", _REDO_WEIGHT if is_doubtful else 1.0)
        if slip and slip.kind == "check" and slip.step == index:
            result = slip.value
            thought.say(f" {result}", 0.0)
        else:
            thought.say(f" {result}", 1.0 if result == expected else _DOUBT_WEIGHT)
        if result == expected:
            thought.say(" ok")
        else:
            thought.say(" no", _DOUBT_WEIGHT)
            thought.say(f"; {step.key}: {left} {step.operator} {right} = {true_value}", _REDO_WEIGHT)
        known[step.key] = true_value
    thought.say(".")
    thought.answer = known[problem.steps[-1].key]


def _check_of(step: Step, known: dict[str, int], value: int) -> tuple[str, int, int]:
    """The formula that checks a claimed value, its result, and what it should be."""
    left, right = look_up(step.left, known), look_up(step.right, known)
    if step.operator == "*":
        return _check_product(left, right, value)
    operator, result = {
        "+": ("-", value - right),
        "-": ("+", value + right),
        "/": ("*", value * right),
    }[step.operator]
    if not 0 <= result <= MAX_VALUE:
        raise ImpossibleSlipError
    return f"{value} {operator} {right}", result, left


def _check_product(left: int, right: int, value: int) -> tuple[str, int, int]:
    """Turn the factors round and, where one has tens and ones, split it."""
    result = _require(calculate("*", right, left))
    large, small = max(left, right), min(left, right)
    tens, ones = large // 10 * 10, large % 10
    formula = f"{right} * {left}"
    if tens and ones and small > 1:
        formula += f" = {tens * small} + {ones * small}"
    return formula, result, value


def _require(value: int | None) -> int:
    if value is None:
        raise ImpossibleSlipError
    return value
