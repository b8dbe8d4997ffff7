"""Settings of a training run of the embedded model."""

from dataclasses import dataclass, field
from pathlib import Path

from adaptive_reasoner.embedded.dialogue import Mode
from adaptive_reasoner.training.embedded.examples import MixtureConfig
from adaptive_reasoner.training.embedded.model import ModelConfig


@dataclass(frozen=True, slots=True)
class StageConfig:
    """One stage: how long, how fast it learns, and on what.

    Attributes:
        name: names its checkpoint and its log.
        minutes: wall-clock time; the learning rate's decay ends with it.
        steps: where given, the schedule follows the steps instead of the clock (reproducible).
        peak: multiplies both learning rates.
        decay_from: share of the stage after which the rate falls linearly.
        final: share of the peak at the end.
        warmup_steps: steps of linear warm-up.
        mixture: shares of the branches.
        collect: how many greedy fast answers to collect first, to train refining on them.
    """

    name: str
    minutes: float
    steps: int | None = None
    peak: float = 1.0
    decay_from: float = 0.5
    final: float = 0.02
    warmup_steps: int = 60
    mixture: MixtureConfig = field(default_factory=MixtureConfig)
    collect: int = 0


STAGES = (
    StageConfig("base", minutes=56),
    StageConfig(
        "refine",
        minutes=27.5,
        peak=0.5,
        decay_from=0.05,
        final=0.0,
        warmup_steps=20,
        mixture=MixtureConfig(
            deep=0.12, deep_lookup=0.18, answer_first=0.08, truncated=0.08, refine=0.5, made_up_refine=0.0
        ),
        collect=60_000,
    ),
)


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """A whole run: `directory` holds checkpoints, log and curves, and lets a run resume.

    Attributes:
        directory: where the run's files go.
        weights: folder that receives model.npz and model.json; None: `directory` itself.
        processes: data-parallel processes of one thread each.
        checkpoint_minutes: time between checkpoints (each is exported as well).
        muon_rate: learning rate of the blocks' matrices.
        adam_rate: learning rate of everything else.
        evaluated: how many problems of the calibration split a mode is tried on after a checkpoint.
        compile: fuse the blocks with torch.compile (needs a C++ compiler; about 1.5 times as fast).
    """

    directory: Path
    weights: Path | None = None
    seed: int = 0
    processes: int = 3
    model: ModelConfig = field(default_factory=ModelConfig)
    stages: tuple[StageConfig, ...] = STAGES
    checkpoint_minutes: float = 4.0
    muon_rate: float = 0.02
    adam_rate: float = 3e-3
    compile: bool = True
    evaluated: tuple[tuple[Mode, int], ...] = (("fast", 500), ("deep", 100))
