"""Worked answers out of recorded runs: the work stands in the answer's text, or in the thoughts kept with the run."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from adaptive_reasoner.state import StepMark
from adaptive_reasoner.thinking.written import split_thoughts
from adaptive_reasoner.traces.labels import LabelledRun, gives_answer
from adaptive_reasoner.training.distill.dataset import Candidate
from adaptive_reasoner.uncertainty.spans import find_answer_span

_HEADING = re.compile(r"^\W*(?:because|since|reason(?:ing)?|rationale|explanation)\b[:,]?\s*", re.IGNORECASE)
_LABEL = re.compile(r"(?:(?<!\W)\W+)?(?:the\s+)?(?:final\s+)?answer(?:\s+is)?\W*", re.IGNORECASE)


def candidates_from_runs(runs: Iterable[LabelledRun]) -> Iterator[Candidate]:
    """The best worked answer of each run.

    That is the last round that gave an answer with work and is not known to be wrong; else the last with work, for
    the count of what is dropped. Work that a person found a wrong step in is not learnt from, nor work that says the
    step again: what was thought after the mark is taken in its place. Follow-ups mean nothing without their thread and
    are left out.
    """
    for run in runs:
        if run.record["report"]["triage"]["source"] != "thread" and run.record["question"].strip():
            yield _candidate(run)


def work_and_answer(text: str, thought: str = "") -> tuple[str, str]:
    """The rationale and the short answer of a reply.

    Args:
        text: what was answered, perhaps with its thoughts written before it.
        thought: kept apart from the text; it comes first in the rationale.
    """
    written, rest = split_thoughts(text)
    said = rest or ""
    start, end = find_answer_span(said)
    before, after = _LABEL.sub("", _last_line_apart(said[:start])), said[end:].lstrip(" .!*\n")
    parts = [part.strip() for part in (thought, written, before, _HEADING.sub("", after))]
    return "\n".join(part for part in parts if part), said[start:end].strip()


def _last_line_apart(before: str) -> str:
    """Without a line that only leads to the answer, such as "The answer is"."""
    head, _, line = before.rpartition("\n")
    return head if _LABEL.fullmatch(line) else before


def _candidate(run: LabelledRun) -> Candidate:
    record, rounds = run.record, run.record["report"]["rounds"]
    thoughts = cast("list[str]", cast("dict[str, Any]", record).get("thoughts") or [""] * len(rounds))
    worked = [
        (index, *work_and_answer(text, thoughts[index] or ""))
        for index, (text, one) in enumerate(zip(record["answers"], rounds, strict=True))
        if gives_answer(one)
    ]
    marks = record["report"].get("step_marks", [])
    sound = [one for one in worked if not _is_marked(one[0], one[1], marks)]
    had_work = any(work for _, work, _ in worked)
    redone = bool(marks) and any(work for _, work, _ in sound)
    if marks and had_work and not redone:
        sound = []  # what is left has no work, or no answer
    step_mark = None if not marks or not had_work else "redone" if redone else "dropped"
    worked = sound if step_mark else worked
    usable = [one for one in worked if one[1]]
    kept = [one for one in usable if run.rounds_correct[one[0]] is not False]
    index, work, answer = (kept or usable or worked or [(-1, "", "")])[-1]
    first = next((text for i, _, text in worked if rounds[i]["node"] == "fast_answer"), None)
    verdicts = {one["verdict"] for one in rounds}
    return Candidate(
        question=record["question"],
        answer=answer,
        rationale=work,
        source=f"run:{record['run_id']}",
        first_answer=first,
        correct=run.rounds_correct[index] if index >= 0 else None,
        escalated="escalate" in verdicts,
        refined="refine" in verdicts,
        step_mark=step_mark,
    )


def _is_marked(index: int, work: str, marks: Sequence[StepMark]) -> bool:
    """True for work with a step that a person marked as wrong, also where a later round wrote it anew."""
    return any(mark["round"] == index or mark["text"] in work for mark in marks)
