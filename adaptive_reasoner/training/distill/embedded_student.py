"""Trains a student of the embedded architecture on worked answers, in one order or in both; resumable."""

import platform
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

import torch

from adaptive_reasoner.embedded.branches import Branch, render_branch
from adaptive_reasoner.embedded.dialogue import ANSWER_PREFIX, render_prompt
from adaptive_reasoner.errors import InvalidInputError
from adaptive_reasoner.training.distill.config import BOTH, SIZES, StudentConfig
from adaptive_reasoner.training.distill.embedded_perception import fit_student_perception
from adaptive_reasoner.training.distill.examples import DistillExample, read_split
from adaptive_reasoner.training.distill.loss_curve import plot_loss
from adaptive_reasoner.training.embedded.batches import BatchStream
from adaptive_reasoner.training.embedded.config import StageConfig, TrainConfig
from adaptive_reasoner.training.embedded.examples import Example, MixtureConfig
from adaptive_reasoner.training.embedded.export import export, load_exported
from adaptive_reasoner.training.embedded.model import Decoder
from adaptive_reasoner.training.embedded.stage import StageRun
from adaptive_reasoner.training.processes import run_in_step

COMMAND = "adaptive-reasoner train distill"
STAGE = "distill"


def train_student(config: StudentConfig) -> Path:
    """Train through all steps, export the weights and fit perception; goes on where an earlier run stopped.

    Returns:
        `config.directory`, with model.npz and model.json.

    Raises:
        InvalidInputError: the dataset cannot be used, or no example of it fits the student's context.
    """
    usable_examples(read_split(config.data, "train"), _context(config))  # before anything is written
    if set(config.orders) == set(BOTH):
        read_split(config.data, "calibration")
    config.directory.mkdir(parents=True, exist_ok=True)
    (config.directory / "log.jsonl").touch()
    run_in_step(_work, config, config.processes, config.seed)
    plot_loss(config.directory)
    if set(config.orders) == set(BOTH):
        calibration = read_split(config.data, "calibration")
        fit_student_perception(config.directory, calibration[: config.perceived], config.tolerance)
    return config.directory


def usable_examples(examples: Sequence[DistillExample], context: int) -> list[DistillExample]:
    """The examples whose question and longest branch fit into `context` tokens.

    Raises:
        InvalidInputError: none does.
    """
    found = [one for one in examples if _length(one) <= context]
    if not found:
        raise InvalidInputError(f"No example fits the student's context of {context} tokens.")
    return found


def render_example(example: DistillExample, config: StudentConfig, rng: Random) -> Example:
    """A prompt with the branches of the orders that are learned.

    The short `<fast>` branch is the answer-first order stopped after its answer, as it is used.
    """
    branches: list[Branch] = []
    if "think_first" in config.orders:
        branches.append(_think_first(example))
    if "answer_first" in config.orders:
        branches.append(render_branch("fast", [(_answer(example), 1.0)]))
        if rng.random() < config.rationale_share:
            branches.append(_answer_first(example))
    weight = example.weight if config.weighted else 1.0
    weighed = [replace(one, weights=[weight * w for w in one.weights]) for one in branches]
    return Example(_prompt(example), weighed)


def _prompt(example: DistillExample) -> list[int]:
    return render_prompt([("user", example.question)])


def _answer(example: DistillExample) -> str:
    return f"{ANSWER_PREFIX} {example.answer}"


def _rationale(example: DistillExample) -> str:
    return f" {example.rationale.strip()}"  # a space before each word, as the tokenizer has them


def _think_first(example: DistillExample) -> Branch:
    segments = [(_rationale(example), 1.0), ("</think>", 1.0), (_answer(example), 1.0)]
    return render_branch("deep", segments)


def _answer_first(example: DistillExample) -> Branch:
    segments = [(_answer(example), 1.0), ("<because>", 1.0), (_rationale(example), 1.0)]
    return render_branch("answer_first", segments)


def _length(example: DistillExample) -> int:
    return len(_prompt(example)) + max(len(_think_first(example).ids), len(_answer_first(example).ids))


def _context(config: StudentConfig) -> int:
    return SIZES[config.size].context


def _work(rank: int, config: StudentConfig) -> None:
    model = load_exported(config.weights) if config.weights else Decoder(SIZES[config.size])
    if config.compile:
        for block in model.layers():
            block.compile(dynamic=True)  # pyright: ignore[reportUnknownMemberType]
    examples = usable_examples(read_split(config.data, "train"), model.config.context)
    mixture = MixtureConfig(problems_per_batch=config.batch)
    stage = StageConfig(STAGE, minutes=0.0, steps=config.steps, peak=config.peak, mixture=mixture)
    training = TrainConfig(
        config.directory,
        seed=config.seed,
        processes=config.processes,
        checkpoint_minutes=config.checkpoint_minutes,
    )
    draw = partial(_draw, examples=examples, config=config)
    stream = BatchStream(draw, mixture, f"{config.seed}:{STAGE}:{rank}")
    StageRun(training, stage, model, stream).run(partial(_publish, config=config, examples=len(examples)))


def _draw(rng: Random, examples: Sequence[DistillExample], config: StudentConfig) -> Example:
    return render_example(rng.choice(examples), config, rng)


def _publish(run: StageRun, config: StudentConfig, examples: int) -> None:
    export(run.model, config.directory, _provenance(run, config, examples))


def _provenance(run: StageRun, config: StudentConfig, examples: int) -> dict[str, object]:
    return {
        "command": COMMAND,
        "orders": list(config.orders),
        "examples": examples,
        "weighted": config.weighted,
        "rationale_share": config.rationale_share,
        "seed": config.seed,
        "steps": run.tally.step,
        "tokens": run.tally.tokens,
        "minutes": round(run.tally.seconds / 60, 1),
        "parameters": sum(parameter.numel() for parameter in run.model.parameters()),
        "torch": torch.__version__,
        "machine": platform.machine(),
    }
