"""Where a ledger is kept, and what is said where it cannot be."""

import sqlite3
import sys
from importlib import util

import pytest

from adaptive_reasoner.budget import Ledger, opening
from adaptive_reasoner.budget.door import LedgerDoor
from adaptive_reasoner.config import Budget, ReasonerConfig
from adaptive_reasoner.errors import ConfigurationError, LedgerError, MissingExtraError

pytest.importorskip("sqlalchemy", reason="the extra `budgets` is not installed")
DAILY = ReasonerConfig(budget=Budget(max_tokens=9, per="day"))


def test_a_path_is_an_sqlite_file(tmp_path):
    Ledger.open(str(tmp_path / "budgets.sqlite")).close()
    assert (tmp_path / "budgets.sqlite").read_bytes().startswith(b"SQLite format 3")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://localhost/x", "ledger is a mysql database; use"),
        ("redis://localhost", "redis"),
        ("://", "which is no URL"),
    ],
)
def test_another_kind_of_database_is_refused(url, said):
    with pytest.raises(ConfigurationError, match=said):
        Ledger.open(url)


@pytest.mark.postgres
def test_a_database_that_cannot_be_reached_is_one_clear_error_without_its_password():
    pytest.importorskip("psycopg", reason="needs the dependency group postgres")
    with pytest.raises(LedgerError, match=r"cannot be used: .*Nothing was spent") as raised:
        Ledger.open("postgresql://me:secret@127.0.0.1:1/budgets")
    assert raised.value.code == "ledger_unavailable"
    assert "secret" not in str(raised.value)


def test_a_folder_that_does_not_exist_is_one_clear_error(tmp_path):
    with pytest.raises(LedgerError, match="unable to open database file"):
        Ledger.open(str(tmp_path / "missing" / "ledger.sqlite"))


@pytest.mark.parametrize(
    "content", [b"this is no database at all, " * 40, b"SQLite format 3\x00" + b"\xff" * 4000]
)
def test_a_corrupt_file_is_one_clear_error_and_stays_as_it_was(tmp_path, content):
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(content)
    with pytest.raises(LedgerError, match="must be restored or moved away"):
        Ledger.open(str(path))
    assert path.read_bytes() == content


def test_a_table_with_other_columns_is_one_clear_error(tmp_path):
    path = tmp_path / "ledger.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE adaptive_reasoner_accounts (name TEXT)")
    connection.close()
    with pytest.raises(LedgerError, match="no such column"):
        Ledger.open(str(path))


@pytest.mark.parametrize(
    ("missing", "url", "extra"),
    [
        ("sqlalchemy", "sqlite://", r"adaptive-reasoner\[budgets\]"),
        ("psycopg", "postgresql://localhost/x", r"adaptive-reasoner\[postgres\]"),
    ],
)
def test_a_missing_extra_is_named(monkeypatch, missing, url, extra):
    found = util.find_spec
    monkeypatch.setattr(opening, "find_spec", lambda name: None if name == missing else found(name))
    with pytest.raises(MissingExtraError, match=extra):
        Ledger.open(url)


def test_the_environment_names_the_default(tmp_path, monkeypatch):
    monkeypatch.setenv("ADAPTIVE_REASONER_LEDGER", str(tmp_path / "named.sqlite"))
    _ = LedgerDoor(DAILY).ledger
    assert (tmp_path / "named.sqlite").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="the folder is XDG's on Linux")
def test_without_a_name_it_is_a_file_of_the_users(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    _ = LedgerDoor(DAILY).ledger
    assert (tmp_path / "adaptive-reasoner" / "ledger.sqlite").exists()


def test_nothing_is_opened_for_budgets_that_need_no_ledger(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    LedgerDoor(ReasonerConfig(budget=Budget(max_tokens=9, per="thread")))
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_that_is_given_is_used_as_it_is(ledger):
    assert LedgerDoor(ReasonerConfig(ledger=ledger)).ledger is ledger
