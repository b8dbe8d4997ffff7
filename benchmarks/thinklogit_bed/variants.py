"""The bed's guiders tuned further by `train guider`: DPO on mixed, single-source and guided pairs, and SFT."""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from thinklogit_bed import bed
from thinklogit_bed.training import WEIGHTS

from adaptive_reasoner.embedded.problems import generate
from adaptive_reasoner.training.guider.config import GuiderConfig, Objective, SamplingConfig, Sources
from adaptive_reasoner.training.guider.train import train_guider
from adaptive_reasoner.training.hugging_face import from_hugging_face

STRENGTH = 1600
"""Steps of the guider that they start from."""
PROMPTS = 768
PAIRS = 320
"""Of every variant: about as many as mixed ones can be made of so many prompts."""
VARIANTS: Mapping[str, tuple[Objective, Sources]] = {
    "dpo-mixed": ("dpo", "mixed"),
    "dpo-target": ("dpo", "target"),
    "dpo-guider": ("dpo", "guider"),
    "sft-mixed": ("sft", "mixed"),
    "dpo-guided": ("dpo", "guided"),
}
"""Objective and sources. The last moves the guided target's probabilities, on its own answers; its recipe, gentler and
on more prompts, was chosen on calibration problems of seed 0."""
GUIDED_PROMPTS = 1024
GUIDED_ALPHA = 1.25


def variant(directory: Path, seed: int, name: str) -> Path:
    """The folder of a guider tuned further."""
    return directory / f"seed-{seed}" / "guider" / f"{name}-{STRENGTH}"


def tune(directory: Path, seed: int, name: str) -> None:
    """Train a variant of a seed, unless it is there; those of one kind share their samples."""
    objective, sources = VARIANTS[name]
    is_guided = sources == "guided"
    home, folder = directory / f"seed-{seed}", variant(directory, seed, name)
    sampling = SamplingConfig(
        tasks=_tasks(home, GUIDED_PROMPTS if is_guided else PROMPTS, seed),
        guider=str(bed.tuned(directory, seed, STRENGTH)),
        target=str(bed.target(directory, seed)),
        base=str(bed.base(directory, seed)) if is_guided else None,
        alpha=GUIDED_ALPHA if is_guided else 1.0,
        directory=home / (f"samples-guided-{STRENGTH}" if is_guided else f"samples-{STRENGTH}"),
        max_tokens=100,
        prompts_a_chunk=64,
        seed=seed,
    )
    config = GuiderConfig(
        sampling=sampling, directory=folder, objective=objective, sources=sources, rank=32,
        learning_rate=5e-4, pairs=PAIRS, pairs_a_prompt=4, rows=8, epochs=4, seed=seed,
    )  # fmt: skip
    if is_guided:
        config = replace(config, policy="guided", learning_rate=1e-4, beta=0.3, epochs=2, pairs=4000)
    train_guider(config)
    if not (folder / WEIGHTS / "model.json").is_file():
        from_hugging_face(folder, folder / WEIGHTS, {"from": name})


def _tasks(home: Path, count: int, seed: int) -> Path:
    path = home / ("tasks.jsonl" if count == PROMPTS else f"tasks-{count}.jsonl")
    if not path.is_file():
        problems = generate("train", count, seed=7000 + seed)
        lines = [json.dumps({"prompt": p.question, "answer": p.answer}) + "\n" for p in problems]
        path.write_text("".join(lines), encoding="utf-8")
    return path


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--seed", type=int, action="append", required=True)
    parser.add_argument(
        "--only", choices=VARIANTS, action="append", help="one of them; repeat it for several"
    )
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    for seed in options.seed:
        for name in options.only or VARIANTS:
            tune(options.dir, seed, name)


if __name__ == "__main__":
    main()
