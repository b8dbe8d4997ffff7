"""Traffic that moved away, to what the embedded model does badly on.

"words": arithmetic as people elsewhere word it; the model was trained on none of these phrasings and answers neither
fast nor with a thought. "lookup": chains of comparisons and shops, the families whose fast answers are worst, and whose
thoughts are long. "outside": what cannot be answered here; it was trained to be unsure of that.
"""

from collections.abc import Iterator
from random import Random
from typing import Literal

from adaptive_reasoner.embedded.problems import Problem, Split, draw_outside, generate

Shift = Literal["words", "lookup", "outside"]

LOOKUP = ("chain", "shop")
_A_LOOKUP_IN = 20  # problems, with certainty for all practical purposes; 2 of the 5 families look things up
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
    """`count` problems of which about `shifted_share` come from the shifted distribution."""
    rng = Random(f"traffic:{seed}")
    source = generate(split, count * _A_LOOKUP_IN, seed=seed)
    drawn: list[Problem] = []
    for one in source:
        if len(drawn) == count:
            break
        drawn.append(_moved(one, source, shift, rng) if rng.random() < shifted_share else one)
    return drawn


def _moved(problem: Problem, source: Iterator[Problem], shift: Shift, rng: Random) -> Problem:
    if shift == "words":
        return other_phrasing(problem)
    if shift == "outside":
        return draw_outside(rng)
    return problem if problem.family in LOOKUP else next(one for one in source if one.family in LOOKUP)
