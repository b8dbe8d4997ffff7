"""From a URL to LangGraph's asynchronous checkpointer, in memory, in an SQLite file or in Postgres."""

# LangGraph leaves the type arguments of its savers open.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver

from adaptive_reasoner.errors import ConfigurationError, MissingExtraError

_SQLITE = "sqlite:///"
_CONNECT_SECONDS = 10
_MOST_CONNECTIONS = 16
# Whoever holds a lock needs a connection of the first pool, too, so locks have a pool of their own.
_MOST_LOCKS = 8


@dataclass(frozen=True, slots=True)
class Checkpointer:
    """An open checkpointer.

    Attributes:
        saver: LangGraph's.
        errors: what it raises where its database fails.
        writing: a context in which nobody else, in no other process either, writes the thread with this key; None
            where one process alone has the threads.
    """

    saver: BaseCheckpointSaver[Any]
    errors: tuple[type[Exception], ...] = ()
    writing: Callable[[str], AbstractAsyncContextManager[None]] | None = None


@asynccontextmanager
async def open_checkpointer(url: str) -> AsyncGenerator[Checkpointer]:
    """Open what `url` names, its tables made.

    Raises:
        ConfigurationError: nothing can be opened there.
        MissingExtraError: what it needs is not installed.
    """
    if url == "memory":
        yield Checkpointer(InMemorySaver())
    elif url.startswith(_SQLITE):
        async with _open_sqlite(url.removeprefix(_SQLITE)) as saver:
            yield saver
    else:
        async with _open_postgres(url) as saver:
            yield saver


@asynccontextmanager
async def _open_sqlite(file: str) -> AsyncGenerator[Checkpointer]:
    if find_spec("langgraph.checkpoint.sqlite") is None:
        raise MissingExtraError('Threads in SQLite need the extra "sqlite".')
    import aiosqlite
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    _check_file(file)
    async with aiosqlite.connect(file) as connection:
        saver = AsyncSqliteSaver(connection)
        await saver.setup()
        yield Checkpointer(saver, (sqlite3.Error,))


def _check_file(file: str) -> None:
    try:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA user_version = 0")
    except sqlite3.Error as error:
        raise ConfigurationError(f"threads.url: the file {file} cannot be used: {error}.") from error


@asynccontextmanager
async def _open_postgres(url: str) -> AsyncGenerator[Checkpointer]:
    if find_spec("langgraph.checkpoint.postgres") is None or find_spec("psycopg_pool") is None:
        raise MissingExtraError(
            'Threads in Postgres need the extra "postgres": pip install "adaptive-reasoner[server,postgres]".'
        )
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
    from psycopg import AsyncConnection, Error
    from psycopg_pool import PoolTimeout

    try:  # the pool would try for long and log each attempt
        await (await AsyncConnection.connect(url, connect_timeout=_CONNECT_SECONDS)).close()
    except Error as error:
        raise ConfigurationError(f"threads.url: Postgres cannot be reached: {error}.") from error
    async with _pool(url, _MOST_CONNECTIONS) as pool, _pool(url, _MOST_LOCKS) as locks:
        saver = AsyncPostgresSaver(pool)
        await saver.setup()
        yield Checkpointer(saver, (Error, PoolTimeout, OSError), partial(_locked, locks))


def _pool(url: str, most: int) -> Any:
    from psycopg.rows import dict_row
    from psycopg_pool import AsyncConnectionPool

    options: dict[str, Any] = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    return AsyncConnectionPool(
        url,
        min_size=1,
        max_size=most,
        timeout=_CONNECT_SECONDS,
        kwargs=options,
        open=False,
        check=AsyncConnectionPool.check_connection,  # a restarted database has closed its connections
    )


@asynccontextmanager
async def _locked(locks: Any, key: str) -> AsyncGenerator[None]:
    async with locks.connection() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (key,))
        yield
