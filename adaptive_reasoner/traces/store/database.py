"""A trace store's database: opened, migrated, and its transactions with one error for whatever fails."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import SQLAlchemyError

from adaptive_reasoner.budget.opening import make_engine
from adaptive_reasoner.errors import TraceStoreError
from adaptive_reasoner.traces.store.schema import migrate

# Any number will do, so long as all writers lock the same one; the ledger has another.
_WRITING = 6_021_024
_CACHE_KIB = 65_536  # runs' ids are random, so their index is written all over
_MAP_BYTES = 1 << 30


class TraceDatabase:
    """An engine with the store's tables; writers take turns in Postgres, too, as they do in SQLite."""

    def __init__(self, url: str, *, must_exist: bool = False) -> None:
        """Open or make the tables.

        Raises:
            ConfigurationError: the URL is neither SQLite's nor Postgres's.
            TraceStoreError: the database cannot be used, or its schema is a newer one.
        """
        self.engine: Engine = make_engine(url, "trace store")
        self._process = os.getpid()
        self._is_sqlite = self.engine.dialect.name == "sqlite"
        file = self.file
        if must_exist and file is not None and not file.is_file():
            raise TraceStoreError(f"There is no trace store {file}.")
        if file is not None:
            _make_private(file)
        if self._is_sqlite:
            event.listen(self.engine, "connect", _enlarge_cache)
        with self.writing() as db:
            migrate(db)

    @property
    def file(self) -> Path | None:
        """SQLite's; None for Postgres and in memory."""
        database = self.engine.url.database
        return Path(database) if self._is_sqlite and database not in (None, "", ":memory:") else None

    @contextmanager
    def writing(self) -> Generator[Connection]:
        """A transaction that nobody else writes beside, on disk when it ends.

        Raises:
            TraceStoreError: the database failed; nothing of it was kept.
        """
        with self._transaction("reserve") as db:
            if not self._is_sqlite:
                db.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _WRITING})
            yield db

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """A transaction that sees one state.

        Raises:
            TraceStoreError: the database failed.
        """
        with self._transaction("read") as db:
            if not self._is_sqlite:
                db.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
            yield db

    def size_bytes(self) -> int:
        """What the store takes on disk; in Postgres its whole database."""
        if self._is_sqlite:
            files = [self.file, *(Path(f"{self.file}{end}") for end in ("-wal", "-shm"))]
            return sum(one.stat().st_size for one in files if one and one.exists())
        with self.reading() as db:
            return int(db.execute(text("SELECT pg_database_size(current_database())")).scalar_one())

    def close(self) -> None:
        """Give up the connections."""
        self.engine.dispose()

    @contextmanager
    def _transaction(self, purpose: str) -> Generator[Connection]:
        if self._process != os.getpid():  # a fork must not use its parent's connections
            self.engine.dispose(close=False)
            self._process = os.getpid()
        try:
            with self.engine.connect().execution_options(purpose=purpose) as db, db.begin():
                yield db
        except SQLAlchemyError as error:
            raise TraceStoreError(_said(self.engine, error)) from error


def _said(engine: Engine, error: SQLAlchemyError) -> str:
    where = engine.url.render_as_string(hide_password=True)
    cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    return (
        f"The trace store {where} cannot be used: {cause}. Check that it can be reached, that its disk has room, and "
        "that it is a trace store (a corrupt file must be restored or moved away)."
    )


def _make_private(file: Path) -> None:
    """Questions and answers are the user's own; SQLite's files beside it take its mode."""
    try:
        file.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        raise TraceStoreError(f"Cannot make the trace store {file}: {error.strerror}.") from error


def _enlarge_cache(connection: Any, _record: Any) -> None:
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}").close()
    connection.execute(f"PRAGMA mmap_size = {_MAP_BYTES}").close()
