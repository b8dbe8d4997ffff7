"""From a URL to a ledger: SQLite or Postgres behind one engine, set up so that its transactions hold."""

import os
import sqlite3
import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adaptive_reasoner.errors import ConfigurationError, LedgerError, MissingExtraError

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

    from adaptive_reasoner.budget.ledger import Ledger

ENVIRONMENT = "ADAPTIVE_REASONER_LEDGER"
# Seconds that a transaction waits for those of other processes, and a connection for its server.
_BUSY_SECONDS = 30
_CONNECT_SECONDS = 10


def open_ledger(url: str, wait_seconds: float) -> "Ledger":
    """See `Ledger.open`."""
    if find_spec("sqlalchemy") is None:
        raise MissingExtraError(
            'A ledger needs the extra "budgets": pip install "adaptive-reasoner[budgets]" '
            '("adaptive-reasoner[postgres]" for Postgres).'
        )
    from adaptive_reasoner.budget.sql_ledger import SqlLedger

    return SqlLedger(make_engine(url), wait_seconds)


def default_url() -> str:
    """What ADAPTIVE_REASONER_LEDGER names, or else an SQLite file of the user's, whose folder is made.

    Raises:
        LedgerError: the folder cannot be made.
    """
    if named := os.environ.get(ENVIRONMENT):
        return named
    path = state_folder() / "adaptive-reasoner" / "ledger.sqlite"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(
            f"Cannot make the ledger's folder {path.parent}: {error.strerror}; name another file in {ENVIRONMENT}."
        ) from error
    return str(path)


def state_folder() -> Path:
    """Where programs of this user keep what must last."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")


def make_engine(url: str, what: str = "ledger") -> "Engine":
    """An engine whose transactions see and change the tables as one step.

    Args:
        url: SQLite's or Postgres's, or the path of an SQLite file.
        what: is kept there, for the errors.

    Raises:
        ConfigurationError: the URL is neither SQLite's nor Postgres's.
        MissingExtraError: Postgres's driver is not installed.
    """
    from sqlalchemy import create_engine, event, make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url if "://" in url else f"sqlite:///{url}")
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(f"{what} is {url!r}, which is no URL; {_FORMS}.") from error
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(parsed, **_sqlite_options(parsed))
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if parsed.get_backend_name() in ("postgresql", "postgres"):
        return _postgres_engine(parsed, what)
    raise ConfigurationError(f"{what} is a {parsed.get_backend_name()} database; {_FORMS}.")


_FORMS = 'use "sqlite:///file", "postgresql://user:password@host/database" or the path of an SQLite file'


def _sqlite_options(url: "URL") -> dict[str, Any]:
    from sqlalchemy.pool import QueuePool, StaticPool

    arguments = {"timeout": _BUSY_SECONDS, "check_same_thread": False}
    if url.database in (None, "", ":memory:"):
        return {"connect_args": arguments, "poolclass": StaticPool}
    return {"connect_args": arguments, "poolclass": QueuePool, "max_overflow": -1}


def _postgres_engine(url: "URL", what: str) -> "Engine":
    from sqlalchemy import create_engine, event

    if find_spec("psycopg") is None:
        raise MissingExtraError(
            f'A {what} in Postgres needs the extra "postgres": pip install "adaptive-reasoner[postgres]".'
        )
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        isolation_level="READ COMMITTED",  # a row that was waited for is read as it is then
        pool_pre_ping=True,  # a server that was restarted costs no call
        connect_args={"connect_timeout": _CONNECT_SECONDS},
    )
    event.listen(engine, "begin", _begin_postgres)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    """Readers beside one writer."""
    connection.isolation_level = None  # BEGIN is ours to say
    connection.execute("PRAGMA journal_mode = WAL").close()


def _begin_sqlite(connection: Any) -> None:
    """A transaction that will write takes the lock at once: nothing changes between its question and its answer.

    A reservation is on disk before its call is made. Settling may be lost if the power fails, which leaves the worst
    case counted, and need not wait for the disk.
    """
    purpose = connection.get_execution_options().get("purpose")
    connection.exec_driver_sql(f"PRAGMA synchronous = {'NORMAL' if purpose == 'settle' else 'FULL'}")
    connection.exec_driver_sql("BEGIN" if purpose == "read" else "BEGIN IMMEDIATE")


def _begin_postgres(connection: Any) -> None:
    """The same difference in Postgres."""
    if connection.get_execution_options().get("purpose") == "settle":
        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")


@contextmanager
def as_ledger_error(engine: "Engine") -> Generator[None]:
    """Whatever the database raises, as one error that names it (without its password) and says what to do.

    Raises:
        LedgerError: the database failed.
    """
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except SQLAlchemyError as error:
        where = engine.url.render_as_string(hide_password=True)
        said = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise LedgerError(
            f"The ledger {where} cannot be used: {said}. Nothing was spent; check that it can be reached and is "
            "a ledger (a corrupt file must be restored or moved away)."
        ) from error
