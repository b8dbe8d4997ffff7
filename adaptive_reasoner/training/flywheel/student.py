"""One turn's student: made from one part of the runs, held against what is in use on the rest, shipped if not worse."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from adaptive_reasoner.embedded.student import read_student
from adaptive_reasoner.errors import CalibrationError, ConfigurationError
from adaptive_reasoner.profile_files import write_profile
from adaptive_reasoner.traces.labels import LabelledRun
from adaptive_reasoner.training.distill.config import StudentConfig
from adaptive_reasoner.training.distill.embedded_student import train_student
from adaptive_reasoner.training.distill.embedded_teacher import SHIPPED
from adaptive_reasoner.training.flywheel.asking import AlwaysThinks, System, ask, outcomes_seen
from adaptive_reasoner.training.flywheel.judging import LEAST_HELD_OUT, compare, refusal
from adaptive_reasoner.training.flywheel.known import KnownQuestion, known_questions
from adaptive_reasoner.training.flywheel.policy import Policy
from adaptive_reasoner.training.flywheel.student_config import StudentTurn
from adaptive_reasoner.training.flywheel.student_data import Told, calibrating, write_student_data
from adaptive_reasoner.training.flywheel.student_profiles import Promise, check_promise, fit_profiles
from adaptive_reasoner.training.flywheel.turn import Step, TurnConfig, is_held_out

TURN, STUDENT = "turn.json", "student"


@dataclass(frozen=True, slots=True)
class StudentStep:
    """What became of the student.

    Attributes:
        step: before and after on held-out questions that both systems were asked, and why it is refused.
        folder: with its weights.
        policy: its gate and triage; None where nothing could be fitted.
        promise: of its gate, held against the held-out questions; None where there is none.
    """

    step: Step
    folder: Path
    policy: Policy | None
    promise: Promise | None = None


def turn_student(
    runs: Sequence[LabelledRun], present: System, config: TurnConfig, student: StudentTurn, told: Told = print
) -> StudentStep:
    """Make a student, fit its gate and triage, and ask it and what is in use the held-out questions.

    Each of them answers through the graph, so that all that its answers cost is counted, refining too. Nothing is
    written but the student's own folder.

    Args:
        runs: with their labels.
        present: what is in use.
        config: how the turn fits and judges; the gate's target is the student's, too.
        student: how it is made.
        told: is told what was done.

    Returns:
        The student, or why the runs cannot make one.

    Raises:
        ConfigurationError: the folder belongs to another turn.
    """
    try:
        return _turned(runs, present, config, student, told)
    except CalibrationError as error:
        return StudentStep(Step("student", None, str(error)), student.directory / STUDENT, None)


def _turned(
    runs: Sequence[LabelledRun], present: System, config: TurnConfig, student: StudentTurn, told: Told
) -> StudentStep:
    to_fit = [run for run in runs if not is_held_out(run.record["question"], config.held_out)]
    known = known_questions(runs)
    questions = _judging(known, config.held_out, student.most_judged)
    weights = student.weights or SHIPPED
    _claim(student, weights, config)
    folder = _trained(write_student_data(to_fit, weights, student, told), weights, config.seed, student)
    told(f"trained: {folder}")
    fitting = calibrating(known_questions(to_fit), student)
    policy = _fitted(folder, present, fitting, config)
    told(f"gate and triage: fitted to {len(fitting):,} questions that the student did not learn from")
    model = read_student(folder)
    before, after = ask(present, questions), ask(System(model, None, policy.gate, policy.triage), questions)
    compared = compare(questions, (outcomes_seen(before), outcomes_seen(after)), config.seed)
    promise = check_promise(after, policy.gate)
    refused = refusal(compared, config.tolerated_error) or _broken(promise)
    return StudentStep(Step("student", compared, refused), folder, policy, promise)


def _judging(known: Sequence[KnownQuestion], share: float, most: int) -> list[KnownQuestion]:
    held_out = [one for one in known if is_held_out(one.question, share)]
    if len(held_out) < LEAST_HELD_OUT:
        raise CalibrationError(
            f"Only {len(held_out)} held-out questions have a known right answer; {LEAST_HELD_OUT} are needed to judge "
            'a student by. Label more runs with it ({"run_id": "…", "answer": "…"}).'
        )
    return sorted(held_out, key=lambda one: blake2b(one.question.encode("utf-8", "surrogatepass")).digest())[
        :most
    ]


def _trained(data: Path, weights: Path, seed: int, student: StudentTurn) -> Path:
    """The student's folder; one that is finished is taken as it is."""
    folder = student.directory / STUDENT
    about = _about(folder)
    if "auto" in about and about["provenance"]["steps"] >= student.steps:
        return folder
    return train_student(
        StudentConfig(
            data=data, directory=folder, weights=weights, steps=student.steps, peak=student.peak, seed=seed,
            compile=student.compile,
        )
    )  # fmt: skip


def _fitted(folder: Path, present: System, fitting: Sequence[KnownQuestion], config: TurnConfig) -> Policy:
    """The student's gate and triage, from both its answers to each question that it did not learn from."""
    both = ask(System(read_student(folder), None, AlwaysThinks()), fitting)
    spent = float(outcomes_seen(ask(present, fitting)).tokens.mean())
    policy = fit_profiles(both, spent, config.target, config.seed)
    provenance = {**policy.gate.provenance, "questions": len(fitting), "tokens_in_use": spent}
    return replace(policy, gate=replace(policy.gate, provenance=provenance))


def _broken(promise: Promise | None) -> str | None:
    if promise is None or not promise.is_broken or promise.seen.mean is None:
        return None
    return f"its gate promised that at most {promise.most:.1%} of the {promise.what}, and it is {promise.seen.mean:.1%}"


def _claim(student: StudentTurn, weights: Path, config: TurnConfig) -> None:
    """Keep how the turn splits and begins, and refuse a folder that was split otherwise: it has seen the answers."""
    told = {"held_out": config.held_out, "calibration": student.calibration, "weights": _fingerprint(weights)}
    path = student.directory / TURN
    student.directory.mkdir(parents=True, exist_ok=True)
    if not path.is_file():
        write_profile(path, told, "turn")
    elif (kept := json.loads(path.read_text(encoding="utf-8"))) != told:
        raise ConfigurationError(
            f"{student.directory} belongs to another turn ({kept}; this one: {told}): give another folder."
        )


def _fingerprint(weights: Path) -> str:
    try:
        return blake2b((weights / "model.npz").read_bytes(), digest_size=6).hexdigest()
    except OSError as error:
        raise ConfigurationError(f"{weights} holds no weights to begin from: {error}.") from error


def _about(folder: Path) -> dict[str, Any]:
    path = folder / "model.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
