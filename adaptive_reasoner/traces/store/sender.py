"""The thread that takes lines from the spool to the database, as long as it takes."""

import logging
import threading
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from adaptive_reasoner.errors import TraceStoreError
from adaptive_reasoner.traces.store.database import TraceDatabase
from adaptive_reasoner.traces.store.keeping import Kept, keep_batch, parse_batch
from adaptive_reasoner.traces.store.spool import Spool, left_behind, lines_of

_LOG = logging.getLogger(__name__)
_BATCH = 500  # lines a transaction
_LINGER_SECONDS = 0.05  # what comes meanwhile goes into the same transaction
_LONGEST_PAUSE_SECONDS = 30.0
_DAMAGED = "damaged.jsonl"


class Sender:
    """Drains one process's spool, after what killed processes left in the same folder."""

    def __init__(self, database: TraceDatabase, spool: Spool, folder: Path) -> None:
        self.problem: str | None = None  # why the database takes nothing at present
        self._database = database
        self._spool = spool
        self._folder = folder
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._is_adopting = True
        self._thread = threading.Thread(target=self._run, name="trace-store-sender", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Say that there is something to send."""
        if not self._wake.is_set():
            self._wake.set()

    def wait(self, seconds: float) -> bool:
        """Wait until all is sent; False if that took too long."""
        until = time.monotonic() + seconds
        while self._is_adopting or not self._spool.is_empty():
            if time.monotonic() > until or not self._thread.is_alive():
                return False
            self._wake.set()
            time.sleep(0.005)
        return True

    def stop(self, seconds: float) -> bool:
        """Send what is there and end; False if something stays in the spool, for the next opening."""
        is_done = self.wait(seconds)
        self._stop.set()
        self._wake.set()
        self._thread.join(seconds)
        return is_done

    def _run(self) -> None:
        pause = 0.0
        while not self._stop.is_set():
            try:
                self._send()
                self.problem, pause = None, 0.0
            except (TraceStoreError, OSError) as error:
                self._note(str(error))
                pause = min(max(2 * pause, 0.5), _LONGEST_PAUSE_SECONDS)
            self._stop.wait(pause or _LINGER_SECONDS)
            if not pause and self._spool.is_empty():
                self._wake.wait()
                self._wake.clear()

    def _send(self) -> None:
        if self._is_adopting:
            send_left_behind(self._database, self._folder)
            self._is_adopting = False
        while path := self._spool.take():
            send_file(self._database, path)
            self._spool.emptied()

    def _note(self, problem: str) -> None:
        if problem != self.problem:
            _LOG.warning("Runs stay in the spool for now, their answers were handed on: %s", problem)
        self.problem = problem


def send_left_behind(database: TraceDatabase, folder: Path) -> None:
    """Send the files of processes that have ended.

    Raises:
        TraceStoreError: the database failed; the files stay.
    """
    for path in left_behind(folder):
        kept = send_file(database, path)
        _LOG.info("Sent %s, which a process left behind: %s", path.name, kept)


def send_file(database: TraceDatabase, path: Path) -> Kept:
    """All lines of a spool file; those that are in the database already are left out.

    Raises:
        TraceStoreError: the database failed; the file is to be sent again.
    """
    total, lines = Kept(), lines_of(path)
    while some := list(islice(lines, _BATCH)):
        batch = parse_batch(some)
        with database.writing() as db:
            total += keep_batch(db, batch)
        if batch.damaged:
            _put_aside(path, batch.damaged)
    return total


def _put_aside(path: Path, damaged: Sequence[bytes]) -> None:
    """A line that cannot be read must not keep back the others."""
    _LOG.warning("%d lines of %s are damaged; they were moved to %s", len(damaged), path.name, _DAMAGED)
    with (path.parent / _DAMAGED).open("ab") as file:
        file.writelines(damaged)
