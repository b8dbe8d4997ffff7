"""Draws training examples: a prompt and the branches that continue it."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from adaptive_reasoner.embedded.branches import (
    Branch,
    render_answer_first,
    render_deep,
    render_fast,
    render_refine,
    render_truncated,
)
from adaptive_reasoner.embedded.dialogue import Turn, answer_text, refine_request, render_prompt
from adaptive_reasoner.embedded.problems import (
    MAX_VALUE,
    Problem,
    draw_outside,
    draw_problem,
    split_of,
)

# Shares of 1..6 operations in training: a fast answer to the longest is hardly learned at all.
_TRAINED_LEVELS = (0.32, 0.28, 0.17, 0.11, 0.07, 0.05)
# Share of the problems that come from LOOKUP_FAMILIES in any case.
_EXTRA_LOOKUPS = 0.25
# Long thoughts are rarer, and have more places for a mistake.
_LONG_LEVEL = 4
_LONG_FACTOR = 1.7
# Looking up who has what is learned last, so these families get more thoughts.
LOOKUP_FAMILIES = frozenset({"chain", "shop"})


@dataclass(frozen=True, slots=True)
class MixtureConfig:
    """How often each branch, prompt and multi-turn thread is drawn.

    `deep_lookup` takes the place of `deep` for the families of LOOKUP_FAMILIES.
    `refine` are answers that the model gave before, `made_up_refine` random first answers.
    """

    deep: float = 0.2
    deep_lookup: float = 0.3
    answer_first: float = 0.1
    truncated: float = 0.1
    refine: float = 0.0
    made_up_refine: float = 0.08
    outside: float = 0.03
    earlier_turn: float = 0.04
    problems_per_batch: int = 32
    batches_per_pool: int = 16


@dataclass(frozen=True, slots=True)
class Example:
    """A prompt's ids and the branches that continue it.

    Attributes:
        gain: what thinking is expected to gain, 0..1; None: what the fast branch's probability leaves.
    """

    prompt: list[int]
    branches: list[Branch]
    gain: float | None = None

    def __len__(self) -> int:
        return len(self.prompt) + sum(len(branch.ids) for branch in self.branches)


RefineTurn = tuple[Problem, str, str]


def draw_training_problem(rng: Random) -> Problem:
    """One problem of the training split, with more of what can be learned and is learned last."""
    level = rng.choices(range(1, 7), _TRAINED_LEVELS)[0]
    wants_lookup = rng.random() < _EXTRA_LOOKUPS
    while True:
        problem = draw_problem(rng, level)
        is_wanted = not wants_lookup or problem.family in LOOKUP_FAMILIES
        if is_wanted and split_of(problem.question) == "train":
            return problem


def draw_example(rng: Random, mixture: MixtureConfig, refined: RefineTurn | None = None) -> Example:
    """A prompt with the branches that the mixture's shares draw for it.

    Args:
        rng: decides everything.
        mixture: the shares.
        refined: where given, its problem is used, and its first answer and request are the
            refine branch.
    """
    is_outside = refined is None and rng.random() < mixture.outside
    problem = (
        refined[0] if refined is not None else draw_outside(rng) if is_outside else draw_training_problem(rng)
    )
    turns: list[Turn] = [("user", problem.question)]
    if rng.random() < mixture.earlier_turn * (5 if is_outside else 1):
        earlier = draw_training_problem(rng)
        turns = [("user", earlier.question), ("assistant", answer_text(earlier.answer)), *turns]
    branches = [render_fast(problem)]
    makers: list[tuple[float, Callable[[Problem, Random], Branch]]] = [
        (_deep_share(problem, mixture), render_deep),
        (mixture.answer_first, render_answer_first),
        (mixture.truncated, render_truncated),
    ]
    branches += [make(problem, rng) for share, make in makers if rng.random() < share]
    if refined is not None:
        branches.append(render_refine(*refined))
    elif rng.random() < mixture.made_up_refine:
        branches.append(_draw_refine(problem, rng))
    return Example(render_prompt(turns), branches, gain=0.0 if is_outside else None)


def _deep_share(problem: Problem, mixture: MixtureConfig) -> float:
    share = mixture.deep_lookup if problem.family in LOOKUP_FAMILIES else mixture.deep
    return share * _LONG_FACTOR if problem.level >= _LONG_LEVEL else share


def _draw_refine(problem: Problem, rng: Random) -> Branch:
    """A made-up first answer, half of them wrong, sent back without spans."""
    first = problem.answer
    if rng.random() < 0.5:
        near = first + rng.choice((-20, -10, -2, -1, 1, 2, 10, 20))
        first = near if 0 <= near <= MAX_VALUE and rng.random() < 0.6 else rng.randint(0, MAX_VALUE)
    return render_refine(problem, answer_text(first), refine_request(()))
