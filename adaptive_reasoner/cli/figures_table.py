"""Tables of many narrow columns, to be read whole in a terminal of 80."""

from rich import box
from rich.table import Table


def figures_table(first: str, *others: str) -> Table:
    """A table whose first column names the rows and may fold, and whose headings fold between words."""
    table = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
    table.add_column(first, overflow="fold")
    for name in others:
        table.add_column(name, overflow="fold")
    return table


def day_and_minute(moment: str) -> str:
    """`11-22 09:24` of a moment in ISO 8601; the report's first lines tell the year."""
    return moment[5:16].replace("T", " ")
