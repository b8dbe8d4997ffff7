"""`adaptive-reasoner train …`: rebuilds what the package ships, and fits triage to a user's own models."""

import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from adaptive_reasoner.cli.train_dataset import dataset
from adaptive_reasoner.cli.train_distill import distill
from adaptive_reasoner.cli.train_flywheel import flywheel
from adaptive_reasoner.cli.train_guider import guider
from adaptive_reasoner.cli.train_ibpo import ibpo
from adaptive_reasoner.cli.train_triage import triage
from adaptive_reasoner.errors import MissingExtraError

train_app = typer.Typer(
    help="Train what the package ships (extra `train`), or triage for your own models.",
    epilog="Example: adaptive-reasoner train embedded --directory checkpoints/embedded",
    no_args_is_help=True,
)


@train_app.callback()
def train() -> None:
    """Train what the package ships (extra `train`), or triage for your own models."""


train_app.command(
    epilog="Example: adaptive-reasoner train triage runs.jsonl --pair mini-and-large --out triage.json"
)(triage)
train_app.command(epilog="Example: adaptive-reasoner train ibpo --share 50 --directory runs/ibpo")(ibpo)
train_app.command(
    epilog="Example: adaptive-reasoner train guider tasks.jsonl --guider small --target large --directory runs/guider"
)(guider)

train_app.command(
    epilog="Example: adaptive-reasoner train dataset data --runs runs.jsonl --runs labels.jsonl --format openai"
)(dataset)
train_app.command(epilog="Example: adaptive-reasoner train distill data --directory runs/student")(distill)
train_app.command(
    epilog="Example: adaptive-reasoner train flywheel sqlite:///runs.sqlite --folder profiles --dry-run"
)(flywheel)


@train_app.command(
    epilog="Example: adaptive-reasoner train embedded --directory checkpoints/embedded --seed 1"
)
def embedded(
    directory: Annotated[
        Path, typer.Option(help="Keeps checkpoints, log and curves; run the command again to resume.")
    ] = Path("checkpoints/embedded"),
    weights: Annotated[
        Path | None, typer.Option(help="Folder that receives model.npz and model.json; else the same.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of weights and problems.")] = 0,
    processes: Annotated[int, typer.Option(min=1, help="Data-parallel processes of one thread each.")] = 3,
    minutes: Annotated[
        float | None, typer.Option(min=0.1, help="Wall-clock time of all stages; else the shipped recipe's.")
    ] = None,
    compile_blocks: Annotated[
        bool, typer.Option("--compile/--no-compile", help="Fuse operations; needs a C++ compiler.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object: weights.")] = False,
) -> None:
    """Train the embedded model from scratch."""
    for module in ("torch", "matplotlib"):
        if find_spec(module) is None:
            raise MissingExtraError(
                f'Training needs {module}: pip install "adaptive-reasoner[train]" installs the extra "train".'
            )
    from adaptive_reasoner.training.embedded.config import STAGES, TrainConfig
    from adaptive_reasoner.training.embedded.train import train as train_embedded

    recipe = sum(stage.minutes for stage in STAGES)
    share = 1.0 if minutes is None else minutes / recipe
    config = TrainConfig(
        directory=directory,
        weights=weights,
        seed=seed,
        processes=processes,
        stages=tuple(replace(stage, minutes=stage.minutes * share) for stage in STAGES),
        compile=compile_blocks,
    )
    folder = str(train_embedded(config))
    typer.echo(json.dumps({"weights": folder}) if as_json else f"Weights: {folder}")
