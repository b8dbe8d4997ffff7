"""Questions whose right answer the labels tell, so that any model can be judged by them."""

from collections.abc import Iterable
from dataclasses import dataclass

from adaptive_reasoner.traces.labels import LabelledRun
from adaptive_reasoner.training.distill.dataset import normal_question
from adaptive_reasoner.uncertainty.spans import find_answer_span


@dataclass(frozen=True, slots=True)
class KnownQuestion:
    """A question as a user asked it, with its right answer; tenant "" where none was named."""

    question: str
    right: str
    tenant: str = ""


def known_questions(runs: Iterable[LabelledRun]) -> list[KnownQuestion]:
    """Each question with a known answer once, as the newest of its runs tells it.

    The answer is the one that somebody wrote down, else one that was labelled right. Follow-ups mean nothing without
    their thread and are left out.
    """
    found: dict[str, KnownQuestion] = {}
    for run in runs:
        record, right = run.record, right_answer(run)
        if right and record["question"].strip() and record["report"]["triage"]["source"] != "thread":
            found[normal_question(record["question"])] = KnownQuestion(
                record["question"], right, record["tenant"] or ""
            )
    return list(found.values())


def right_answer(run: LabelledRun) -> str | None:
    """The short right answer; None where the labels do not tell it."""
    if run.right_answer:
        return run.right_answer
    texts = zip(run.record["answers"], run.rounds_correct, strict=True)
    text = run.record["answer"] if run.correct else next((text for text, right in texts if right), "")
    start, end = find_answer_span(text)
    return text[start:end].strip() or text.strip() or None
