"""A recorder that keeps runs in SQLite or Postgres: `build_reasoning_graph(…, recorder=TraceStore("sqlite:///runs.db"))`.

A run is acknowledged once it is in a log on the local disk, which takes a fraction of a millisecond and survives the
process; a thread of its own takes it from there to the database, exactly once.
"""

import atexit
import hashlib
import os
import re
import threading
import time
import weakref
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from adaptive_reasoner.budget.opening import state_folder
from adaptive_reasoner.checks import check_positive
from adaptive_reasoner.errors import ConfigurationError, MissingExtraError, RecordError, TraceStoreError
from adaptive_reasoner.traces.store.lines import line_of
from adaptive_reasoner.traces.store.redaction import Redaction
from adaptive_reasoner.traces.store.spool import Spool

if TYPE_CHECKING:
    from adaptive_reasoner.traces.store.database import TraceDatabase

_PASSWORD = re.compile(r"(://[^/@:]*:)[^/@]*(?=@)")
_STEP_SECONDS = 0.01
_EXIT_SECONDS = 10.0


class TraceStore:
    """Records runs and labels; safe to share between threads, and made anew in a process after a fork.

    Attributes:
        url: of the database, with its password hidden.
        redaction: what is kept of texts.
    """

    def __init__(
        self,
        url: str,
        *,
        redaction: Redaction | None = None,
        spool: str | os.PathLike[str] | None = None,
        sync: bool = False,
        most_spool_mib: float = 256,
        wait_seconds: float = 1.0,
    ) -> None:
        """Open the database and the log, so that what cannot be used is found before the first run.

        Args:
            url: "sqlite:///file" or "postgresql://user:password@host/database".
            redaction: what is kept of texts; secrets never are.
            spool: folder of the log; None: beside the SQLite file, or in the user's state folder for Postgres.
            sync: call fsync after every run, so that it survives a power failure, too.
            most_spool_mib: how far the log may grow while the database takes nothing.
            wait_seconds: how long a run waits for room in a log that is full, before it is refused.

        Raises:
            ConfigurationError: the URL or a setting is wrong, or the log cannot be written.
            MissingExtraError: the extra `traces`, or Postgres's driver, is not installed.
            TraceStoreError: the database cannot be used, or its schema is a newer one.
        """
        check_positive("most_spool_mib", most_spool_mib)
        self.redaction = redaction or Redaction()
        self._database = open_database(url)
        self.url = self._database.engine.url.render_as_string(hide_password=True)
        self._folder = Path(spool) if spool else _spool_folder(self._database)
        self._sync, self._most_bytes = sync, round(most_spool_mib * (1 << 20))
        self._wait_seconds = wait_seconds
        self._opening = threading.Lock()
        self._is_closed = False
        self._open()
        atexit.register(_close, weakref.ref(self))

    def record(self, record: Mapping[str, Any]) -> None:
        """Keep a run, or a label: once this returns it outlives the process.

        Raises:
            RecordError: it is neither or no plain JSON, the disk is full or gone, or the database took nothing for so
                long that the log is full; nothing of it was kept.
        """
        line = line_of(record, self.redaction)
        if self._is_closed:
            raise RecordError("This trace store was closed.")
        if self._process != os.getpid():
            self._reopen()
        until = time.monotonic() + self._wait_seconds
        while not self._spool.append(line):
            self._sender.wake()
            if time.monotonic() > until:
                cause = self._sender.problem or "the database is slower than the runs come"
                raise RecordError(f"The log {self._folder} is full: {cause}")
            time.sleep(_STEP_SECONDS)
        self._sender.wake()

    @property
    def problem(self) -> str | None:
        """Why the database takes nothing at present, while runs gather in the log; None if all is well."""
        return self._sender.problem

    @property
    def database(self) -> "TraceDatabase":
        """Where the runs go."""
        return self._database

    def flush(self, seconds: float = 60.0) -> None:
        """Wait until all that was recorded by this process, or left by killed ones, is in the database.

        Raises:
            TraceStoreError: it was not there in time; it stays in the log.
        """
        if not self._sender.wait(seconds):
            cause = self._sender.problem or "it takes longer"
            raise TraceStoreError(f"Not everything is in {self.url} after {seconds:g} seconds: {cause}")

    def close(self, seconds: float = _EXIT_SECONDS) -> None:
        """Send what is in the log and give everything back; what could not be sent is sent at the next opening."""
        with self._opening:
            if self._is_closed:
                return
            self._is_closed = True
        if self._process == os.getpid():
            self._sender.stop(seconds)
            self._spool.close()
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> None:
        from adaptive_reasoner.traces.store.sender import Sender

        self._process = os.getpid()
        self._spool = Spool(self._folder, sync=self._sync, most_bytes=self._most_bytes)
        self._sender = Sender(self._database, self._spool, self._folder)

    def _reopen(self) -> None:
        """After a fork: the parent's files and thread are not this process's."""
        with self._opening:
            if self._process != os.getpid():
                self._spool.abandon()
                self._open()


def open_database(url: str, *, must_exist: bool = False) -> "TraceDatabase":
    """A store's database, to read it or to look after it.

    Raises:
        ConfigurationError: the URL is neither SQLite's nor Postgres's.
        MissingExtraError: the extra `traces`, or Postgres's driver, is not installed.
        TraceStoreError: it cannot be used, its schema is a newer one, or it is not there and must be.
    """
    if not is_store_url(url):
        raise ConfigurationError(
            f'{url!r} is no store\'s URL; use "sqlite:///file" or "postgresql://user:password@host/database".'
        )
    if find_spec("sqlalchemy") is None or find_spec("alembic") is None:
        raise MissingExtraError(
            'A trace store needs the extra "traces": pip install "adaptive-reasoner[traces]" '
            '(and "adaptive-reasoner[postgres]" for Postgres).'
        )
    from adaptive_reasoner.traces.store.database import TraceDatabase

    return TraceDatabase(url, must_exist=must_exist)


def open_to_read(url: str) -> "TraceDatabase":
    """A store that exists, with what killed processes left in its usual log sent on first.

    Raises:
        ConfigurationError, MissingExtraError, TraceStoreError: see `open_database`.
    """
    database = open_database(url, must_exist=True)
    from adaptive_reasoner.traces.store.sender import send_left_behind

    send_left_behind(database, _spool_folder(database))
    return database


def shown_source(source: str) -> str:
    """A file's name, or a store's URL without its password."""
    return _PASSWORD.sub(r"\1***", source) if is_store_url(source) else source


def is_store_url(source: Any) -> bool:
    """Whether `source` names a database, and not a file of JSON Lines."""
    return isinstance(source, str) and "://" in source


def _spool_folder(database: "TraceDatabase") -> Path:
    if database.file is not None:
        return database.file.with_name(f"{database.file.name}.spool")
    name = hashlib.sha256(str(database.engine.url).encode()).hexdigest()[:16]
    return state_folder() / "adaptive-reasoner" / "traces" / name


def _close(store: "weakref.ref[TraceStore]") -> None:
    """At the end of the program."""
    if known := store():
        known.close()
