"""Labels: whether a run's answers were right, told after the run by whoever knows, or by the person who reviewed it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NotRequired, TypedDict

from adaptive_reasoner.state import Round, RunRecord
from adaptive_reasoner.uncertainty.equivalence import same_answer
from adaptive_reasoner.uncertainty.spans import find_answer_span


class Label(TypedDict):
    """One line of a labels file: whether the answer handed on was right, or what the right one is."""

    run_id: str
    correct: NotRequired[bool | None]
    answer: NotRequired[str | None]  # tells of every round


@dataclass(frozen=True, slots=True)
class LabelledRun:
    """A run with what is known of its answers.

    Attributes:
        record: the run.
        correct: of the answer that was handed on; None where nobody said.
        rounds_correct: of each round's answer, parallel to `record["report"]["rounds"]`.
        right_answer: the right one, where somebody wrote it down.
    """

    record: RunRecord
    correct: bool | None
    rounds_correct: tuple[bool | None, ...]
    right_answer: str | None = None


def label_runs(records: Sequence[RunRecord], labels: Sequence[Label]) -> list[LabelledRun]:
    """Give each run its labels; of labels that contradict each other the later one counts.

    What a person decided in review is the first label of a run: approved is right, rejected is wrong, and the words
    that were put in the answer's place are the right answer.
    """
    by_run: dict[str, list[Label]] = {}
    for label in labels:
        by_run.setdefault(label["run_id"], []).append(label)
    return [_labelled(record, by_run.get(record["run_id"], [])) for record in records]


def agrees(answer: str, right: str) -> bool:
    """True if the answer, or the part of it that the gate looks at, is the right one."""
    start, end = find_answer_span(answer)
    return same_answer(answer[start:end], right) or same_answer(answer, right)


def gives_answer(one: Round) -> bool:
    """False for a call that failed, for one that asked for tools, and for a draft that was cut off."""
    return "error" not in one and "tool_calls" not in one and "cut" not in one


def _labelled(record: RunRecord, labels: Sequence[Label]) -> LabelledRun:
    correct: bool | None = None
    known: str | None = None
    rounds: list[bool | None] = [None] * len(record["answers"])
    for label in (*_reviewed(record), *labels):
        right, said = label.get("answer"), label.get("correct")
        if right is None and said is None:  # exported for a person, and not filled in
            continue
        if right is None:
            correct, rounds = said, _told_by_handed_on(record, said, rounds)
        else:
            correct, known = agrees(record["answer"], right), right
            rounds = [
                agrees(text, right) if gives_answer(one) else None
                for text, one in zip(record["answers"], record["report"]["rounds"], strict=True)
            ]
    return LabelledRun(record, correct, tuple(rounds), known)


def _reviewed(record: RunRecord) -> list[Label]:
    """What the review said of the answer; nothing where it was about a call of tools."""
    report = record["report"]
    review, index = report.get("review") or {}, report["accepted_round"]
    action, run_id = review.get("action"), record["run_id"]
    if action is None or index < 0 or "tool_calls" in report["rounds"][index]:
        return []
    if action == "edit":
        edited = str(review.get("answer") or "")
        start, end = find_answer_span(edited)
        return [{"run_id": run_id, "answer": edited[start:end]}] if edited[start:end].strip() else []
    return [{"run_id": run_id, "correct": action == "approve"}]


def _told_by_handed_on(
    record: RunRecord, correct: bool | None, known: Sequence[bool | None]
) -> list[bool | None]:
    """What a verdict on the answer handed on tells of each round: only of those that gave the same text.

    Another text may say the same in other words, so nothing is learnt of it. Of an answer that a person rejected
    the text was not handed on; it is the one that the person saw.
    """
    report = record["report"]
    is_rejected = (report.get("review") or {}).get("action") == "reject" and report["accepted_round"] >= 0
    handed_on = (record["answers"][report["accepted_round"]] if is_rejected else record["answer"]).strip()
    return [
        correct if handed_on and text.strip() == handed_on else before
        for text, before in zip(record["answers"], known, strict=True)
    ]
