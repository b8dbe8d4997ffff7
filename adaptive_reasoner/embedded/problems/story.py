"""Stories in which one quantity changes, event after event."""

from random import Random

from adaptive_reasoner.embedded.problems.program import (
    MAX_VALUE,
    Operand,
    Operator,
    Problem,
    Solution,
    Step,
    make_problem,
)
from adaptive_reasoner.embedded.problems.words import LETTERS, PEOPLE, THINGS, pronoun

_GAINS = ("buys {n} more", "finds {n} more", "gets {n} from {other}", "wins {n}", "makes {n} more")
_LOSSES = ("gives {n} to {other}", "loses {n}", "sells {n}", "breaks {n}", "throws {n} away")
_TIMES = {2: "the number doubles", 3: "the number triples"}
_HALF = "gives away half of them"
_QUESTIONS = (
    "How many {things} does {name} have now?",
    "How many {things} does {name} have in the end?",
    "How many {things} are left?",
)


def draw_story(rng: Random, level: int) -> Problem | None:
    """Draw a story with `level` events."""
    name, other = rng.sample(PEOPLE, 2)
    things = rng.choice(THINGS)
    value = start = rng.randint(2, 99 if level <= 2 else 40)
    sentences = [f"{name} has {start} {things}."]
    steps: list[Step] = []
    operand: Operand = start
    for key in LETTERS[:level]:
        operator, amount = _draw_event(rng, value)
        value = _change(operator, value, amount)
        sentences.append(_tell(rng, (operator, amount), name, other))
        steps.append(Step(key, operator, operand, amount))
        operand = key
    sentences.append(rng.choice(_QUESTIONS).format(things=things, name=name))
    return make_problem(" ".join(sentences), "story", Solution(tuple(steps)))


def _draw_event(rng: Random, value: int) -> tuple[Operator, int]:
    roll = rng.random()
    if roll < 0.08 and value <= MAX_VALUE // 3 and value > 0:
        return "*", rng.choice((2, 3))
    if roll < 0.16 and value >= 2 and value % 2 == 0:
        return "/", 2
    largest = 12 if rng.random() < 0.4 else 60
    if roll < 0.56 and value >= 2:
        return "-", rng.randint(1, min(value, largest))
    if value < MAX_VALUE:
        return "+", rng.randint(1, min(MAX_VALUE - value, largest))
    return "-", rng.randint(1, largest)


def _change(operator: Operator, value: int, amount: int) -> int:
    if operator == "*":
        return value * amount
    if operator == "/":
        return value // amount
    return value + amount if operator == "+" else value - amount


def _tell(rng: Random, event: tuple[Operator, int], name: str, other: str) -> str:
    operator, amount = event
    if operator == "*":
        return f"Then {_TIMES[amount]}."
    phrase = _HALF if operator == "/" else rng.choice(_GAINS if operator == "+" else _LOSSES)
    subject = pronoun(name)
    opening = f"Then {subject}" if rng.random() < 0.5 else subject.capitalize()
    return f"{opening} {phrase.format(n=amount, other=other)}."
