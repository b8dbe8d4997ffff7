"""The conformance matrix: what is asked of which way in, what a cell needs no test for, and the page that shows it.

A cell is a test: `test_cells.py` has one for each method of a column's class that is named like a row. The page is
written from them, and `test_page.py` holds the two together.
"""

from collections.abc import Iterable, Mapping

ROWS = {
    "invoke": "invoke",
    "ainvoke": "ainvoke",
    "stream": "stream",
    "astream": "astream",
    "v2_events": "`astream_events`, v2",
    "v3_events": "`stream_events`, v3",
    "batch": "batch",
    "abatch": "abatch",
    "tools": "tools",
    "structured_output": "structured output",
    "multi_turn": "multi-turn",
    "interrupts": "interrupts",
}
COLUMNS = ("chat model", "middleware", "subgraph", "tool", "graph", "server")

# Cells that make no sense, and why.
SENSELESS: Mapping[tuple[str, str], str] = {
    ("stream", "tool"): "a tool's result comes whole; what is inside streams through the graph around it",
    ("astream", "tool"): "a tool's result comes whole; what is inside streams through the graph around it",
    ("v3_events", "tool"): "LangChain has v3 events for chat models and graphs alone",
    ("structured_output", "tool"): "its answer is text for the agent that asked",
    ("multi_turn", "tool"): "each question stands alone; the agent that asks holds the thread",
}

Cell = tuple[str, str]

_HEAD = """# What works through which way in

Written by the tests: each ✓ is one of `pytest tests/conformance`, which checks the content, the report and what was
called, against models that play a script (a doubted draft, then a thought-through answer; a doubted tool call, then
its repair; a person's answer). After a change: `CONFORMANCE_PAGE=write pytest tests/conformance`.
"""


def page(tested: Iterable[Cell]) -> str:
    """The page, from the cells that have a test."""
    tested, notes = set(tested), list(dict.fromkeys(SENSELESS.values()))
    lines = [f"| | {' | '.join(COLUMNS)} |", f"|---|{'---|' * len(COLUMNS)}"]
    for row, title in ROWS.items():
        marks = [_mark((row, column), tested, notes) for column in COLUMNS]
        lines.append(f"| {title} | {' | '.join(marks)} |")
    below = [f"{place + 1}. {note}" for place, note in enumerate(notes)]
    counted = f"{len(tested)} cells are tested, {len(SENSELESS)} make no sense (the numbers say why)"
    untested = len(ROWS) * len(COLUMNS) - len(tested) - len(SENSELESS)
    rest = f", and {untested} have no test." if untested else "."
    return "\n".join([_HEAD, *lines, "", counted + rest, "", *below, "", _FOOT])


_FOOT = """The ways in: [chat model](chat-model.md), [middleware and tool](agents.md), [subgraph and
graph](subgraphs.md), and the server (`adaptive-reasoner serve`). LangChain's own standard tests run beside these:
`pytest -k standard`.
"""


def _mark(cell: Cell, tested: set[Cell], notes: list[str]) -> str:
    if cell in SENSELESS:
        return f"no sense ({notes.index(SENSELESS[cell]) + 1})"
    return "✓" if cell in tested else "no test"
