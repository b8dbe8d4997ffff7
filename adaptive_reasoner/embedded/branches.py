"""Writes the continuations of a prompt that the embedded model is trained on."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from adaptive_reasoner.embedded.dialogue import MODE_TOKENS, Mode, answer_text, encode_turn
from adaptive_reasoner.embedded.problems import Problem
from adaptive_reasoner.embedded.thoughts import (
    ImpossibleSlipError,
    Segment,
    SlipKind,
    Thought,
    draw_slip,
    write_thought,
    write_work,
)
from adaptive_reasoner.embedded.tokenizer import encoding, special

_NO_PLAN = 0.08
_SLIPS: tuple[tuple[float, SlipKind], ...] = ((0.15, "result"), (0.37, "lookup"), (0.45, "check"))
_SLIP_ATTEMPTS = 4
_CUT_BEFORE_CHECK = 0.4
_WRONG_FIRST_ANSWER = 0.25


@dataclass(frozen=True, slots=True)
class Branch:
    """One continuation of a prompt.

    Attributes:
        mode: how the question is answered.
        ids: token ids from the mode token to <eos>.
        weights: the loss weight of each id as a target; 0 where it must not be imitated.
    """

    mode: Mode
    ids: list[int]
    weights: list[float]


def render_branch(mode: Mode, segments: Sequence[Segment]) -> Branch:
    """Tokenize segments after a mode token; the branch ends with <eos>."""
    ids, weights = [special(MODE_TOKENS[mode])], [0.0]
    for text, weight in [*segments, ("<eos>", 1.0)]:
        tokens = [special(text)] if text.startswith("<") or text == "</think>" else None
        tokens = tokens or encoding().encode_ordinary(text)
        ids += tokens
        weights += [weight] * len(tokens)
    return Branch(mode, ids, weights)


def render_fast(problem: Problem) -> Branch:
    """The answer alone."""
    return render_branch("fast", [(answer_text(problem.answer), 1.0)])


def render_deep(problem: Problem, rng: Random) -> Branch:
    """A whole thought, sometimes with an injected slip or without its plan, then the answer."""
    thought = draw_thought(problem, rng)
    closing: list[Segment] = [("</think>", 1.0), (answer_text(thought.answer), 1.0)]
    return render_branch("deep", _merge(thought.segments) + closing)


def render_truncated(problem: Problem, rng: Random) -> Branch:
    """A thought cut short, as a token budget does, then the answer at once."""
    thought = draw_thought(problem, rng)
    whole = render_branch("deep", _merge(thought.segments))
    check = encoding().encode_ordinary(" check")[0]
    if check in whole.ids and rng.random() < _CUT_BEFORE_CHECK:
        cut = whole.ids.index(check)
    else:
        cut = rng.randrange(1, len(whole.ids))
    ending = render_branch("deep", [("</think>", 0.0), (answer_text(problem.answer), 1.0)])
    return Branch("deep", whole.ids[:cut] + ending.ids[1:], whole.weights[:cut] + ending.weights[1:])


def render_answer_first(problem: Problem, rng: Random) -> Branch:
    """The answer, then its rationale; a wrong answer is sometimes followed by right work."""
    is_wrong = bool(problem.steps) and rng.random() < _WRONG_FIRST_ANSWER
    answer = max(0, problem.answer + rng.choice((-10, -2, -1, 1, 2, 10))) if is_wrong else problem.answer
    first = (answer_text(answer), 0.0 if answer != problem.answer else 1.0)
    return render_branch("answer_first", [first, ("<because>", 1.0), (_short_work(problem), 1.0)])


def render_refine(problem: Problem, first_answer: str, request: str) -> Branch:
    """An earlier fast answer, the request to check it, then short work and the right answer.

    The loss is on the second answer only. The ids continue the first answer's prompt.
    """
    before = [
        special(MODE_TOKENS["fast"]),
        *encoding().encode_ordinary(first_answer.strip()),
        special("<eos>"),
        special("<user>"),
        *encode_turn(request),
        special("<assistant>"),
    ]
    work: list[Segment] = [(_short_work(problem), 1.0), ("</think>", 1.0)]
    second = render_branch("refine", [*work, (answer_text(problem.answer), 1.0)])
    return Branch("refine", before + second.ids, [0.0] * len(before) + second.weights)


def _short_work(problem: Problem) -> str:
    """The work without plan and check."""
    return write_work(problem) if problem.steps else " ?."


def draw_thought(problem: Problem, rng: Random) -> Thought:
    """Write a thought, with an injected slip in somewhat less than half of them.

    With one in six the check learned to copy what it expected, and repaired nothing.
    """
    plan = rng.random() >= _NO_PLAN
    roll = rng.random()
    kind: SlipKind | None = next((kind for share, kind in _SLIPS if roll < share), None)
    attempts = _SLIP_ATTEMPTS if problem.steps and kind and (plan or kind != "lookup") else 0
    for _ in range(attempts):
        slip = draw_slip(rng, problem, kind or "result")
        try:
            if slip:
                return write_thought(problem, slip, plan=plan)
        except ImpossibleSlipError:
            continue  # the mistake leads out of the numbers that the model knows
    return write_thought(problem, plan=plan)


def _merge(segments: Sequence[Segment]) -> list[Segment]:
    """Join neighbours of equal weight: fewer, longer calls of the tokenizer."""
    merged: list[Segment] = []
    for text, weight in segments:
        if merged and merged[-1][1] == weight:
            merged[-1] = (merged[-1][0] + text, weight)
        else:
            merged.append((text, weight))
    return merged
