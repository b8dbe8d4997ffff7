"""An endless, seeded stream of problems, with splits that cannot overlap."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Literal
from zlib import crc32

from adaptive_reasoner.embedded.problems.chain import draw_chain
from adaptive_reasoner.embedded.problems.expression import draw_expression
from adaptive_reasoner.embedded.problems.pay import draw_pay
from adaptive_reasoner.embedded.problems.program import MAX_LEVEL, Problem
from adaptive_reasoner.embedded.problems.shop import draw_shop
from adaptive_reasoner.embedded.problems.story import draw_story

Split = Literal["train", "calibration", "test"]

LEVEL_SHARES = {1: 0.28, 2: 0.24, 3: 0.18, 4: 0.13, 5: 0.10, 6: 0.07}
FAMILIES: dict[str, Callable[[Random, int], Problem | None]] = {
    "expression": draw_expression,
    "story": draw_story,
    "chain": draw_chain,
    "shop": draw_shop,
    "pay": draw_pay,
}
_BUCKETS = 50
_HELD_APART: dict[int, Split] = {0: "test", 1: "calibration"}


def split_of(question: str) -> Split:
    """The split to which a question belongs, decided by its text alone."""
    return _HELD_APART.get(crc32(question.encode()) % _BUCKETS, "train")


def generate(split: Split, count: int, seed: int = 0, level: int | None = None) -> Iterator[Problem]:
    """Generate problems of one split, each question once.

    Levels follow LEVEL_SHARES exactly in expectation: the level is drawn first and kept until
    an unseen question of it turns up, so that deduplication does not make the rest harder.

    Args:
        split: which of the three disjoint sets of questions to draw from.
        count: number of problems.
        seed: the same seed gives the same problems in the same order.
        level: draw this number of operations (1..6) only.

    Yields:
        Problems with unique questions.

    Raises:
        ValueError: `level` is not in 1..6.
    """
    if level is not None and not 1 <= level <= MAX_LEVEL:
        raise ValueError(f"level must be in 1..{MAX_LEVEL}, got {level}")
    rng = Random(f"{split}:{seed}")
    seen: set[str] = set()
    levels, shares = list(LEVEL_SHARES), list(LEVEL_SHARES.values())
    for _ in range(count):
        wanted = level or rng.choices(levels, shares)[0]
        problem = draw_problem(rng, wanted)
        while split_of(problem.question) != split or problem.question in seen:
            problem = draw_problem(rng, wanted)
        seen.add(problem.question)
        yield problem


def draw_problem(rng: Random, level: int) -> Problem:
    """Draw one problem of any split: a family at random, then until its values fit."""
    draw = FAMILIES[rng.choice(list(FAMILIES))]
    problem = draw(rng, level)
    while problem is None:
        problem = draw(rng, level)
    return problem
