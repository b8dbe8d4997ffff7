"""Draws training rows of the tool mode: what was read before it, and what it writes."""

from dataclasses import dataclass
from random import Random

from adaptive_reasoner.embedded.branches import draw_thought
from adaptive_reasoner.embedded.dialogue import ANSWER_PREFIX, Turn, answer_text, render_prompt
from adaptive_reasoner.embedded.problems import Problem, draw_outside, draw_problem, split_of
from adaptive_reasoner.embedded.problems.formula import formula_of
from adaptive_reasoner.embedded.tokenizer import encoding, special
from adaptive_reasoner.embedded.tool_format import render_call, render_result
from adaptive_reasoner.training.embedded.examples import LOOKUP_FAMILIES, draw_training_problem

# Shares of 1..6 operations: flatter than for answers, because a call need not compute.
_LEVELS = (0.15, 0.2, 0.2, 0.17, 0.15, 0.13)
_EXTRA_LOOKUPS = 0.3
_LARGE_TEMPLATES = ("What is {}?", "Calculate {}.", "Compute {}.", "Work out {}.", "How much is {}?")


@dataclass(frozen=True, slots=True)
class ToolMixture:
    """Shares of what is drawn.

    Attributes:
        after_thought: rows that call after a thought.
        cut_thought: of those, thoughts cut short, as a token budget does.
        outside: questions that no formula answers.
        large: bare expressions of numbers beyond those that the model computes with.
        earlier_turn: rows with an exchange before the question.
        other_result: results that are not the formula's value, so that the answer copies what the tool said.
    """

    after_thought: float = 0.25
    cut_thought: float = 0.2
    outside: float = 0.05
    large: float = 0.04
    earlier_turn: float = 0.05
    other_result: float = 0.4


@dataclass(frozen=True, slots=True)
class ToolRow:
    """One row: `prefix` is read by the base weights, `suffix` by the adapted ones.

    Attributes:
        prefix: ids of the prompt, and of the thought if there is one.
        suffix: ids from the mode token on.
        weights: (len(suffix),) the loss weight of each id as a target.
    """

    prefix: list[int]
    suffix: list[int]
    weights: list[float]

    def __len__(self) -> int:
        return len(self.prefix) + len(self.suffix)


def draw_tool_row(rng: Random, mixture: ToolMixture) -> ToolRow:
    """A row of the training split."""
    roll = rng.random()
    if roll < mixture.outside:
        return _without_call(rng, mixture)
    if roll < mixture.outside + mixture.large:
        question, formula = _draw_large(rng)
        prefix = render_prompt([*_earlier(rng, mixture), ("user", question)])
        return tool_row(prefix, formula, _draw_number(rng))
    problem = _draw_problem(rng)
    prefix = render_prompt([*_earlier(rng, mixture), ("user", problem.question)])
    if rng.random() < mixture.after_thought:
        prefix += _thought_ids(problem, rng, mixture)
    result = _draw_number(rng) if rng.random() < mixture.other_result else str(problem.answer)
    return tool_row(prefix, formula_of(problem), result)


def problem_row(problem: Problem) -> ToolRow:
    """The problem's own row: no thought before the call, and its value after it."""
    prefix = render_prompt([("user", problem.question)])
    return tool_row(prefix, formula_of(problem), str(problem.answer))


def tool_row(prefix: list[int], formula: str, result: str) -> ToolRow:
    """The call and the answer from its result, as one row."""
    call, given = render_call(formula), render_result(result)
    answer = [*encoding().encode_ordinary(f"{ANSWER_PREFIX} {result}"), special("<eos>")]
    weights = [0.0] + [1.0] * (len(call) - 1) + [0.0] * len(given) + [1.0] * len(answer)
    return ToolRow(prefix, call + given + answer, weights)


def _draw_problem(rng: Random) -> Problem:
    """One problem of the training split, more often of the families that look numbers up."""
    level = rng.choices(range(1, 7), _LEVELS)[0]
    wants_lookup = rng.random() < _EXTRA_LOOKUPS
    while True:
        problem = draw_problem(rng, level)
        is_wanted = not wants_lookup or problem.family in LOOKUP_FAMILIES
        if is_wanted and split_of(problem.question) == "train":
            return problem


def _thought_ids(problem: Problem, rng: Random, mixture: ToolMixture) -> list[int]:
    """A thought with its mode token and its end, as it stands before a call."""
    text = draw_thought(problem, rng).text
    ids = [special("<think>"), *encoding().encode_ordinary(text), special("</think>")]
    if rng.random() < mixture.cut_thought:
        return [*ids[: rng.randrange(1, len(ids))], special("</think>")]
    return ids


def _without_call(rng: Random, mixture: ToolMixture) -> ToolRow:
    problem = draw_outside(rng)
    prefix = render_prompt([*_earlier(rng, mixture), ("user", problem.question)])
    words = problem.question.removeprefix("What is ").removesuffix("?").split()
    if (
        len(words) == 3 and words[0].isdigit() and words[2].isdigit()
    ):  # too large to compute, not to ask a tool
        return tool_row(prefix, " ".join(words), _draw_number(rng))
    return ToolRow(prefix, render_call(""), [0.0, 1.0])


def _earlier(rng: Random, mixture: ToolMixture) -> list[Turn]:
    if rng.random() >= mixture.earlier_turn:
        return []
    problem = draw_training_problem(rng)
    return [("user", problem.question), ("assistant", answer_text(problem.answer))]


def _draw_large(rng: Random) -> tuple[str, str]:
    """A question over two or three numbers of up to five digits, and its formula."""
    numbers = [rng.randint(2, 10 ** rng.randint(1, 5)) for _ in range(rng.randint(2, 3))]
    formula = str(numbers[0])
    for number in numbers[1:]:
        formula += f" {rng.choice('+-*/')} {number}"
    return rng.choice(_LARGE_TEMPLATES).format(formula), formula


def _draw_number(rng: Random) -> str:
    """What a tool may answer: mostly a whole number of up to seven digits, at times negative or a decimal."""
    number = str(rng.randint(0, 10 ** rng.randint(1, 7)))
    roll = rng.random()
    if roll < 0.15:
        return f"-{number}"
    return f"{number}.{rng.randint(1, 99)}" if roll < 0.3 else number
