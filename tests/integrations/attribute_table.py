"""The table in docs/observability.md, written by `python tests/integrations/attribute_table.py`."""

from collections.abc import Sequence
from pathlib import Path

from adaptive_reasoner.nodes.run_attributes import (
    CONTENT_ATTRIBUTES,
    CONTEXT_ATTRIBUTES,
    ROUND_ATTRIBUTES,
    RUN_ATTRIBUTES,
    SHARED_ATTRIBUTES,
    Attribute,
)

PAGE = Path(__file__).parents[2] / "docs" / "observability.md"
BEGIN, END = "<!-- table: begin -->\n", "<!-- table: end -->\n"
HEAD = "| name | of | meaning | in the [report](report.md) |\n|---|---|---|---|\n"


def table() -> str:
    """One row an attribute."""
    run = [one for one in RUN_ATTRIBUTES if one not in SHARED_ATTRIBUTES]
    own = [one for one in ROUND_ATTRIBUTES if one not in SHARED_ATTRIBUTES]
    rows = [
        *_rows("run", run),
        *_rows("run, round", SHARED_ATTRIBUTES),
        *_rows("round", own),
        *_rows("where known", CONTEXT_ATTRIBUTES),
        *_rows("if asked for", CONTENT_ATTRIBUTES),
    ]
    return HEAD + "".join(rows)


def _rows(of: str, attributes: Sequence[Attribute]) -> list[str]:
    return [
        f"| `{one.name}` | {of} | {one.meaning} | {f'`{one.path}`' if one.path else ''} |\n"
        for one in attributes
    ]


def written(page: str) -> str:
    """What the page holds between its marks."""
    return page.partition(BEGIN)[2].partition(END)[0]


if __name__ == "__main__":
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}{table()}{END}{rest.partition(END)[2]}", encoding="utf-8")
