"""A recorder that appends each run as one line to a JSON Lines file, from any number of threads and processes.

A line is written whole or not at all: under the file's lock, in one append, and what a full disk cut short is
taken back. Only a process killed in the middle of its write can leave a torn line; the next writer closes it with
`TORN_MARK`, so that it spoils no other line and a reader can tell it from a damaged file.
"""

import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adaptive_reasoner.errors import ConfigurationError, RecordError
from adaptive_reasoner.traces.lines import write_whole

try:
    import fcntl
except ImportError:  # Windows: threads of one process are kept apart, processes are not
    fcntl = None

TORN_MARK = b"\x18"  # ASCII "cancel"; it cannot stand in JSON

_MODE = 0o600  # questions and answers are the user's own


class JsonlRecorder:
    """Appends runs to a file; `build_reasoning_graph(…, recorder=JsonlRecorder("runs.jsonl"))`.

    A line that was written survives the end of its process at once, and a power failure once the system wrote its
    buffers, usually within half a minute; `sync` waits for the disk after every line.
    """

    def __init__(self, path: str | os.PathLike[str], *, sync: bool = False) -> None:
        """Open the file once, so that a path that cannot be used is found before the first run.

        Args:
            path: created if it is missing, readable by its owner only.
            sync: call fsync after every line.

        Raises:
            ConfigurationError: the file cannot be appended to.
        """
        self._path = Path(path)
        self._sync = sync
        self._lock = threading.Lock()
        if self._path.suffix == ".gz":
            raise ConfigurationError(f"{self._path}: runs are appended as plain lines; drop the .gz.")
        try:
            os.close(self._open())
        except OSError as error:
            raise ConfigurationError(f"Cannot record to {self._path}: {error.strerror}.") from error

    def record(self, record: Mapping[str, Any]) -> None:
        """Append one line.

        Raises:
            RecordError: `record` is not plain JSON, or the disk is full or gone; nothing of it was kept.
        """
        try:
            line = json.dumps(record, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise RecordError(f"The record is not plain JSON: {error}.") from error
        try:
            with self._lock:
                self._append(line)
        except OSError as error:
            raise RecordError(f"Cannot record to {self._path}: {error.strerror}.") from error

    def _open(self) -> int:
        return os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, _MODE)

    def _append(self, line: str) -> None:
        descriptor = self._open()  # anew for every line: the file may have been rotated away
        try:
            if fcntl:
                fcntl.flock(descriptor, fcntl.LOCK_EX)  # given back when the descriptor is closed
            before = os.fstat(descriptor).st_size
            write_whole(descriptor, _closing(descriptor, before) + line.encode() + b"\n", before)
            if self._sync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _closing(descriptor: int, size: int) -> bytes:
    """What ends the line before, if its writer was killed or an editor left it open."""
    if size == 0:
        return b""
    os.lseek(descriptor, max(size - 1, 0), os.SEEK_SET)
    if os.read(descriptor, 1) == b"\n":
        return b""
    last = _last_line(descriptor, size)
    try:
        json.loads(last)
    except ValueError:
        return TORN_MARK + b"\n"
    return b"\n"


def _last_line(descriptor: int, size: int) -> bytes:
    """The bytes after the last newline."""
    block, kept = 1 << 16, b""
    position = size
    while position > 0 and b"\n" not in kept:
        start = max(position - block, 0)
        os.lseek(descriptor, start, os.SEEK_SET)
        kept = os.read(descriptor, position - start) + kept
        position = start
    return kept.rpartition(b"\n")[2]
