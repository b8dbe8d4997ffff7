"""The report as one HTML page: plots, tables and questions, in light and dark, without network or script."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.traces.page_style import STYLE
from adaptive_reasoner.traces.plots import Line, Plot, draw, draw_reliability, shown

Figures = Mapping[str, Any]
_WORST = {
    "sure_and_wrong": "Wrong, and passed for sure",
    "contradicted_by_its_rationale": "Contradicted by its own rationale",
    "most_doubted": "Most in doubt, and not labelled",
    "most_tokens": "Took the most tokens",
}


def write_page(figures: Figures, path: Path) -> None:
    """Write the page, whole or not at all.

    Args:
        figures: of `traces report`, with its overview.
        path: replaced if it exists.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(page(figures), encoding="utf-8", errors="backslashreplace")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise ConfigurationError(f"Cannot write {path}: {error.strerror}.") from error


def page(figures: Figures) -> str:
    """The whole page; every text of a question, an answer or a name is escaped."""
    overview = figures["overview"]
    title = f"{overview['runs']:,} runs, {overview['from'][:10]} to {overview['until'][:10]}"
    sections = [
        _tiles(overview),
        _section("Over time", _plots(overview)),
        _section("Calibration", _calibration(overview)),
        _section("What to do", _advice(figures)),
        _section("Worst questions", _worst(overview["worst"])),
        _section("Groups", _groups(overview)),
        _section("Each window", _windows(overview["windows"])),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body><main><h1>{escape(title)}</h1>"
        f"{''.join(sections)}</main></body></html>\n"
    )


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{content}</section>\n"


def _tiles(overview: Figures) -> str:
    spend, calibration, rationale = overview["spend"], overview["calibration"], overview["rationale"]
    unknown = spend["runs_of_unknown_cost"]
    usd = "" if spend["usd_a_run"] is None else shown(spend["usd_a_run"], "USD")
    all_usd = f"of {unknown:,} runs unknown" if unknown else f"{shown(spend['known_usd'], 'USD')} in all"
    tiles = [
        (
            "Thought",
            _rate(overview["thinking"]),
            f"escalated {_mean(overview['triggers']['escalated'])} of fast starts",
        ),
        ("Wrong", _rate(overview["error"]), f"of {overview['labelled']:,} labelled"),
        (
            "Predicted wrong",
            shown(calibration["predicted"], "%"),
            f"were wrong {_rate(calibration['wrong'])}",
        ),
        (
            "Rationale agreed",
            _rate(rationale["agreed"]),
            f"of {rationale['agreed']['trials']:,} with a rationale",
        ),
        (
            "Tokens a run",
            f"{overview['tokens']['mean']:,.0f}",
            f"95 % up to {overview['tokens']['p95']:,.0f}",
        ),
        ("Cost a run", usd or "unknown", all_usd),
    ]
    cells = [f"<div><dt>{escape(name)}</dt><dd>{escape(value)}<small>{escape(more)}</small></dd></div>"
             for name, value, more in tiles]  # fmt: skip
    return f'<dl class="tiles">{"".join(cells)}</dl>\n'


def _plots(overview: Figures) -> str:
    windows = overview["windows"]
    labels = [
        one["from"][:10] if overview["window_seconds"] >= 86400 else one["from"][5:16] for one in windows
    ]
    triggers = {"refined": "refined", "sent to review": "reviewed", "gave up": "gave_up"}
    plots = [
        Plot("Share of runs that thought", labels, [_line("thought", [one["thinking"] for one in windows])]),
        Plot(
            "Share of runs that were refined, reviewed, given up",
            labels,
            [Line(name, [one["triggers"][key]["mean"] for one in windows]) for name, key in triggers.items()],
        ),
        Plot(
            "Wrong answers: labelled, and as predicted",
            labels,
            [
                _line("wrong", [one["calibration"]["wrong"] for one in windows]),
                Line("predicted", [one["calibration"]["predicted"] for one in windows]),
            ],
        ),
        Plot(
            "Share of rationales that agree",
            labels,
            [_line("agreed", [one["rationale"]["agreed"] for one in windows])],
        ),
        Plot("Tokens a run", labels, [Line("tokens", [_tokens(one) for one in windows])], unit=""),
        Plot(
            "Cost a run, US dollars",
            labels,
            [Line("USD", [one["spend"]["usd_a_run"] for one in windows])],
            unit="",
        ),
    ]
    return _figures(draw(plot, f"plot{number}") for number, plot in enumerate(plots))


def _calibration(overview: Figures) -> str:
    rows = overview["reliability"]
    if not rows:
        return "<p>Unknown: no labelled answer has a risk.</p>"
    points = [(one["risk"], *(one["wrong"][name] for name in ("mean", "low", "high"))) for one in rows]
    title = "Predicted risk (across) against the share that was wrong (up), with 95 % intervals"
    table = _table(
        ["risk", "answers", "predicted", "wrong"],
        [
            [
                f"from {one['from']:.0%}",
                f"{one['wrong']['trials']:,}",
                shown(one["risk"], "%"),
                _rate(one["wrong"]),
            ]
            for one in rows
        ],
        "Predicted risk and what came",
    )
    drawn = (
        f"<figure>{draw_reliability(points, title, 'risk')}<figcaption>{escape(title)}</figcaption></figure>"
    )
    return f'<div class="side">{drawn}{table}</div>'


