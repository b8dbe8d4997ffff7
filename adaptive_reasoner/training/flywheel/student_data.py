"""What a student learns from: the worked answers of a store's labelled runs, whose questions judge nothing later."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from adaptive_reasoner.errors import CalibrationError
from adaptive_reasoner.traces.labels import LabelledRun
from adaptive_reasoner.training.distill.card import UNKNOWN_LICENCE, write_dataset
from adaptive_reasoner.training.distill.dataset import (
    Candidate,
    DatasetConfig,
    build_dataset,
    normal_question,
    split_of,
)
from adaptive_reasoner.training.distill.from_runs import candidates_from_runs
from adaptive_reasoner.training.flywheel.known import KnownQuestion, known_questions
from adaptive_reasoner.training.flywheel.short_thoughts import shorten
from adaptive_reasoner.training.flywheel.student_config import StudentTurn
from adaptive_reasoner.training.flywheel.worked_out import work_out

LEAST_LEARNED = 50  # worked answers

Told = Callable[[str], None]


def write_student_data(runs: Sequence[LabelledRun], weights: Path, config: StudentTurn, told: Told) -> Path:
    """Write the dataset of a student; one that is there already, of a turn that was stopped, is kept.

    Args:
        runs: none of them held out.
        weights: of the model that works out what no run shows, and whose own answers say where a thought may end.
        config: how.
        told: is told what was done.

    Returns:
        The folder with train.jsonl and calibration.jsonl.

    Raises:
        CalibrationError: too few worked answers to learn from.
    """
    folder = config.directory / "data"
    if (folder / "card.json").is_file():
        told(f"dataset: goes on with the one in {folder}")
        return folder
    known = known_questions(runs)
    candidates = with_work(
        candidates_from_runs(runs), known, lambda left: work_out(weights, left, config.tries, told)
    )
    if config.sure is not None:
        candidates = shorten(weights, candidates, config.sure)
    made = build_dataset(candidates, dataset_config(config))
    counts = [len(made.split(name)) for name in ("train", "calibration")]
    if min(counts) < LEAST_LEARNED:
        raise CalibrationError(
            f"{counts[0]} worked answers to learn from and {counts[1]} to fit perception on cannot make a student; "
            f"{LEAST_LEARNED} of each are needed. Label more runs with the right answer."
        )
    write_dataset(folder, made, licence=UNKNOWN_LICENCE)
    told(f"dataset: {counts[0]:,} worked answers to learn from")
    return folder


def dataset_config(config: StudentTurn) -> DatasetConfig:
    """Only what is verified; nothing held apart but for calibration, since the turn's held-out runs are elsewhere."""
    return DatasetConfig(calibration=config.calibration, test=0.0, needs_verifier=True)


def calibrating(known: Iterable[KnownQuestion], config: StudentTurn) -> list[KnownQuestion]:
    """The questions that the student does not learn from, worked out or not, and that its gate is fitted to."""
    split = dataset_config(config)
    return [one for one in known if split_of(one.question, split) == "calibration"]


def with_work(
    candidates: Iterable[Candidate],
    known: Sequence[KnownQuestion],
    work_out_left: Callable[[Sequence[KnownQuestion]], dict[str, str]],
) -> list[Candidate]:
    """One candidate a known question: with the work that a run shows where that was right, else worked out anew."""
    by_question = {normal_question(one.question): one for one in known}
    best: dict[str, Candidate] = {}
    for one in candidates:
        key = normal_question(one.question)
        if key in by_question and not (key in best and _is_usable(best[key])):
            best[key] = one
    left = [by_question[key] for key, one in best.items() if not _is_usable(one)]
    found = work_out_left(left) if left else {}
    for one in left:
        key = normal_question(one.question)
        if one.question in found:
            best[key] = replace(
                best[key],
                question=one.question,
                answer=one.right,
                rationale=found[one.question],
                correct=True,
            )
    return list(best.values())


def _is_usable(candidate: Candidate) -> bool:
    return candidate.correct is True and bool(candidate.rationale.strip())
