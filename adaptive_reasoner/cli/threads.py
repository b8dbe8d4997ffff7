"""Where a conversation's thread is kept."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver

from adaptive_reasoner.errors import ConfigurationError, MissingExtraError


@contextmanager
def open_checkpointer(file: Path | None) -> Generator[BaseCheckpointSaver[Any]]:
    """A checkpointer in memory, or one in the SQLite file.

    Raises:
        MissingExtraError: a file is named and the extra `sqlite` is not installed.
        ConfigurationError: the file cannot be opened, or is no SQLite database.
    """
    if file is None:
        yield InMemorySaver()
        return
    if find_spec("langgraph.checkpoint.sqlite") is None:
        raise MissingExtraError('--db needs the extra "sqlite": pip install "adaptive-reasoner[sqlite]".')
    from langgraph.checkpoint.sqlite import SqliteSaver

    with SqliteSaver.from_conn_string(str(_checked(file))) as saver:
        yield saver


def _checked(file: Path) -> Path:
    """The file, if SQLite can read and write it."""
    try:
        connection = sqlite3.connect(file)
        try:
            connection.execute("PRAGMA user_version = 0")
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise ConfigurationError(
            f"--db {file} cannot be used: {error}; name a writable SQLite file."
        ) from error
    return file
