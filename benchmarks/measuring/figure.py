"""The frontier as a picture: accuracy against generated tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Okabe and Ito's palette, which every kind of colour vision tells apart; markers and dashes say the same again.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1)), (0, (1, 1)))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn; every point is (tokens, accuracy).

    Attributes:
        curves: methods with a parameter.
        points: single operating points.
        shipped: the shipped operating point.
        target: the accuracy at which savings are compared.
        title: a line above.
    """

    curves: Mapping[str, Sequence[tuple[float, float]]]
    points: Mapping[str, tuple[float, float]]
    shipped: tuple[float, float]
    target: float
    title: str


def draw(picture: Picture, path: Path) -> None:
    """Write the picture as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5.6), dpi=150, layout="constrained")
    axes: Any = figure.subplots()
    for index, (name, line) in enumerate(picture.curves.items()):
        x, y = zip(*line, strict=True)
        colour, dash = _COLOURS[index % len(_COLOURS)], _DASHES[index % len(_DASHES)]
        axes.plot(x, [100 * a for a in y], color=colour, linestyle=dash, linewidth=2, label=name)
    for index, (name, (x, y)) in enumerate(picture.points.items()):
        marker = _MARKERS[index % len(_MARKERS)]
        colour = _COLOURS[(index + 3) % len(_COLOURS)]
        axes.plot([x], [100 * y], marker=marker, color=colour, linestyle="none", markersize=8, label=name)
    x, y = picture.shipped
    axes.plot([x], [100 * y], marker="*", color="#D55E00", markeredgecolor="black", markersize=17,
              linestyle="none", label="shipped setting", zorder=5)  # fmt: skip
    axes.axhline(100 * picture.target, color="grey", linewidth=1)
    axes.annotate("always deep - 0.5 points", (0.01, 100 * picture.target), xycoords=("axes fraction", "data"),
                  ha="left", va="bottom", color="grey", fontsize=9)  # fmt: skip
    axes.set_xlabel("generated tokens per problem (thoughts included)")
    axes.set_ylabel("right answers, %")
    axes.set_title(picture.title, fontsize=11)
    axes.grid(alpha=0.25)
    axes.legend(fontsize=8, loc="lower right", handlelength=3)
    figure.savefig(path)
