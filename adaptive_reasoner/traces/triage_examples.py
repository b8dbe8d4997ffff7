"""What recorded runs teach triage: which questions the fast model got wrong and thinking got right."""

from collections.abc import Sequence
from typing import TypedDict

from adaptive_reasoner.state import Round
from adaptive_reasoner.traces.labels import LabelledRun, gives_answer
from adaptive_reasoner.traces.monitoring import has_thought

# Sources of triage that decide by a rule; every other one is an estimator, named by what it was fitted for.
RULES = frozenset({"caller", "importance", "rule", "thread", "off", "none", "minimum"})
BY_LOT = "minimum"  # these runs thought whatever the question was: they show thinking as it is


class TriageExample(TypedDict):
    """A question and what became of it; `assumed` where nobody saw what thinking would have made of it."""

    question: str
    fast_correct: bool
    deep_correct: bool
    assumed: bool


def triage_examples(runs: Sequence[LabelledRun]) -> list[TriageExample]:
    """The labelled runs as `adaptive-reasoner train triage` takes them.

    Where thinking followed the fast answer, both outcomes were seen. Elsewhere thinking is assumed to be right where
    the fast answer was, and otherwise as right as the refined answer: without these runs the most doubtful
    questions would pass for all questions. Left out is what nobody can tell: wrong fast answers that stood, runs
    that began with thinking, and follow-ups, which mean nothing without their thread.
    """
    examples: list[TriageExample] = []
    for run in runs:
        fast = first_correct(run, "fast_answer")
        is_follow_up = run.record["report"]["triage"]["source"] == "thread"
        if fast is None or is_follow_up or not run.record["question"].strip():
            continue
        deep, has_deep = first_correct(run, "deep_think"), has_thought(run)
        if deep is None and not has_deep:
            deep = fast or first_correct(run, "refine")
        if deep is not None:
            examples.append(
                {
                    "question": run.record["question"],
                    "fast_correct": fast,
                    "deep_correct": deep,
                    "assumed": not has_deep,
                }
            )
    return examples


def first_correct(run: LabelledRun, node: str) -> bool | None:
    """Whether the first answer of `node` was right; None where there is none or nobody said."""
    index = first_answer(run.record["report"]["rounds"], node)
    return None if index is None else run.rounds_correct[index]


def first_answer(rounds: Sequence[Round], node: str) -> int | None:
    """Index of the first answer of `node`; calls that failed or asked for tools are none."""
    return next((i for i, one in enumerate(rounds) if one["node"] == node and gives_answer(one)), None)
