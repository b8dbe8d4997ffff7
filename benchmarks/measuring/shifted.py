"""Traffic that moved away: arithmetic as people elsewhere word it, and questions that cannot be answered here.

The embedded model was trained on none of these phrasings; what lies outside its world it was trained to be unsure of.
"""

from collections.abc import Sequence
from random import Random
from typing import Literal

from adaptive_reasoner.embedded.problems import Problem, Split, draw_outside, generate

Shift = Literal["words", "outside"]

_OTHER_WORDS = (
    (" buys ", " purchases "),
    (" has ", " owns "),
    ("How many ", "What number of "),
    ("What is", "Compute"),
    (" gives ", " hands "),
    (" more than ", " above the count of "),
    (" more ", " extra "),
    (" each", " apiece"),
)


def other_phrasing(problem: Problem) -> Problem:
    """The same problem in other words."""
    question = problem.question
    for known, other in _OTHER_WORDS:
        question = question.replace(known, other)
    return Problem(question, problem.answer, problem.level, f"{problem.family}, other words")


def draw_traffic(
    split: Split, count: int, seed: int, shifted_share: float, shift: Shift = "words"
) -> list[Problem]:
    """`count` problems of which about `shifted_share` are in other words, or outside the model's world."""
    rng = Random(f"traffic:{seed}")
    drawn: Sequence[Problem] = list(generate(split, count, seed=seed))
    return [_moved(one, shift, rng) if rng.random() < shifted_share else one for one in drawn]


def _moved(problem: Problem, shift: Shift, rng: Random) -> Problem:
    return other_phrasing(problem) if shift == "words" else draw_outside(rng)
