"""The folder that a team's service reads its models, gate and triage from, and the switch to new ones."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from adaptive_reasoner.errors import ProfileError
from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.profile_files import read_profile, write_profile
from adaptive_reasoner.training.flywheel.policy import Policy
from adaptive_reasoner.triage.linear import LinearEstimator

if TYPE_CHECKING:
    from adaptive_reasoner.training.flywheel.turn import Turn

GATE, TRIAGE, STUDENT = "gate.json", "triage.json", "student.json"
_BEFORE = ".before"
_WEIGHTS = ("model.npz", "model.json")


@dataclass(frozen=True, slots=True)
class InUse:
    """What a service is to use.

    Attributes:
        student: folder of the student that answers, fast and with thought; None: the models of the service's own.
        profiles: folder that gate and triage are read from: the student's own, or else the service's.
        gate, triage: None for what the folder does not have.
    """

    student: Path | None
    profiles: Path
    gate: GateProfile | None
    triage: LinearEstimator | None

    @property
    def model(self) -> str | None:
        """The student as `build_reasoning_graph` takes it."""
        return f"student:{self.student}" if self.student else None


def in_use(folder: Path) -> InUse:
    """What the folder says is in use.

    Raises:
        ProfileError: a file cannot be used.
    """
    student = _student_of(folder)
    profiles = student or folder
    return InUse(student, profiles, *read_folder(profiles))


def read_folder(folder: Path) -> tuple[GateProfile | None, LinearEstimator | None]:
    """The gate and the estimator in a folder; None for what it does not have.

    Raises:
        ProfileError: a file cannot be used.
    """
    gate, triage = folder / GATE, folder / TRIAGE
    return (
        GateProfile.load(gate) if gate.exists() else None,
        LinearEstimator.load(triage) if triage.exists() else None,
    )


def ship(turn: "Turn", folder: Path) -> tuple[Path, ...]:
    """Put what the turn ships in place, each file whole at once, and keep the file before as `….before`.

    The gate goes first: it was judged beside the triage that is still there, so that no reader meets a pair which
    nobody judged.

    Raises:
        ProfileError: a file cannot be written; the ones before it in the order stand.
    """
    written: list[Path] = []
    for name in (GATE, TRIAGE):
        if name.removesuffix(".json") in turn.shipped:
            _keep_before(folder / name)
    if "gate" in turn.shipped:
        turn.policy.gate.save(folder / GATE)
        written.append(folder / GATE)
    estimator = turn.policy.triage
    if "triage" in turn.shipped and isinstance(estimator, LinearEstimator):
        estimator.save(folder / TRIAGE)
        written.append(folder / TRIAGE)
    return tuple(written)


def ship_student(trained: Path, policy: Policy, folder: Path) -> tuple[Path, ...]:
    """Copy a student into a folder of its own beside its gate and triage, then point `student.json` at it.

    A reader meets the old student or the new one, each with its own profiles; the pointer before is kept as
    `student.json.before`.

    Raises:
        ProfileError: a file cannot be written; the student before stays in use.
    """
    number = 1 + max((int(path.name.removeprefix("student-")) for path in _students(folder)), default=0)
    own = folder / f"student-{number}"
    try:
        own.mkdir(parents=True)
        for name in _WEIGHTS:
            shutil.copy2(trained / name, own / name)
    except OSError as error:
        raise ProfileError(f"Cannot copy the student into {own}: {error.strerror}.") from error
    replace(policy.gate, model=f"student:{own.name}").save(own / GATE)
    if isinstance(policy.triage, LinearEstimator):
        replace(policy.triage, pair=f"student:{own.name}").save(own / TRIAGE)
    _keep_before(folder / STUDENT)
    write_profile(folder / STUDENT, {"student": own.name}, "pointer to the student")
    return own, folder / STUDENT


def _students(folder: Path) -> list[Path]:
    return [path for path in folder.glob("student-*") if path.name.removeprefix("student-").isdecimal()]


def _student_of(folder: Path) -> Path | None:
    pointer = folder / STUDENT
    if not pointer.exists():
        return None
    own = folder / read_profile(pointer, _named, "pointer to the student")
    if not (own / _WEIGHTS[0]).is_file():
        raise ProfileError(f"{pointer} names {own.name}, which holds no {_WEIGHTS[0]}.")
    return own


def _named(data: Any) -> str:
    name = cast("dict[str, Any]", data).get("student") if isinstance(data, dict) else None
    if not isinstance(name, str) or Path(name).name != name or not name:
        raise ProfileError('it must name a folder beside it: {"student": "student-1"}.')
    return name


def _keep_before(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            shutil.copy2(path, path.with_name(f"{path.name}{_BEFORE}"))
    except OSError as error:
        raise ProfileError(f"Cannot keep the profiles of {path.parent}: {error.strerror}.") from error
