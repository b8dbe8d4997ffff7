"""Lines of JSON Lines files (`.gz` too): read with their places, for whatever is wrong with one, and written whole."""

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
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


def write_whole(descriptor: int, line: bytes, before: int) -> None:
    """Append a line, or take back what was written of it.

    Args:
        descriptor: of a file that is open to append.
        line: with its newline.
        before: the file's size in bytes.

    Raises:
        OSError: the disk is full, or gone.
    """
    try:
        written = os.write(descriptor, line)
        while written < len(line):  # the rest raises why: a full disk, a quota
            written += os.write(descriptor, line[written:])
    except OSError:
        with suppress(OSError):
            os.ftruncate(descriptor, before)
        raise
