"""The bed's guiders tuned further by `train guider`: DPO on mixed and single-source pairs, and SFT."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from thinklogit_bed import bed
from thinklogit_bed.training import WEIGHTS

from adaptive_reasoner.embedded.problems import generate
from adaptive_reasoner.training.guider.config import GuiderConfig, SamplingConfig
from adaptive_reasoner.training.guider.train import train_guider
from adaptive_reasoner.training.hugging_face import from_hugging_face

STRENGTH = 1600
"""Steps of the guider that they start from."""
PROMPTS = 768
PAIRS = 320
"""Of every variant: about as many as mixed ones can be made of so many prompts."""
VARIANTS = {
    "dpo-mixed": ("dpo", "mixed"),
    "dpo-target": ("dpo", "target"),
    "dpo-guider": ("dpo", "guider"),
    "sft-mixed": ("sft", "mixed"),
}


def variant(directory: Path, seed: int, name: str) -> Path:
    """The folder of a guider tuned further."""
    return directory / f"seed-{seed}" / "guider" / f"{name}-{STRENGTH}"


def tune(directory: Path, seed: int) -> None:
    """Train every variant of a seed that is not there yet; all share the same samples."""
    home = directory / f"seed-{seed}"
    tasks = home / "tasks.jsonl"
    if not tasks.is_file():
        problems = generate("train", PROMPTS, seed=7000 + seed)
        lines = [json.dumps({"prompt": p.question, "answer": p.answer}) + "\n" for p in problems]
        tasks.write_text("".join(lines), encoding="utf-8")
    sampling = SamplingConfig(
        tasks=tasks,
        guider=str(bed.tuned(directory, seed, STRENGTH)),
        target=str(bed.target(directory, seed)),
        directory=home / f"samples-{STRENGTH}",
        max_tokens=100,
        prompts_a_chunk=64,
        seed=seed,
    )
    for name, (objective, sources) in VARIANTS.items():
        folder = variant(directory, seed, name)
        config = GuiderConfig(
            sampling=sampling, directory=folder, objective=objective, sources=sources, rank=32,
            learning_rate=5e-4, pairs=PAIRS, pairs_a_prompt=4, rows=8, epochs=4, seed=seed,
        )  # fmt: skip
        train_guider(config)
        if not (folder / WEIGHTS / "model.json").is_file():
            from_hugging_face(folder, folder / WEIGHTS, {"from": name})


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--seed", type=int, action="append", required=True)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    for seed in options.seed:
        tune(options.dir, seed)


if __name__ == "__main__":
    main()
