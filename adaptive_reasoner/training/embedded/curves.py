"""Plots the loss and the accuracy of a run from its log."""

import json
from pathlib import Path
from typing import Any


def plot_curves(directory: Path) -> Path:
    """Draw `curves.png` beside `log.jsonl`: loss by minutes, accuracy by minutes.

    Returns:
        The path of the picture.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    lines = (directory / "log.jsonl").read_text(encoding="utf-8").splitlines()
    entries = _in_one_clock([json.loads(line) for line in lines])
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    loss, accuracy = figure.subplots(1, 2)
    steps = [entry for entry in entries if "loss" in entry]
    loss.plot([e["minutes"] for e in steps], [e["loss"] for e in steps], linewidth=0.8)
    loss.set(xlabel="minutes", ylabel="loss (nats a token)", yscale="log")
    for mode in ("fast", "deep"):
        points = [entry for entry in entries if entry.get("mode") == mode]
        minutes = [entry["minutes"] for entry in points]
        accuracy.plot(minutes, [e["accuracy"]["all"] for e in points], marker=".", label=mode)
    accuracy.set(xlabel="minutes", ylabel="accuracy (calibration split)", ylim=(0, 1))
    accuracy.legend()
    path = directory / "curves.png"
    figure.savefig(path, dpi=120)  # pyright: ignore[reportUnknownMemberType]
    return path


def _in_one_clock(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Let each stage's minutes start where the stage before ended."""
    start: dict[str, float] = {}
    latest = 0.0
    shifted: list[dict[str, Any]] = []
    for entry in entries:
        begin = start.setdefault(entry["stage"], latest)
        latest = max(latest, begin + entry["minutes"])
        shifted.append({**entry, "minutes": begin + entry["minutes"]})
    return shifted
