"""How a turn of the flywheel makes a student."""

from dataclasses import dataclass
from pathlib import Path

from adaptive_reasoner.checks import check_positive, check_range


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentTurn:
    """How a turn makes a student of the embedded architecture.

    Attributes:
        directory: keeps dataset, checkpoint and student; the same turn again goes on where it stopped.
        weights: folder of exported weights to begin from, which also work out what no run shows; None: those of the
            student in use, or else the shipped ones.
        steps: of the optimizer, 32 worked answers each.
        peak: of the learning rate, as a share of the one that training from scratch has.
        tries: thoughts drawn for a labelled question until one leads to its right answer.
        sure: thoughts are cut where their result stands in them and the model gives it with this probability; None:
            they stay whole.
        calibration: percentage of the questions not held out that the student's gate is fitted to instead.
        most_judged: held-out questions that both systems are asked, at most, drawn by their hash.
        compile: fuse the student's operations; needs a C++ compiler.
    """

    directory: Path
    weights: Path | None = None
    steps: int = 400
    peak: float = 0.05
    tries: int = 4
    sure: float | None = 0.5
    calibration: float = 25.0
    most_judged: int = 2000
    compile: bool = False

    def __post_init__(self) -> None:
        check_positive("steps", self.steps, whole=True)
        check_positive("peak", self.peak)
        check_range("tries", self.tries, 0, 100)
        check_range("calibration", self.calibration, 5.0, 90.0)
        check_positive("most_judged", self.most_judged, whole=True)
        if self.sure is not None:
            check_range("sure", self.sure, 0.0, 1.0)
