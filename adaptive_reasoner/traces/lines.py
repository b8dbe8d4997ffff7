"""The lines of a JSON Lines file (`.gz` too), each with its place in words for whatever is wrong with it."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from adaptive_reasoner.errors import InvalidInputError


def placed_lines(path: str | Path, what: str) -> Iterator[tuple[str, bytes]]:
    """Each line that is not empty, with its place; an unfinished last line has no newline.

    Args:
        path: the file.
        what: what it should hold, for the error: "runs".

    Raises:
        InvalidInputError: the file cannot be read.
    """
    opened = gzip.open if str(path).endswith(".gz") else open
    try:
        with opened(path, "rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield f"{path}, line {number}", line
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInputError(f"Cannot read the {what} {path}: {error}.") from error
