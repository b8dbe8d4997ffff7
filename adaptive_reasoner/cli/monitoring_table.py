"""Draws the report on recorded runs; what is not known is shown as unknown, never as fine."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from adaptive_reasoner.cli.figures_table import day_and_minute, figures_table

Figures = Mapping[str, Any]
UNKNOWN = "unknown"


def show_report(figures: Figures, console: Console) -> None:
    """Print the whole report."""
    console.print(_head(figures), style="bold", soft_wrap=True)
    for line in _lines(figures):
        console.print(line, soft_wrap=True)
    console.print(_risks(figures["risk"]))
    console.print(_routes(figures))
    console.print(_windows(figures["windows"]))
    _show_list(console, "Notes:", figures["notes"])
    if not figures["advice"]:
        console.print(_nothing_to_refit(figures), style="bold", soft_wrap=True)
    for one in figures["advice"]:
        console.print(f"{one['kind'].capitalize()}: {one['part']}", style="bold", soft_wrap=True)
        console.print(f"  {one['why']}", soft_wrap=True)
        console.print(f"  {one['how']}", soft_wrap=True)


def _head(figures: Figures) -> str:
    model = figures["model"] or "an unnamed model"
    return f"{figures['runs']} runs of {model}, {figures['labelled']} labelled, {figures['from']} to {figures['until']}"


def _lines(figures: Figures) -> list[str]:
    thinking, accepted, spend = figures["thinking"], figures["accepted"], figures["spend"]
    verdicts = ", ".join(f"{name} {count}" for name, count in figures["verdicts"].items())
    promised = "" if accepted["max_error"] is None else f": at most {accepted['max_error']:.1%}"
    limits = [_limit(one) for one in spend["budget"]["limits"]]
    shared = [_account(one) for one in spend["budget"]["accounts"]]
    stops = [f"stopped by {name}: {count}" for name, count in spend["budget"]["stopped"].items()]
    return [
        f"Thought: {_rate(thinking['share'])} ({thinking['status']}); refined: {_rate(thinking['refined'])}",
        f"Ended with: {verdicts}",
        f"Wrong: {_rate(figures['error'])}",
        f"Accepted: {_rate(accepted['share'])}",
        f"Wrong of the accepted: {_rate(accepted['error'])} ({accepted['status']}{promised})",
        f"Tokens: {spend['tokens']['total']:.0f}, a run {_spread(spend['tokens'], 0)}; {_money(spend['usd'])}",
        f"Model calls a run: {_spread(spend['calls'], 1)}",
        f"Budgets: {spend['budget']['runs_under_one']} runs under one",
        *(f"  {line}" for line in (*limits, *shared, *stops)),
        f"Seconds of model calls a run: {_spread(figures['latency_seconds'], 2)}",
        *(_drift(name, watch) for name, watch in figures["drift"].items()),
        *(
            f"Skipped: {count} {name.replace('_', ' ')}"
            for name, count in figures["skipped"].items()
            if count
        ),
    ]


def _risks(risk: Mapping[str, Figures]) -> Table:
    table = figures_table("mode", "answers", "labelled", "predicted wrong", "wrong", "risk is")
    for mode, known in risk.items():
        if known["answers"]:
            counts = (str(known["answers"]), str(known["labelled"]))
            table.add_row(mode, *counts, _share(known["predicted"]), _rate(known["wrong"]), known["status"])
    return table


def _routes(figures: Figures) -> Table:
    table = figures_table(
        "triage by", "runs", "think first", "thought", "wrong", "fast wrong: predicted", "was"
    )
    estimators = {one["source"]: one for one in figures["estimators"]}
    for one in figures["routes"]:
        known = estimators.get(one["source"])
        predicted = (
            (_share(known["predicted"]), f"{_mean(known['wrong'])} {known['status']}") if known else ("", "")
        )
        counts = (str(one["runs"]), str(one["began_thinking"]))
        table.add_row(one["source"], *counts, _mean(one["thought"]), _mean(one["error"]), *predicted)
    return table


def _windows(windows: Sequence[Figures]) -> Table:
    table = figures_table("from", "runs", "thought", "wrong", "accepted wrong", "their risk", "tokens")
    for one in windows:
        table.add_row(
            day_and_minute(one["from"]),
            str(one["runs"]),
            _mean(one["thinking"]),
            _mean(one["error"]),
            _mean(one["accepted_error"]),
            _share(one["accepted_risk"]),
            f"{one['spend']['tokens']['mean']:.0f}",
        )
    return table


def _nothing_to_refit(figures: Figures) -> str:
    if not figures["labelled"]:
        return "What to fit anew is unknown: no run is labelled."
    return "The labels speak against no rule, estimator or profile."


def _drift(name: str, watch: Figures | None) -> str:
    if watch is None:
        return f"Rate of {name} over time: {UNKNOWN}"
    verdict = "DRIFT" if watch["is_drift"] else "no drift"
    return (
        f"Rate of {name}: {_share(watch['observed'])}, expected {watch['expected']:.1%} "
        f"({watch['expected_from']}): {verdict}"
    )


def _rate(known: Figures) -> str:
    if known["mean"] is None:
        return UNKNOWN
    return f"{known['mean']:.1%} [{known['low']:.1%}, {known['high']:.1%}]"


def _mean(known: Figures) -> str:
    return _share(known["mean"])


def _share(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.1%}"


def _spread(known: Figures, digits: int) -> str:
    return (
        f"{known['mean']:.{digits}f} (median {known['p50']:.{digits}f}, 95 % below {known['p95']:.{digits}f})"
    )


def _money(usd: Figures) -> str:
    known = f"{usd['known_total']:.4f} USD"
    return (
        f"{known} and {usd['runs_of_unknown_cost']} runs of unknown cost"
        if usd["runs_of_unknown_cost"]
        else known
    )


def _limit(limit: Figures) -> str:
    used = f"{limit['mean_share']:.0%} used on average, {limit['most_share']:.0%} at most"
    return f"{limit['limit']} {limit['value']:g}: {used}"


def _account(one: Figures) -> str:
    used = UNKNOWN if one["used"] is None else f"{one['used']:g}"
    return f"{one['account']}: {used} of {one['limit']} {one['value']:g}"


def _show_list(console: Console, title: str, lines: Sequence[str]) -> None:
    if lines:
        console.print(title, style="bold")
    for line in lines:
        console.print(f"- {line}", soft_wrap=True)
