"""Work for questions whose right answer is known but no run shows how it is found: a model's own thoughts, verified."""

from collections.abc import Callable, Sequence
from pathlib import Path

from adaptive_reasoner.embedded.batch import Generation, generate_batch
from adaptive_reasoner.embedded.dialogue import ANSWER_PREFIX, render_prompt
from adaptive_reasoner.embedded.generation import GenerationConfig
from adaptive_reasoner.embedded.runtime import Runtime
from adaptive_reasoner.embedded.weights import read_weights
from adaptive_reasoner.training.flywheel.known import KnownQuestion
from adaptive_reasoner.uncertainty.equivalence import same_answer

_CHUNK = 256
_SEEDS_APART = 1_000_003


def work_out(
    weights: Path,
    questions: Sequence[KnownQuestion],
    tries: int,
    on_progress: Callable[[str], None] | None = None,
) -> dict[str, str]:
    """Let a model of the embedded architecture think about each question until it comes to the right answer.

    The first thought is the most probable one, the others are drawn at temperature 1. A drawn thought that leads to
    the right answer teaches what the model can do, but does not do first.

    Args:
        weights: folder with model.npz and model.json.
        questions: with their right answers, which verify the thoughts.
        tries: drawn thoughts a question at most.
        on_progress: told what was done.

    Returns:
        Question -> the thought that led to its right answer, of those that have one.

    Source: Zelikman et al., STaR: bootstrapping reasoning with reasoning, arXiv 2203.14465.
    """
    runtime = Runtime(read_weights(weights))
    found: dict[str, str] = {}
    left = list(questions)
    for attempt in range(1 + tries):
        thoughts = _think(runtime, left, attempt)
        found |= {one.question: thought for one, thought in zip(left, thoughts, strict=True) if thought}
        left = [one for one in left if one.question not in found]
        if on_progress is not None:
            on_progress(f"thought {attempt + 1}: {len(found):,} of {len(questions):,} worked out")
        if not left:
            break
    return found


def _think(runtime: Runtime, questions: Sequence[KnownQuestion], attempt: int) -> list[str]:
    """Each question's thought, "" where it led to another answer."""
    thoughts: list[str] = []
    for start in range(0, len(questions), _CHUNK):
        part = questions[start : start + _CHUNK]
        config = GenerationConfig(temperature=float(attempt > 0), seed=attempt * _SEEDS_APART + start)
        prompts = [render_prompt([("user", one.question)]) for one in part]
        said = generate_batch(runtime, prompts, "deep", config)
        thoughts += [_verified(one, given.right) for one, given in zip(said, part, strict=True)]
    return thoughts


def _verified(said: Generation, right: str) -> str:
    answer = said.text.strip().removeprefix(ANSWER_PREFIX).strip()
    thought = said.thought.removesuffix("</think>").strip()
    return thought if answer and same_answer(answer, right) else ""
