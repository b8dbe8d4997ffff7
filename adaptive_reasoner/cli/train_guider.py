"""`adaptive-reasoner train guider`: tunes a small model so that it guides a larger one better (THINKLOGIT-DPO)."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adaptive_reasoner.errors import MissingExtraError

if TYPE_CHECKING:
    from adaptive_reasoner.training.guider.config import GuiderConfig


def guider(  # noqa: PLR0913, PLR0917 - a command's options are its parameters
    tasks: Annotated[
        Path, typer.Argument(help='JSONL with "prompt" and "answer", gzipped if it ends in .gz.')
    ],
    guider: Annotated[str, typer.Option(help="Hugging Face folder of the model that is tuned.")],
    directory: Annotated[
        Path, typer.Option(help="Receives the tuned model, log and curves; run the command again to resume.")
    ],
    target: Annotated[str | None, typer.Option(help="Folder of the larger model that it will guide.")] = None,
    objective: Annotated[
        str, typer.Option(help="dpo: right over wrong answers; sft: right answers alone.")
    ] = "dpo",
    sources: Annotated[
        str,
        typer.Option(
            help="Whose answers are paired: mixed, target, guider, or guided (the guided target's)."
        ),
    ] = "mixed",
    policy: Annotated[
        str,
        typer.Option(help="Whose probabilities DPO moves: the guider's own, or guided: the guided target's."),
    ] = "guider",
    base: Annotated[
        str | None, typer.Option(help="The guider before it was tuned to think; needed for guided.")
    ] = None,
    alpha: Annotated[float, typer.Option(help="Strength of guidance, for guided.")] = 1.0,
    samples: Annotated[int, typer.Option(help="Answers drawn to a prompt by each model.")] = 4,
    samples_dir: Annotated[
        Path | None, typer.Option(help="Keeps the answers, for several runs; else the directory's samples/.")
    ] = None,
    max_tokens: Annotated[int, typer.Option(help="The longest answer.")] = 512,
    temperature: Annotated[float, typer.Option(help="At which answers are drawn.")] = 1.0,
    pairs: Annotated[int, typer.Option(help="At most so many pairs.")] = 10_000,
    rank: Annotated[int, typer.Option(help="Of LoRA.")] = 64,
    beta: Annotated[float, typer.Option(help="How closely DPO keeps to the guider before tuning.")] = 0.1,
    learning_rate: Annotated[float, typer.Option(help="Falls linearly to 0.")] = 1e-5,
    rows: Annotated[int, typer.Option(help="Pairs a step and process.")] = 16,
    epochs: Annotated[float, typer.Option(help="Passes over the pairs.")] = 1.0,
    prompt_column: Annotated[str, typer.Option(help="Of the prompt in TASKS.")] = "prompt",
    answer_column: Annotated[str, typer.Option(help="Of the right answer in TASKS.")] = "answer",
    seed: Annotated[int, typer.Option(help="Of draws, pairs and training.")] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object: guider and its account.")
    ] = False,
) -> None:
    """Tune a guider on right over wrong answers of the target and of itself (THINKLOGIT-DPO)."""
    for module in ("torch", "transformers", "accelerate", "peft", "trl", "matplotlib"):
        if find_spec(module) is None:
            raise MissingExtraError(
                f'Training needs {module}: pip install "adaptive-reasoner[train]" installs the extra "train".'
            )
    from adaptive_reasoner.training.guider.config import GuiderConfig, SamplingConfig

    sampling = SamplingConfig(
        tasks=tasks, guider=guider, target=target, directory=samples_dir or directory / "samples",
        samples=samples, temperature=temperature, max_tokens=max_tokens, prompt_column=prompt_column,
        answer_column=answer_column, seed=seed, base=base, alpha=alpha,
    )  # fmt: skip
    config = GuiderConfig(
        sampling=sampling, directory=directory, objective=objective, sources=sources,  # pyright: ignore[reportArgumentType]
        pairs=pairs, rank=rank, beta=beta, learning_rate=learning_rate, rows=rows, epochs=epochs, seed=seed,
        policy=policy,  # pyright: ignore[reportArgumentType]
    )  # fmt: skip
    _train(config, as_json=as_json)


def _train(config: "GuiderConfig", *, as_json: bool) -> None:
    from adaptive_reasoner.training.guider.train import ABOUT, train_guider

    folder = train_guider(config)
    if not (folder / ABOUT).is_file():
        return  # not the main process of several, which may still be writing
    account = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    typer.echo(
        json.dumps({"guider": str(folder), **account})
        if as_json
        else f"Guider: {folder} ({account['rows']} rows)"
    )
