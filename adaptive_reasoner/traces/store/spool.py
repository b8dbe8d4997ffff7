"""A log on the local disk between a run and the database: what is in it survives the end of its process.

Each process writes two files of its own in turns: lines are appended to one while the other one, closed to new lines,
goes to the database, and is emptied once the database has them all. A process holds its files' locks while it lives;
files whose lock is free were left by one that was killed, and whoever opens the store next sends them on.
"""

import os
import threading
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from adaptive_reasoner.errors import ConfigurationError, RecordError
from adaptive_reasoner.traces.lines import write_whole

try:
    import fcntl
except ImportError:  # Windows: a file that is open cannot be renamed, which tells as much
    fcntl = None

_MODE = 0o600  # questions and answers are the user's own
_SUFFIX = ".spool"


class Spool:
    """The log of one process; every line it took is read once by whoever drains it, or again after a crash."""

    def __init__(self, folder: Path, *, sync: bool, most_bytes: int) -> None:
        """Open two files.

        Args:
            folder: made if it is missing, for its owner only.
            sync: call fsync after every line.
            most_bytes: that the file may hold which is appended to.

        Raises:
            ConfigurationError: the folder cannot be written.
        """
        self._sync = sync
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            opened = [_open_locked(folder) for _ in range(2)]
        except OSError as error:
            raise ConfigurationError(f"Cannot write the spool {folder}: {error.strerror}.") from error
        self._files = [file for file, _ in opened]
        self._paths = [path for _, path in opened]
        self._sizes = [0, 0]
        self._turn = 0

    def append(self, line: bytes) -> bool:
        """Add a line, which is kept from now on; False, and nothing is kept, if there is no room for now.

        Raises:
            RecordError: the disk is full or gone; nothing of the line was kept.
        """
        with self._lock:
            turn = self._turn
            if self._sizes[turn] and self._sizes[turn] + len(line) > self._most_bytes:
                return False
            try:
                write_whole(self._files[turn], line, self._sizes[turn])
                if self._sync:
                    os.fsync(self._files[turn])
            except OSError as error:
                raise RecordError(f"Cannot record to {self._paths[turn]}: {error.strerror}.") from error
            self._sizes[turn] += len(line)
        return True

    def is_empty(self) -> bool:
        """Whether every line has been drained."""
        with self._lock:
            return self._sizes == [0, 0]

    def take(self) -> Path | None:
        """The file to drain next, closed to new lines until it is `emptied`; None where there is nothing."""
        with self._lock:
            other = 1 - self._turn
            if not self._sizes[other]:  # or else an earlier attempt to drain it failed
                if not self._sizes[self._turn]:
                    return None
                self._turn, other = other, self._turn
            return self._paths[other]

    def emptied(self) -> None:
        """The file that was taken is in the database."""
        with self._lock:
            other = 1 - self._turn
            os.ftruncate(self._files[other], 0)
            self._sizes[other] = 0

    def close(self) -> None:
        """Give the files back, and remove them where they are empty."""
        with self._lock:
            for file, path, size in zip(self._files, self._paths, self._sizes, strict=True):
                if not size:
                    with suppress(OSError):
                        path.unlink()
                os.close(file)
            self._files, self._paths, self._sizes = [], [], []

    def abandon(self) -> None:
        """After a fork: close the parent's files and leave them to it."""
        for file in self._files:
            with suppress(OSError):
                os.close(file)


def left_behind(folder: Path) -> Iterator[Path]:
    """Files of processes that have ended, each locked while it is yielded and removed afterwards."""
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        with suppress(OSError):
            file = os.open(path, os.O_RDWR | os.O_APPEND)
            try:
                if _is_free(file, path):
                    if os.fstat(file).st_size and path.exists():
                        yield path
                    path.unlink()
            finally:
                os.close(file)


def lines_of(path: Path) -> Iterator[bytes]:
    """The whole lines of a spool file; what a killed process left unfinished at its end was never acknowledged."""
    with path.open("rb") as file:
        yield from (line for line in file if line.endswith(b"\n"))


def _open_locked(folder: Path) -> tuple[int, Path]:
    """A new file, held by this process."""
    while True:
        path = folder / f"{os.getpid()}-{uuid.uuid4().hex}{_SUFFIX}"
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL, _MODE)
        if not fcntl:
            return file, path
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists():
                return file, path
        os.close(file)  # another process took it for one left behind, between the two steps


def _is_free(file: int, path: Path) -> bool:
    """Whether the process that wrote it has ended; with flock this takes its lock."""
    try:
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            path.rename(path)
    except OSError:
        return False
    return True
