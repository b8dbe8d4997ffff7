"""Plots as inline SVG: without library or network, in the page's colours, and said in words for who cannot see them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 520, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 14, 34
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a plot.

    Attributes:
        name: for the legend.
        values: n values over time; None where nothing is known, which leaves a gap.
        low, high: the 95 % interval of each value, drawn as a band; empty for none.
    """

    name: str
    values: Sequence[float | None]
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()


@dataclass(frozen=True, slots=True)
class Plot:
    """What is drawn.

    Attributes:
        title: what it shows, in words.
        labels: n texts below the axis; the first, the middle and the last are written.
        lines: at most four, told apart by colour and by dashes.
        unit: "%" shows shares, any other text stands behind the numbers.
    """

    title: str
    labels: Sequence[str]
    lines: Sequence[Line]
    unit: str = "%"


def draw(plot: Plot, identity: str) -> str:
    """The plot as an SVG element whose title and description a screen reader reads.

    Args:
        plot: what to draw.
        identity: unique in its page.
    """
    top = _nice_top(
        [value for line in plot.lines for value in (*line.values, *line.high) if value is not None]
    )
    if plot.unit == "%":
        top = min(top, 1.0)
    parts = [_axes(plot, top)]
    if not any(value is not None for line in plot.lines for value in line.values):
        parts.append(
            f'<text class="tick" x="{_WIDTH / 2}" y="{_HEIGHT / 2}" text-anchor="middle">unknown</text>'
        )
    for number, line in enumerate(plot.lines):
        parts.extend([_band(line, number, top), _polyline(line, number, top)])
    return (
        f'<strong aria-hidden="true">{escape(plot.title)}</strong>'
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-labelledby="{identity}-t {identity}-d">'
        f'<title id="{identity}-t">{escape(plot.title)}</title>'
        f'<desc id="{identity}-d">{escape(describe(plot))}</desc>{"".join(parts)}</svg>{_legend(plot)}'
    )


def describe(plot: Plot) -> str:
    """The plot in words: each line's first and last value, and its extremes."""
    said: list[str] = []
    for line in plot.lines:
        known = [value for value in line.values if value is not None]
        if known:
            ends = f"from {shown(known[0], plot.unit)} to {shown(known[-1], plot.unit)}"
            extremes = f"between {shown(min(known), plot.unit)} and {shown(max(known), plot.unit)}"
            said.append(f"{line.name}: {ends}, {extremes}.")
        else:
            said.append(f"{line.name}: unknown.")
    span = f"{plot.labels[0]} to {plot.labels[-1]}. " if plot.labels else ""
    return span + " ".join(said)


def draw_reliability(points: Sequence[tuple[float, float, float, float]], title: str, identity: str) -> str:
    """Predicted risks against the share that was wrong.

    Args:
        points: (predicted, wrong, low, high), each in [0, 1].
        title: what it shows.
        identity: unique in its page.
    """
    said = " ".join(
        f"Predicted {risk:.0%}, wrong {wrong:.0%} ({low:.0%} to {high:.0%})."
        for risk, wrong, low, high in points
    )
    marks: list[str] = []
    for risk, wrong, low, high in points:
        x, y = _x_share(risk), _y(wrong, 1.0)
        marks.append(
            f'<line class="s0" x1="{x:.1f}" x2="{x:.1f}" y1="{_y(low, 1.0):.1f}" y2="{_y(high, 1.0):.1f}"/>'
            f'<circle class="d0" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
        )
    ends = [f"{share:.0%}" for share in (0.0, 0.5, 1.0)]
    frame = _axes(Plot(title, ends, ()), 1.0)
    ideal = f'<line class="ideal" x1="{_LEFT}" y1="{_y(0, 1.0)}" x2="{_WIDTH - _RIGHT}" y2="{_y(1, 1.0)}"/>'
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-labelledby="{identity}-t {identity}-d">'
        f'<title id="{identity}-t">{escape(title)}</title><desc id="{identity}-d">{escape(said)}</desc>'
        f"{frame}{ideal}{''.join(marks)}</svg>"
    )


def shown(value: float | None, unit: str) -> str:
    """A number as a person reads it."""
    if value is None:
        return "unknown"
    if unit == "%":
        return f"{value:.1%}"
    digits = 0 if value >= 100 else 2 if value >= 0.1 or value == 0 else 5
    return f"{value:,.{digits}f} {unit}".strip()


def _axes(plot: Plot, top: float) -> str:
    rows: list[str] = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = _y(share * top, top)
        tick = (
            f"{share * top:.3g}" if plot.unit != "%" else f"{share * top:.3%}".rstrip("0%").rstrip(".") + "%"
        )
        rows.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="tick" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(tick)}</text>'
        )
    n = len(plot.labels)
    for index, anchor in (
        {0: "start", n // 2: "middle", n - 1: "end"}.items() if n > 2 else {0: "start"}.items()
    ):
        if n:
            x = _x(index, n)
            rows.append(
                f'<text class="tick" x="{x:.1f}" y="{_HEIGHT - 12}" text-anchor="{anchor}">'
                f"{escape(plot.labels[index])}</text>"
            )
    return "".join(rows)


def _polyline(line: Line, number: int, top: float) -> str:
    """Runs of known values, and a dot where one stands alone."""
    n, parts, run = len(line.values), list[str](), list[str]()
    for index, value in enumerate([*line.values, None]):
        if value is not None:
            run.append(f"{_x(index, n):.1f},{_y(value, top):.1f}")
            continue
        if len(run) == 1:
            x, y = run[0].split(",")
            parts.append(f'<circle class="d{number}" cx="{x}" cy="{y}" r="3"/>')
        elif run:
            parts.append(f'<polyline class="s{number}" points="{" ".join(run)}"/>')
        run = []
    return "".join(parts)


def _band(line: Line, number: int, top: float) -> str:
    n = len(line.values)
    known = [
        (_x(index, n), low, high)
        for index, (low, high) in enumerate(zip(line.low, line.high, strict=True))
        if low is not None and high is not None
    ]
    if len(known) < 2:
        return ""
    upper = [f"{x:.1f},{_y(min(high, top), top):.1f}" for x, _, high in known]
    lower = [f"{x:.1f},{_y(low, top):.1f}" for x, low, _ in reversed(known)]
    return f'<polygon class="b{number}" points="{" ".join([*upper, *lower])}"/>'


def _legend(plot: Plot) -> str:
    keys = [
        f'<span><svg class="key" viewBox="0 0 24 8" aria-hidden="true"><line class="s{number}" x1="0" x2="24" y1="4" '
        f'y2="4"/></svg>{escape(line.name)}</span>'
        for number, line in enumerate(plot.lines)
    ]
    return f'<p class="legend">{"".join(keys)}</p>'


def _x(index: int, n: int) -> float:
    return _x_share(index / (n - 1) if n > 1 else 0.5)


def _x_share(share: float) -> float:
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _y(value: float, top: float) -> float:
    return _HEIGHT - _BOTTOM - value / top * (_HEIGHT - _TOP - _BOTTOM)


def _nice_top(values: Sequence[float]) -> float:
    """The next round number above all of them."""
    largest = max(values, default=0.0)
    if largest <= 0:
        return 1.0
    unit = 10.0 ** math.floor(math.log10(largest))
    return next(step * unit for step in _STEPS if step * unit >= largest * 0.999)