def _advice(figures: Figures) -> str:
    items = [
        f"<li><strong>{escape(one['kind'].capitalize())}: {escape(one['part'])}</strong><br>{escape(one['why'])}"
        f"<br><code>{escape(one['how'])}</code></li>"
        for one in figures.get("advice", ())
    ]
    notes = [f"<li>{escape(note)}</li>" for note in figures.get("notes", ())]
    nothing = "<li>The labels speak against no rule, estimator or profile.</li>" if figures.get("labelled") else (
        "<li>What to fit anew is unknown: no run is labelled.</li>")  # fmt: skip
    seen = f"<p>From the newest {figures.get('runs', 0):,} runs.</p>"
    return f"{seen}<ul>{''.join(items) or nothing}{''.join(notes)}</ul>"


def _worst(worst: Mapping[str, Sequence[Figures]]) -> str:
    tables = [
        _table(
            ["question", "answer", "risk", "tokens", "run"],
            [
                [*_texts(one), shown(one["risk"], "%"), f"{one['total_tokens']:,}", one["run_id"][:8]]
                for one in worst[name]
            ],
            title,
        )
        for name, title in _WORST.items()
        if worst[name]
    ]
    return "".join(tables)


def _texts(one: Figures) -> list[str]:
    if one["question"] is None:
        return ["(pruned)", ""]
    steps = "; ".join(f"{step['text']} ({step['entropy_nats']:.2f} nats)" for step in one["uncertain_steps"])
    return [one["question"], f"{one['answer']} [unsure while thinking: {steps}]" if steps else one["answer"]]


def _groups(overview: Figures) -> str:
    triggers = [[name.replace("_", " "), _rate(one)] for name, one in overview["triggers"].items()]
    stops = [[name, f"{count:,}"] for name, count in overview["stopped_by"].items()]
    return "".join([
        _table(["triggered", "share of runs"], triggers, "Trigger rates"),
        *([_table(["limit", "runs"], stops, "Stopped by a budget")] if stops else []),
        *(
            _table(
                [title, "runs", "thought", "wrong", "tokens a run", "USD"],
                [
                    [
                        one["name"] or "unnamed", f"{one['runs']:,}", _mean(one["thinking"]), _rate(one["error"]),
                        f"{_tokens(one):,.0f}", f"{one['spend']['known_usd']:,.4f}",
                    ]
                    for one in overview[name]
                ],
                f"By {title}",
            )
            for title, name in (("triage", "triage"), ("model", "models"), ("tenant", "tenants"))
            if overview[name]
        ),
    ])  # fmt: skip


def _windows(windows: Sequence[Figures]) -> str:
    rows = [
        [
            one["from"][:16].replace("T", " "), f"{one['runs']:,}", _mean(one["thinking"]),
            _mean(one["triggers"]["refined"]), shown(one["calibration"]["predicted"], "%"), _rate(one["error"]),
            _mean(one["rationale"]["agreed"]), f"{_tokens(one):,.0f}", f"{one['spend']['known_usd']:,.4f}",
        ]
        for one in windows
    ]  # fmt: skip
    header = [
        "from (UTC)",
        "runs",
        "thought",
        "refined",
        "predicted wrong",
        "wrong",
        "agreed",
        "tokens a run",
        "USD",
    ]
    return f"<details><summary>{len(rows)} windows as a table</summary>{_table(header, rows, 'Each window')}</details>"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> str:
    kinds = [' class="text"' if name == "answer" else "" for name in header]
    head = "".join(
        f'<th scope="col"{kind}>{escape(cell)}</th>' for cell, kind in zip(header, kinds, strict=True)
    )
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        f"{''.join(f'<td{kind}>{escape(cell)}</td>' for cell, kind in zip(row[1:], kinds[1:], strict=True))}</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table><caption>'
        f"{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _figures(drawn: Iterable[str]) -> str:
    return f'<div class="plots">{"".join(f"<figure>{one}</figure>" for one in drawn)}</div>'


def _line(name: str, rates: Sequence[Figures]) -> Line:
    """Of rates, with their intervals where there is anything to know."""
    known = [one if one["mean"] is not None else {"mean": None, "low": None, "high": None} for one in rates]
    return Line(name, *([one[key] for one in known] for key in ("mean", "low", "high")))


def _tokens(one: Figures) -> float:
    return one["spend"]["total_tokens"] / one["runs"]


def _rate(known: Figures) -> str:
    if known["mean"] is None:
        return "unknown"
    return f"{known['mean']:.1%} [{known['low']:.1%}, {known['high']:.1%}]"


def _mean(known: Figures) -> str:
    return shown(known["mean"], "%")
