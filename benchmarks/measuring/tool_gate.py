"""What a gate on tool calls does: wrong ones stopped, right ones let through, by threshold, step count and family."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from embedded_measures import wilson
from measuring.auroc import Resampled, with_interval
from numpy.typing import NDArray

from adaptive_reasoner.embedded.problems import Problem
from adaptive_reasoner.gate.features import FEATURES
from adaptive_reasoner.training.embedded.tool_calls import Call

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_RESAMPLES = 1000
# Signals that need no calibration, each so that higher means riskier.
_PLAIN: dict[str, Callable[[Call], float]] = {
    "entropy of all values": lambda call: FEATURES["entropy_sum"](call.signal),
    "highest entropy": lambda call: FEATURES["max_span_entropy"](call.signal),
    "mean entropy": lambda call: FEATURES["mean_entropy"](call.signal),
    "1 - least probability": lambda call: -FEATURES["min_probability"](call.signal),
    "- log probability": lambda call: -FEATURES["sequence_logprob"](call.signal),
    "length": lambda call: FEATURES["token_count"](call.signal),
}


@dataclass(frozen=True, slots=True)
class Judged:
    """Calls of one mode with their risks, shape (n,), and what became of them."""

    problems: Sequence[Problem]
    calls: Sequence[Call]
    risk: Floats
    wrong: Flags

    def take(self, rows: Flags) -> "Judged":
        """Those of `rows`."""
        kept = np.flatnonzero(rows)
        return Judged(
            [self.problems[index] for index in kept],
            [self.calls[index] for index in kept],
            self.risk[rows],
            self.wrong[rows],
        )


def judge(problems: Sequence[Problem], calls: Sequence[Call], risk_of: Callable[[Call], float]) -> Judged:
    """Every call with its risk; answers in words, which call nothing, are left out."""
    made = [(problem, call) for problem, call in zip(problems, calls, strict=True) if call.formula]
    return Judged(
        [problem for problem, _ in made],
        [call for _, call in made],
        np.array([risk_of(call) for _, call in made]),
        np.array([not call.is_right for _, call in made]),
    )


def shares(judged: Judged, stopped: Flags) -> dict[str, Any]:
    """Wrong calls stopped and right ones let through, and how many of those that run are wrong."""
    runs = ~stopped
    return {
        "calls": len(judged.wrong),
        "wrong": share(judged.wrong.sum(), len(judged.wrong)),
        "wrong_stopped": share((stopped & judged.wrong).sum(), judged.wrong.sum()),
        "right_let_through": share((runs & ~judged.wrong).sum(), (~judged.wrong).sum()),
        "stopped": share(stopped.sum(), len(stopped)),
        "wrong_among_run": share((runs & judged.wrong).sum(), runs.sum()),
    }


def share(count: int, of: int) -> dict[str, Any]:
    """A share with its 95 % interval."""
    return {**wilson(int(count), int(of)), "count": int(count)}


def ranking(judged: Judged) -> dict[str, dict[str, float]]:
    """AUROC for "wrong" of the calibrated risk and of plain signals, with bootstrap intervals."""
    rows = np.arange(len(judged.wrong))
    resampled = Resampled.draw(len(rows), _RESAMPLES, seed=0)
    scores = {"calibrated risk": judged.risk}
    scores |= {name: np.array([read(call) for call in judged.calls]) for name, read in _PLAIN.items()}
    scores["steps (known to nobody)"] = np.array([float(problem.level) for problem in judged.problems])
    return {name: with_interval(resampled.auroc(rows, score, judged.wrong)) for name, score in scores.items()}


def thresholds(calibration: Judged, wanted: Sequence[float]) -> dict[float, float]:
    """Share of right calls to let through -> the risk up to which a call runs, on other problems than are judged."""
    right = calibration.risk[~calibration.wrong]
    return {share: float(np.quantile(right, share)) for share in wanted}


def by_group(judged: Judged, stopped: Flags) -> dict[str, dict[str, Any]]:
    """The shares for each step count and family."""
    groups: dict[str, list[bool]] = {}
    for level in range(1, 7):
        name = "1 step" if level == 1 else f"{level} steps"
        groups[name] = [problem.level == level for problem in judged.problems]
    for family in sorted({problem.family for problem in judged.problems}):
        groups[family] = [problem.family == family for problem in judged.problems]
    return {
        name: shares(judged.take(np.array(rows)), stopped[np.array(rows)]) for name, rows in groups.items()
    }


def curve(judged: Judged) -> list[tuple[float, float]]:
    """(share of right calls let through, share of wrong calls stopped) at every threshold."""
    order = np.argsort(judged.risk, kind="stable")
    wrong = judged.wrong[order]
    through = np.concatenate([[0.0], np.cumsum(~wrong) / max((~wrong).sum(), 1)])
    stopped = 1 - np.concatenate([[0.0], np.cumsum(wrong) / max(wrong.sum(), 1)])
    kept = np.unique(np.linspace(0, len(through) - 1, 400).astype(int))
    return [(float(through[index]), float(stopped[index])) for index in kept]


def draw(curves: dict[str, list[tuple[float, float]]], points: dict[str, dict[str, Any]], path: Path) -> None:
    """The curves and the shipped operating points as a picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 5), dpi=140, layout="constrained")
    axes: Any = figure.subplots()
    for (name, line), colour, dash in zip(curves.items(), ("#0072B2", "#D55E00"), ("-", "--"), strict=False):
        x, y = zip(*line, strict=True)
        axes.plot(100 * np.array(x), 100 * np.array(y), color=colour, linestyle=dash, label=name)
    for (name, point), marker in zip(points.items(), "*os^", strict=False):
        x, y = point["right_let_through"]["share"], point["wrong_stopped"]["share"]
        axes.plot(
            [100 * x], [100 * y], marker=marker, linestyle="none", markersize=11, color="black", label=name
        )
    axes.plot([100, 0], [0, 100], color="grey", linewidth=1, label="asking at random")
    axes.set(
        xlabel="right calls let through, %", ylabel="wrong calls stopped, %", xlim=(0, 101), ylim=(0, 101)
    )
    axes.grid(alpha=0.25)
    axes.legend(fontsize=8, loc="lower left")
    figure.savefig(path)
