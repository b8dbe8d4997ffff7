"""Trains the embedded model from scratch, in stages, over a few CPU processes; resumable."""

import json
import platform
from functools import partial
from pathlib import Path
from random import Random

import torch

from adaptive_reasoner.training.embedded.batches import BatchStream
from adaptive_reasoner.training.embedded.collect import FirstAnswer, collect
from adaptive_reasoner.training.embedded.config import StageConfig, TrainConfig
from adaptive_reasoner.training.embedded.curves import plot_curves
from adaptive_reasoner.training.embedded.evaluate import calibration_problems, evaluate
from adaptive_reasoner.training.embedded.examples import Example, draw_example
from adaptive_reasoner.training.embedded.export import export
from adaptive_reasoner.training.embedded.model import Decoder
from adaptive_reasoner.training.embedded.stage import StageRun, append_log
from adaptive_reasoner.training.processes import run_in_step

COMMAND = "adaptive-reasoner train embedded"


def train(config: TrainConfig) -> Path:
    """Train through every stage and export the weights; goes on where an earlier run stopped.

    Args:
        config: settings; `config.directory` keeps checkpoints, `log.jsonl` and `curves.png`.

    Returns:
        The folder with model.npz and model.json.
    """
    config.directory.mkdir(parents=True, exist_ok=True)
    (config.directory / "log.jsonl").touch()
    run_in_step(_work, config, config.processes, config.seed)
    return config.weights or config.directory


def _work(rank: int, config: TrainConfig) -> None:
    model = Decoder(config.model)
    if config.compile:
        for block in model.layers():
            block.compile(dynamic=True)  # pyright: ignore[reportUnknownMemberType]
    for stage in config.stages:
        stream = open_stream(config, stage, model, rank)
        StageRun(config, stage, model, stream).run(_publish)


def open_stream(config: TrainConfig, stage: StageConfig, model: Decoder, rank: int) -> BatchStream:
    """One process's batches for a stage; collects the first answers that refining needs."""
    seed = f"{config.seed}:{stage.name}:{rank}"
    firsts: list[FirstAnswer] = []
    if stage.collect:
        path = config.directory / f"{stage.name}-first-answers-{rank}.json"
        firsts = collect(model, stage.collect // config.processes, seed, path)
    draw = partial(_draw, stage=stage, firsts=firsts)
    return BatchStream(draw, stage.mixture, seed)


def _draw(rng: Random, stage: StageConfig, firsts: list[FirstAnswer]) -> Example:
    if not firsts or rng.random() >= stage.mixture.refine:
        return draw_example(rng, stage.mixture)
    first = rng.choice(firsts)
    return draw_example(rng, stage.mixture, (first.problem, first.answer, first.request(rng)))


def _publish(run: StageRun) -> None:
    """Export, evaluate on a few problems and plot; after every checkpoint, in process 0."""
    config = run.config
    export(run.model, config.weights or config.directory, _provenance(run))
    for mode, count in config.evaluated:
        problems = calibration_problems(count)
        figures = evaluate(run.model, mode, problems)
        entry = {
            "stage": run.stage.name,
            "step": run.tally.step,
            "minutes": run.tally.seconds / 60,
            "mode": mode,
            "n": count,
            "accuracy": figures,
        }
        append_log(config.directory, entry)
        shown = ", ".join(f"{name} {value:.3f}" for name, value in figures.items())
        print(f"  {mode}: {shown}", flush=True)
    plot_curves(config.directory)


def _provenance(run: StageRun) -> dict[str, object]:
    """How the weights came about: what every stage did up to now."""
    log = (run.config.directory / "log.jsonl").read_text(encoding="utf-8").splitlines()
    last = {entry["stage"]: entry for entry in map(json.loads, log) if "loss" in entry}
    stages = {
        name: {"steps": entry["step"], "tokens": entry["tokens"], "minutes": round(entry["minutes"], 1)}
        for name, entry in last.items()
    }
    stages[run.stage.name] = {
        "steps": run.tally.step,
        "tokens": run.tally.tokens,
        "minutes": round(run.tally.seconds / 60, 1),
    }
    return {
        "command": COMMAND,
        "seed": run.config.seed,
        "processes": run.config.processes,
        "stages": stages,
        "torch": torch.__version__,
        "machine": platform.machine(),
    }
