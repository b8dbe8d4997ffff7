"""The folder that a team's service reads its gate and triage from, and the switch to new ones."""

import shutil
from pathlib import Path

from adaptive_reasoner.errors import ProfileError
from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.training.flywheel.turn import Turn
from adaptive_reasoner.triage.linear import LinearEstimator

GATE, TRIAGE = "gate.json", "triage.json"
_BEFORE = ".before"


def read_folder(folder: Path) -> tuple[GateProfile | None, LinearEstimator | None]:
    """The gate and the estimator in use; None for what the folder does not have.

    Raises:
        ProfileError: a file cannot be used.
    """
    gate, triage = folder / GATE, folder / TRIAGE
    return (
        GateProfile.load(gate) if gate.exists() else None,
        LinearEstimator.load(triage) if triage.exists() else None,
    )


def ship(turn: Turn, folder: Path) -> tuple[Path, ...]:
    """Put what the turn ships in place, each file whole at once, and keep the file before as `….before`.

    The gate goes first: it was judged beside the triage that is still there, so that no reader meets a pair which
    nobody judged.

    Raises:
        ProfileError: a file cannot be written; the ones before it in the order stand.
    """
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in (GATE, TRIAGE):
            if name.removesuffix(".json") in turn.shipped and (folder / name).exists():
                shutil.copy2(folder / name, folder / f"{name}{_BEFORE}")
    except OSError as error:
        raise ProfileError(f"Cannot keep the profiles of {folder}: {error.strerror}.") from error
    if "gate" in turn.shipped:
        turn.policy.gate.save(folder / GATE)
        written.append(folder / GATE)
    estimator = turn.policy.triage
    if "triage" in turn.shipped and isinstance(estimator, LinearEstimator):
        estimator.save(folder / TRIAGE)
        written.append(folder / TRIAGE)
    return tuple(written)
