"""Arithmetic problems as people elsewhere word them: the embedded model was trained on none of these phrasings."""

from collections.abc import Sequence
from random import Random

from adaptive_reasoner.embedded.problems import Problem, Split, generate

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


def draw_traffic(split: Split, count: int, seed: int, shifted_share: float) -> list[Problem]:
    """`count` problems of which about `shifted_share` are in other words, in random order."""
    rng = Random(f"traffic:{seed}")
    drawn: Sequence[Problem] = list(generate(split, count, seed=seed))
    return [other_phrasing(one) if rng.random() < shifted_share else one for one in drawn]
