"""`adaptive-reasoner train ibpo`: teaches a model to choose by itself when to think."""

import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adaptive_reasoner.errors import ConfigurationError, MissingExtraError

if TYPE_CHECKING:
    from adaptive_reasoner.training.ibpo.config import IbpoConfig


def ibpo(
    share: Annotated[
        float, typer.Option(min=0, max=100, help="Percentage of questions that should think.")
    ] = 50.0,
    constraint: Annotated[
        bool, typer.Option("--constraint/--no-constraint", help="Without: think wherever it is worth it.")
    ] = True,
    directory: Annotated[Path, typer.Option(help="Receives the trained model and the log.")] = Path(
        "checkpoints/ibpo"
    ),
    weights: Annotated[
        Path | None, typer.Option(help="Embedded weights to start from; else the shipped ones.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="Hugging Face model directory; else the embedded model.")
    ] = None,
    tasks: Annotated[
        Path | None, typer.Option(help='JSONL with "question" and "answer", for --model.')
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps of the optimizer; else 800, or 100 with --model.")
    ] = None,
    processes: Annotated[
        int, typer.Option(min=1, help="For the embedded model; --model runs under accelerate launch.")
    ] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Seed of problems and draws.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object: weights.")] = False,
) -> None:
    """Train a model to choose by itself when to think, under a share of thinking (IBPO)."""
    _need("torch", "scipy", *(("transformers", "accelerate") if model else ()))
    wanted = share / 100 if constraint else None
    if model is None:
        if tasks is not None:
            raise ConfigurationError("--tasks belongs to --model; the embedded model makes its own problems.")
        config = _embedded_config(directory, weights, wanted, seed)
        folder = _embedded(replace(config, processes=processes), steps)
    else:
        folder = _directory(wanted, directory, (model, tasks), steps, seed)
    typer.echo(json.dumps({"weights": str(folder)}) if as_json else f"Weights: {folder}")


def _need(*modules: str) -> None:
    for module in modules:
        if find_spec(module) is None:
            raise MissingExtraError(
                f'Training needs {module}: pip install "adaptive-reasoner[train]" installs the extra "train".'
            )


def _embedded_config(directory: Path, weights: Path | None, share: float | None, seed: int) -> "IbpoConfig":
    from adaptive_reasoner.training.ibpo.config import IbpoConfig

    if weights is not None and not (weights / "model.npz").is_file():
        raise ConfigurationError(f"{weights} holds no model.npz; give a folder that `train` wrote.")
    return IbpoConfig(directory=directory, weights=weights, share=share, seed=seed)


def _embedded(config: "IbpoConfig", steps: int | None) -> Path:
    from adaptive_reasoner.training.ibpo.embedded import train_embedded
    from adaptive_reasoner.training.ibpo.thresholds import write_thresholds

    folder = train_embedded(config if steps is None else replace(config, steps=steps))
    write_thresholds(folder)
    return folder


def _directory(
    share: float | None, directory: Path, paths: tuple[Path, Path | None], steps: int | None, seed: int
) -> Path:
    from adaptive_reasoner.training.ibpo.directory import DirectoryConfig, train_directory

    model, tasks = paths
    if tasks is None:
        raise ConfigurationError('--model needs --tasks: a JSONL file with "question" and "answer".')
    config = DirectoryConfig(model=model, tasks=tasks, directory=directory, share=share, seed=seed)
    return train_directory(config if steps is None else replace(config, rounds=steps))
