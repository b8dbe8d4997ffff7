"""The bed of the THINKLOGIT benchmark: targets in which thinking is latent and ragged, and small guiders.

    PYTHONPATH=benchmarks python -m thinklogit_bed.bed --dir checkpoints/thinklogit --seed 0

One command a seed: the target goes on from the shipped embedded weights, the guiders start from nothing, all on the
latent mix; then each guider, and the target for the ceilings, is tuned on whole worked solutions alone. A run that
is stopped goes on where it was; a folder that is whole is kept.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from thinklogit_bed.texts import LATENT, THINKING
from thinklogit_bed.training import WEIGHTS, Lesson, teach

import adaptive_reasoner
from adaptive_reasoner.training.embedded.model import ModelConfig

SHIPPED = Path(adaptive_reasoner.__file__).parent / "embedded" / "weights"
GUIDER = ModelConfig(d_model=64, layers=3, heads=4, ff=192)
BASE_STEPS = 1000
TUNED_STEPS = (200, 400, 1600, 6400)
"""The guider's strengths."""
TARGET_STEPS = 400
CEILING_STEPS = (100, 400)


def target(directory: Path, seed: int) -> Path:
    """The target's folder."""
    return directory / f"seed-{seed}" / "target" / "latent"


def base(directory: Path, seed: int) -> Path:
    """The folder of the guider before tuning."""
    return directory / f"seed-{seed}" / "guider" / "base"


def tuned(directory: Path, seed: int, steps: int, model: str = "guider") -> Path:
    """The folder of the guider, or of the target, tuned on thinking for so many steps."""
    return directory / f"seed-{seed}" / model / f"tuned-{steps}"


def lessons(directory: Path, seed: int) -> Iterator[Lesson]:
    """Every model of a seed, each after those that it starts from."""
    start, first = target(directory, seed), base(directory, seed)
    yield Lesson(start, SHIPPED, LATENT, TARGET_STEPS, 0.3, seed)
    yield Lesson(first, GUIDER, LATENT, BASE_STEPS, 1.0, seed)
    for steps in sorted(TUNED_STEPS, reverse=True):
        yield Lesson(tuned(directory, seed, steps), first / WEIGHTS, THINKING, steps, 0.5, seed)
    for steps in CEILING_STEPS:
        folder = tuned(directory, seed, steps, "target")
        yield Lesson(folder, start / WEIGHTS, THINKING, steps, 0.3, seed)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--seed", type=int, action="append", required=True, help="repeat it for several")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    for seed in options.seed:
        for lesson in lessons(options.dir, seed):
            started = time.monotonic()
            teach(lesson)
            print(f"{lesson.folder}: {(time.monotonic() - started) / 60:.1f} min", flush=True)


if __name__ == "__main__":
    main()
