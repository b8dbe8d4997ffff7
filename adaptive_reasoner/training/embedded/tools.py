"""Trains the tool mode: a low-rank change of the shipped weights, which stay as they are; resumable.

python -m adaptive_reasoner.training.embedded.tools --directory runs/tools --processes 3 --minutes 25
"""

import argparse
import platform
from collections.abc import Sequence
from pathlib import Path

import torch

import adaptive_reasoner
from adaptive_reasoner.embedded.problems import generate
from adaptive_reasoner.embedded.tool_weights import about_change
from adaptive_reasoner.embedded.weights import read_weights
from adaptive_reasoner.training.embedded.export import load_exported
from adaptive_reasoner.training.embedded.tool_batches import ToolStream
from adaptive_reasoner.training.embedded.tool_export import export_tools
from adaptive_reasoner.training.embedded.tool_stage import ToolConfig, ToolRun
from adaptive_reasoner.training.processes import run_in_step

_SHIPPED = Path(adaptive_reasoner.__file__).parent / "embedded" / "weights"
_EVALUATION_SEED = 21


def train_tools(config: ToolConfig) -> Path:
    """Train and export the change; goes on where an earlier run stopped.

    Args:
        config: settings.

    Returns:
        The folder with tools.npz and tools.json.
    """
    config.directory.mkdir(parents=True, exist_ok=True)
    run_in_step(_work, config, config.processes, config.seed)
    return config.weights or config.directory


def _work(rank: int, config: ToolConfig) -> None:
    stream = ToolStream(f"{config.seed}:tools:{rank}", config.mixture, config.rows)
    run = ToolRun(config, load_exported(config.base), stream)
    run.run(list(generate("calibration", config.evaluated, seed=_EVALUATION_SEED)))
    if rank == 0:
        export_tools(run.adapter, config.weights or config.directory, provenance(run))


def provenance(run: ToolRun) -> dict[str, object]:
    """How the change came about, and on which weights."""
    config = run.config
    earlier = {} if config.start is None else {"started_from": about_change(config.start)["provenance"]}
    return {
        "command": f"python -m adaptive_reasoner.training.embedded.tools --processes {config.processes}"
        f" --minutes {config.minutes:g} --rank {config.rank} --rate {config.rate:g} --seed {config.seed}",
        "base": read_weights(config.base).fingerprint,
        "seed": config.seed,
        "processes": config.processes,
        "steps": run.step,
        "tokens": run.tokens,
        "minutes": round(run.seconds / 60, 1),
        "torch": torch.__version__,
        "machine": platform.machine(),
        **earlier,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, export and say where the files are."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--directory", type=Path, required=True, help="checkpoint and log; a run resumes")
    parser.add_argument("--base", type=Path, default=_SHIPPED, help="folder with model.npz and model.json")
    parser.add_argument(
        "--weights", type=Path, help="folder for tools.npz and tools.json (default: --directory)"
    )
    parser.add_argument("--start", type=Path, help="folder with the change to begin with")
    parser.add_argument("--minutes", type=float, default=25.0)
    parser.add_argument("--steps", type=int, help="end after so many steps instead")
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--rate", type=float, default=8e-3)
    parser.add_argument("--seed", type=int, default=0)
    folder = train_tools(ToolConfig(**vars(parser.parse_args(arguments))))
    print(f"written: {folder}")


if __name__ == "__main__":
    main()
