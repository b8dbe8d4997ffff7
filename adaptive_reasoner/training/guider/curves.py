"""What a run leaves of its course: log.jsonl and curves.png."""

import json
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

# What is drawn, under the names that trl logs.
_PANELS = {
    "loss": ("loss",),
    "rewards of right and wrong answers": ("rewards/chosen", "rewards/rejected"),
    "share of pairs told apart": ("rewards/accuracies",),
    "share of tokens guessed": ("mean_token_accuracy",),
}


class JsonLines(TrainerCallback):
    """Appends what the trainer logs, one JSON object a line, in the main process."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:  # noqa: ARG002
        """Write one entry."""
        if state.is_world_process_zero and logs:
            with self._path.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps({"step": state.global_step, **logs}) + "\n")


def plot_curves(directory: Path) -> Path:
    """Draw `curves.png` from log.jsonl; a step that was repeated after a stop counts once."""
    from matplotlib.figure import Figure

    lines = (directory / "log.jsonl").read_text(encoding="utf-8").splitlines()
    every: list[dict[str, Any]] = [json.loads(line) for line in lines]
    entries = list({entry["step"]: entry for entry in every if "loss" in entry}.values())
    shown = {
        title: names for title, names in _PANELS.items() if any(name in e for e in entries for name in names)
    }
    figure = Figure(figsize=(3.8 * max(1, len(shown)), 3.4), layout="constrained")
    for number, (title, names) in enumerate(shown.items(), start=1):
        axes = figure.add_subplot(1, len(shown), number)
        for name in names:
            points = [(entry["step"], entry[name]) for entry in entries if name in entry]
            axes.plot([x for x, _ in points], [y for _, y in points], label=name.rpartition("/")[2])  # pyright: ignore[reportUnknownMemberType]
        axes.set(title=title, xlabel="step")
        axes.legend(fontsize=8)  # pyright: ignore[reportUnknownMemberType]
    path = directory / "curves.png"
    figure.savefig(path, dpi=120)  # pyright: ignore[reportUnknownMemberType]
    return path
