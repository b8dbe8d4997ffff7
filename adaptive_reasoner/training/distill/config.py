"""Settings of distillation into a student of the embedded architecture."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from adaptive_reasoner.training.distill.examples import Order
from adaptive_reasoner.training.embedded.model import ModelConfig

Size = Literal["small", "medium", "large"]

# Parameters: 0.26, 0.64 and 2.1 million; the shipped model has 2.8.
SIZES: dict[Size, ModelConfig] = {
    "small": ModelConfig(d_model=64, layers=4, heads=4, ff=176),
    "medium": ModelConfig(d_model=96, layers=5, heads=4, ff=256),
    "large": ModelConfig(d_model=160, layers=6, heads=5, ff=448),
}
BOTH: tuple[Order, ...] = ("think_first", "answer_first")


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentConfig:
    """A run on a student of the embedded architecture, which the NumPy runtime answers with.

    Attributes:
        data: dataset folder with train.jsonl and calibration.jsonl.
        directory: keeps checkpoint, log and curve, receives model.npz and model.json, and lets a run resume.
        weights: folder with exported weights to start from; None: from scratch, in `size`.
        orders: those that the student learns; with both, perception is fitted, too.
        rationale_share: of answer-first examples that carry their rationale; the answer alone is always learned.
        weighted: whether hard examples weigh more.
        steps: of the optimizer.
        batch: examples a step and process.
        peak: multiplies both learning rates.
        checkpoint_minutes: time between checkpoints.
        perceived: calibration questions that perception is fitted on, at most.
        tolerance: of accuracy, that the adaptive order may lose against thinking first, 0..1.
    """

    data: Path
    directory: Path
    weights: Path | None = None
    size: Size = "small"
    orders: tuple[Order, ...] = field(default=BOTH)
    rationale_share: float = 0.5
    weighted: bool = True
    seed: int = 0
    processes: int = 1
    steps: int = 3000
    batch: int = 32
    peak: float = 1.0
    checkpoint_minutes: float = 2.0
    perceived: int = 4000
    tolerance: float = 0.005
    compile: bool = True
