"""Keys in SQLite or Postgres: their hashes, never themselves."""

import json
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Column, Connection, Engine, Float, MetaData, Table, Text, insert, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from adaptive_reasoner.budget.opening import make_engine
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.server.errors import KeyStoreError
from adaptive_reasoner.server.security.keys import Key, check_name, check_scopes, digest, new_secret

METADATA = MetaData()
# Any number will do, so long as all processes that make the table lock the same one.
_MAKING_TABLES = 6_021_031

KEYS = Table(
    "adaptive_reasoner_keys",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("hash", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("tenant", Text),
    Column("scopes", Text, nullable=False),  # a JSON list
    Column("created_at", Float, nullable=False),  # seconds since the epoch, as all that follow
    Column("expires_at", Float),
    Column("revoked_at", Float),
)


class KeyStore:
    """Makes, finds, lists and revokes keys; safe to call from anywhere at once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        with self._connection("reserve") as db:
            if engine.dialect.name != "sqlite":
                db.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MAKING_TABLES})
            METADATA.create_all(db)

    @staticmethod
    def open(url: str) -> "KeyStore":
        """The store at `url`, made if it does not exist yet.

        Raises:
            ConfigurationError: the URL is neither SQLite's nor Postgres's.
            KeyStoreError: it cannot be opened.
        """
        return KeyStore(make_engine(url, "key store"))

    def create(
        self,
        name: str,
        scopes: tuple[str, ...] = ("chat",),
        tenant: str | None = None,
        *,
        seconds: float | None = None,
    ) -> tuple[Key, str]:
        """A new key, and its secret, which nobody can show a second time.

        Args:
            name: what it is for.
            scopes: what it may do.
            tenant: whose budgets and limits it uses.
            seconds: how long it is valid, None: until it is revoked.

        Raises:
            ConfigurationError: a name or a scope that cannot be.
        """
        check_name("name", name)
        check_scopes(scopes)
        if tenant is not None:
            check_name("tenant", tenant)
        if seconds is not None and seconds <= 0:
            raise ConfigurationError(f"A key cannot be valid for {seconds:g} seconds; give a time ahead.")
        identity, secret = new_secret()
        now = time.time()
        key = Key(identity, name, tenant, scopes, now, None if seconds is None else now + seconds)
        row = {"id": key.id, "hash": digest(secret), "name": name, "tenant": tenant, "created_at": now}
        with self._connection("reserve") as db:
            db.execute(
                insert(KEYS).values(
                    **row, scopes=json.dumps(scopes), expires_at=key.expires_at, revoked_at=None
                )
            )
        return key, secret

    def find(self, hashed: str) -> Key | None:
        """The key whose secret has this hash, valid or not."""
        with self._connection("read") as db:
            row = db.execute(select(KEYS).where(KEYS.c.hash == hashed)).mappings().first()
        return None if row is None else _key(dict(row))

    def all(self) -> list[Key]:
        """Every key, the oldest first, revoked ones too."""
        with self._connection("read") as db:
            rows = db.execute(select(KEYS).order_by(KEYS.c.created_at)).mappings().all()
        return [_key(dict(row)) for row in rows]

    def revoke(self, identity: str) -> bool:
        """Close a key for good; False if there is no such key. A second time changes nothing."""
        with self._connection("reserve") as db:
            found = db.execute(select(KEYS.c.id).where(KEYS.c.id == identity)).first()
            still_open = (KEYS.c.id == identity) & KEYS.c.revoked_at.is_(None)
            db.execute(update(KEYS).where(still_open).values(revoked_at=time.time()))
        return found is not None

    def close(self) -> None:
        """Give up the connections."""
        self._engine.dispose()

    @contextmanager
    def _connection(self, purpose: str) -> Generator[Connection]:
        try:
            with self._engine.connect().execution_options(purpose=purpose) as db, db.begin():
                yield db
        except SQLAlchemyError as error:
            where = self._engine.url.render_as_string(hide_password=True)
            said = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise KeyStoreError(
                f"The key store {where} cannot be used: {said}.", retry_after_seconds=5
            ) from error


def _key(row: dict[str, Any]) -> Key:
    fields = {name: row[name] for name in ("id", "name", "tenant", "created_at", "expires_at", "revoked_at")}
    return Key(scopes=tuple(json.loads(row["scopes"])), **fields)
