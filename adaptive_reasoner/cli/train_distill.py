"""`adaptive-reasoner train distill`: a student that answers first where it can and thinks first where it must."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adaptive_reasoner.cli.needed import need
from adaptive_reasoner.errors import ConfigurationError

if TYPE_CHECKING:
    from adaptive_reasoner.decoding.order_texts import Order


class Orders(StrEnum):
    """Which orders a student learns."""

    BOTH = "both"
    THINK_FIRST = "think_first"
    ANSWER_FIRST = "answer_first"


class StudentSize(StrEnum):
    """Sizes of students that are made from scratch."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class PerceptionKind(StrEnum):
    """What chooses the order."""

    HEAD = "head"
    SOFT_PROMPT = "soft_prompt"


def distill(  # noqa: PLR0913, PLR0917 - a command's options are its parameters
    data: Annotated[Path, typer.Argument(help="Dataset folder, from `train dataset`.")],
    directory: Annotated[
        Path, typer.Option(help="Receives the student, log and curves; run the command again to resume.")
    ] = Path("checkpoints/student"),
    model: Annotated[
        str | None,
        typer.Option(help="Hugging Face folder to start from; else a student of the embedded architecture."),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="Embedded weights to start from; else from scratch, in --size.")
    ] = None,
    size: Annotated[
        StudentSize, typer.Option(help="0.26, 0.64 or 2.1 million parameters.")
    ] = StudentSize.SMALL,
    orders: Annotated[Orders, typer.Option(help="What is learned; perception needs both.")] = Orders.BOTH,
    perception: Annotated[
        PerceptionKind, typer.Option(help="What chooses the order, with --model.")
    ] = PerceptionKind.HEAD,
    lora: Annotated[int, typer.Option(min=0, help="Rank of an adapter, with --model; 0 trains all.")] = 0,
    weighted: Annotated[
        bool, typer.Option("--weighted/--unweighted", help="Let hard examples weigh more.")
    ] = True,
    steps: Annotated[int, typer.Option(min=1, help="Of the optimizer; --model goes by --epochs.")] = 3000,
    epochs: Annotated[float, typer.Option(min=0.01, help="Passes over the data, with --model.")] = 1.0,
    learning_rate: Annotated[float, typer.Option(min=0, help="With --model.")] = 1e-4,
    processes: Annotated[
        int, typer.Option(min=1, help="Of the embedded architecture; --model runs under accelerate launch.")
    ] = 1,
    tolerance: Annotated[
        float, typer.Option(min=0, max=1, help="Accuracy the adaptive order may lose against thinking first.")
    ] = 0.005,
    seed: Annotated[int, typer.Option(min=0, help="Seed of weights, order of examples and draws.")] = 0,
    compile_blocks: Annotated[
        bool,
        typer.Option(
            "--compile/--no-compile", help="Fuse operations, without --model; needs a C++ compiler."
        ),
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object: student.")] = False,
) -> None:
    """Distil worked answers into a student (adaptive thinking); every model that can be fine-tuned will do."""
    need("torch", "matplotlib", *(("transformers", "accelerate", "peft") if model else ()))
    learned: tuple[Order, ...] = ("think_first", "answer_first")
    if orders is not Orders.BOTH:
        learned = ("think_first",) if orders is Orders.THINK_FIRST else ("answer_first",)
    shared: dict[str, Any] = {
        "data": data, "directory": directory, "orders": learned, "weighted": weighted, "seed": seed,
        "tolerance": tolerance,
    }  # fmt: skip
    if model is None:
        folder = _embedded(
            {
                **shared,
                "weights": weights,
                "size": size.value,
                "steps": steps,
                "processes": processes,
                "compile": compile_blocks,
            }
        )
    elif weights is not None:
        raise ConfigurationError(
            "--weights belongs to the embedded architecture; --model starts from its folder."
        )
    else:
        own = {
            "lora_rank": lora,
            "epochs": epochs,
            "learning_rate": learning_rate,
            "perception": perception.value,
        }
        folder = _directory({**shared, **own, "model": model})
    typer.echo(json.dumps({"student": str(folder)}) if as_json else f"Student: {folder}")


def _embedded(settings: dict[str, Any]) -> Path:
    from adaptive_reasoner.training.distill.config import StudentConfig
    from adaptive_reasoner.training.distill.embedded_student import train_student

    weights: Path | None = settings["weights"]
    if weights is not None and not (weights / "model.npz").is_file():
        raise ConfigurationError(f"{weights} holds no model.npz; give a folder that `train` wrote.")
    return train_student(StudentConfig(**settings))


def _directory(settings: dict[str, Any]) -> Path:
    from adaptive_reasoner.training.distill.directory import DirectoryStudentConfig, train_directory_student

    return train_directory_student(DirectoryStudentConfig(**settings))
