"""The loss of a student's training as a picture."""

import json
from pathlib import Path
from typing import Any


def plot_loss(directory: Path) -> Path:
    """Draw `curves.png` from log.jsonl; a step that was repeated after a stop counts once."""
    from matplotlib.figure import Figure

    lines = (directory / "log.jsonl").read_text(encoding="utf-8").splitlines()
    entries: dict[int, dict[str, Any]] = {entry["step"]: entry for entry in map(json.loads, lines)}
    figure = Figure(figsize=(5, 3.4), layout="constrained")
    axes: Any = figure.add_subplot()
    axes.plot(list(entries), [entry["loss"] for entry in entries.values()], linewidth=0.8)
    axes.set(xlabel="step", ylabel="loss (nats a token)", yscale="log")
    path = directory / "curves.png"
    figure.savefig(path, dpi=120)  # pyright: ignore[reportUnknownMemberType]
    return path
