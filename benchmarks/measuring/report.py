"""What every benchmark leaves behind: a table on the screen and JSON with all that is needed to repeat it."""

import json
import platform
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent.parent / "results"
_PACKAGES = ("adaptive-reasoner", "langgraph", "langchain-core", "langchain", "numpy")


def provenance(script: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The command, its settings and the versions that it ran on."""
    given = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in arguments.items())
    return {
        "command": f"python benchmarks/{script} {given}".strip(),
        "settings": dict(arguments),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "versions": {name: version(name) for name in _PACKAGES},
    }


def write_json(name: str, content: Mapping[str, Any], folder: Path | None = None) -> Path:
    """Write `results/<name>.json` and say where."""
    path = (folder or RESULTS) / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, default=_plain) + "\n", encoding="utf-8")
    print(f"\nwritten: {path.name}")
    return path


def _plain(value: Any) -> Any:
    """NumPy's scalars and arrays as Python's."""
    return value.tolist()


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their longest cell; the first is text, the others numbers."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    for row in [header, *rows]:
        cells = [
            row[0].ljust(widths[0]),
            *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True)),
        ]
        print("  ".join(cells).rstrip())


class Progress:
    """A line that counts up to `total` on standard error; callable with the number done so far."""

    def __init__(self, label: str, total: int) -> None:
        self._label = label
        self._total = total

    def __call__(self, done: int) -> None:
        """Show that `done` items are done."""
        end = "\n" if done >= self._total else ""
        print(f"\r{self._label}: {done} of {self._total}", end=end, file=sys.stderr, flush=True)
