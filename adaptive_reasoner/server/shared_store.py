"""Small tables that all replicas share, in the database of the threads; each call is one transaction."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, Float, MetaData, cast, extract, func, literal, text
from sqlalchemy.exc import SQLAlchemyError

from adaptive_reasoner.budget.opening import make_engine
from adaptive_reasoner.server.errors import ServerError

Result = TypeVar("Result")

# Any number will do, so long as all processes that make the tables lock the same one.
_MAKING_TABLES = 6_021_029


class SharedStore:
    """An engine, its clock, and its failures as one error.

    Args:
        url: "sqlite:///FILE" or "postgresql://…".
        metadata: the tables, which are made where they are missing.
        error: what is raised where the database fails.
    """

    def __init__(self, url: str, metadata: MetaData, error: type[ServerError]) -> None:
        self._engine: Engine = make_engine(url, "threads' store")
        self._error = error
        # SQLite's own waiting sleeps longer and longer; threads of one process queue here instead.
        self._queue = threading.Lock()
        self.is_sqlite = self._engine.dialect.name == "sqlite"

        def make(db: Connection) -> None:
            if not self.is_sqlite:
                db.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MAKING_TABLES})
            metadata.create_all(db)

        self.run(make)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def now(self) -> ColumnElement[Any]:
        """Seconds since the epoch by one clock for all replicas: Postgres's own, or that of SQLite's machine."""
        if self.is_sqlite:
            return literal(time.time(), Float)
        return cast(extract("epoch", func.clock_timestamp()), Float(53))

    async def do(self, work: Callable[[Connection], Result]) -> Result:
        """`work` in one transaction, off the event loop.

        Raises:
            ServerError: the database failed; nothing was written.
        """
        return await asyncio.to_thread(self.run, work)

    def run(self, work: Callable[[Connection], Result]) -> Result:
        """The same, at once."""
        try:
            if not self.is_sqlite:
                with self._engine.begin() as db:
                    return work(db)
            with self._queue, self._engine.begin() as db:
                return work(db)
        except SQLAlchemyError as error:
            raise self._error(
                f"The database that replicas share cannot be used ({type(error).__name__}); try again in a moment.",
                retry_after_seconds=1,
            ) from error
