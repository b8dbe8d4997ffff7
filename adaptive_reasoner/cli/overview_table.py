"""Draws the overview of a trace store; what is not known is shown as unknown, never as fine."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from adaptive_reasoner.cli.figures_table import day_and_minute, figures_table

Figures = Mapping[str, Any]
UNKNOWN = "unknown"
_MOST_WINDOWS = 14  # the newest; --json and --html have them all
_MOST_QUESTIONS = 3  # of a kind
_LONGEST_QUESTION = 90  # characters
WORST_TITLES = {
    "sure_and_wrong": "Wrong, and passed for sure",
    "contradicted_by_its_rationale": "Contradicted by its own rationale",
    "most_doubted": "Most in doubt, and not labelled",
    "most_tokens": "Took the most tokens",
}


def show_overview(overview: Figures, console: Console) -> None:
    """Print the whole overview."""
    if not overview["runs"]:
        console.print("The store holds no run.", style="bold")
        return
    head = f"All {overview['runs']} runs, {overview['labelled']} labelled, {overview['from']} to {overview['until']}"
    console.print(head, style="bold", soft_wrap=True)
    for line in _lines(overview):
        console.print(line, soft_wrap=True)
    console.print(_windows(overview["windows"][-_MOST_WINDOWS:]))
    for title, name in (("triage by", "triage"), ("model", "models"), ("tenant", "tenants")):
        if len(overview[name]) > 1 or name == "triage":
            console.print(_groups(title, overview[name]))
    _show_worst(overview["worst"], console)
    console.print()


def _lines(overview: Figures) -> list[str]:
    triggers, calibration, spend = overview["triggers"], overview["calibration"], overview["spend"]
    rationale, tokens, seconds = overview["rationale"], overview["tokens"], overview["milliseconds"]
    stops = ", ".join(f"{name} {count}" for name, count in overview["stopped_by"].items())
    return [
        f"Thought: {rate(overview['thinking'])}; wrong: {rate(overview['error'])}",
        "Triggered: "
        + ", ".join(f"{name.replace('_', ' ')} {share(one['mean'])}" for name, one in triggers.items()),
        *([f"Stopped by: {stops}"] if stops else []),
        f"Calibration: predicted wrong {share(calibration['predicted'])}, were wrong {rate(calibration['wrong'])}",
        (
            f"Rationale agreed: {rate(rationale['agreed'])} of "
            f"{rationale['agreed']['trials']} checked; wrong where it did "
            f"{rate(rationale['error_where_agreed'])}, where it did not {rate(rationale['error_where_not'])}"
        ),
        (
            f"Tokens: {spend['total_tokens']}, a run {tokens['mean']:.0f} (median {tokens['p50']:.0f}, 95 % up to "
            f"{tokens['p95']:.0f}); {money(spend)}"
        ),
        (
            f"Seconds of model calls a run: {seconds['mean'] / 1e3:.2f} (median {seconds['p50'] / 1e3:.2f}, 95 % up to "
            f"{seconds['p95'] / 1e3:.2f})"
        ),
    ]


def _windows(windows: Sequence[Figures]) -> Table:
    table = figures_table(
        "from",
        "runs",
        "thought",
        "refined",
        "review",
        "predicted wrong",
        "wrong",
        "agreed",
        "tokens a run",
        "USD",
    )
    for one in windows:
        triggers, calibration = one["triggers"], one["calibration"]
        table.add_row(
            day_and_minute(one["from"]),
            str(one["runs"]),
            share(one["thinking"]["mean"]),
            share(triggers["refined"]["mean"]),
            share(triggers["reviewed"]["mean"]),
            share(calibration["predicted"]),
            share(one["error"]["mean"]),
            share(one["rationale"]["agreed"]["mean"]),
            f"{one['spend']['total_tokens'] / one['runs']:.0f}",
            f"{one['spend']['known_usd']:.4f}",
        )
    return table


def _groups(title: str, groups: Sequence[Figures]) -> Table:
    table = figures_table(title, "runs", "thought", "wrong", "tokens a run", "USD")
    for one in groups:
        table.add_row(
            one["name"] or "unnamed",
            str(one["runs"]),
            share(one["thinking"]["mean"]),
            rate(one["error"]),
            f"{one['spend']['total_tokens'] / one['runs']:.0f}",
            f"{one['spend']['known_usd']:.4f}",
        )
    return table


def _show_worst(worst: Mapping[str, Sequence[Figures]], console: Console) -> None:
    for name, title in WORST_TITLES.items():
        if worst[name]:
            console.print(f"{title}:", style="bold")
        for one in worst[name][:_MOST_QUESTIONS]:
            known = [f"risk {share(one['risk'])}", f"{one['total_tokens']} tokens", one["run_id"][:8]]
            console.print(
                f"- {_question(one)} ({', '.join(known)})", soft_wrap=True, markup=False, highlight=False
            )


def _question(one: Figures) -> str:
    if one["question"] is None:
        return "(its texts were pruned)"
    text = " ".join(one["question"].split())
    return text if len(text) <= _LONGEST_QUESTION else f"{text[: _LONGEST_QUESTION - 1]}…"


def rate(known: Figures) -> str:
    """A share with its 95 % interval."""
    if known["mean"] is None:
        return UNKNOWN
    return f"{known['mean']:.1%} [{known['low']:.1%}, {known['high']:.1%}]"


def share(value: float | None) -> str:
    """A share in per cent."""
    return UNKNOWN if value is None else f"{value:.1%}"


def money(spend: Figures) -> str:
    """What is known of the cost, and of how many runs it is not."""
    missing = spend["runs_of_unknown_cost"]
    known = f"{spend['known_usd']:.4f} USD"
    return f"{known} and {missing} runs of unknown cost" if missing else known
