"""Idempotency keys that all replicas share, in SQLite or Postgres beside the threads.

A key is claimed by one statement. Its claim is a lease that the replica renews while it answers: where the replica
dies, the key is free again once the lease is over.
"""

import asyncio
import hashlib
import logging
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    Table,
    Text,
    delete,
    null,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from adaptive_reasoner.server.errors import IdempotencyStoreError
from adaptive_reasoner.server.idempotency import Stored, in_progress, mismatch
from adaptive_reasoner.server.settings import AnswersSection
from adaptive_reasoner.server.shared_store import SharedStore

_LOG = logging.getLogger(__name__)
# A lease is renewed so often in its time; old answers are forgotten at the same moments.
_BEATS = 3
# A key that is released between our two looks at it is tried again.
_TRIES = 3

METADATA = MetaData()
KEYS = Table(
    "adaptive_reasoner_idempotency",
    METADATA,
    Column("key", Text, primary_key=True),  # a hash of caller and key
    Column("digest", Text, nullable=False),  # of the request
    Column("claim", Text, nullable=False),  # whoever holds it may answer
    Column(
        "until", Float, nullable=False, index=True
    ),  # of the lease, then of the answer; seconds since the epoch
    Column("status", Integer),  # of the answer, null while there is none
    Column("media_type", Text),
    Column("body", LargeBinary),
)


class SharedIdempotency:
    """An `IdempotencyStore` of any number of processes.

    Args:
        url: of the threads.
        section: how long answers and leases are kept.
    """

    def __init__(self, url: str, section: AnswersSection) -> None:
        self._store = SharedStore(url, METADATA, IdempotencyStoreError)
        self._section = section
        self._claims: dict[str, str] = {}

    @asynccontextmanager
    async def open(self) -> AsyncGenerator["SharedIdempotency"]:
        """Renew leases for as long as the block runs."""
        beating = asyncio.ensure_future(self._beat())
        try:
            yield self
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating
            self._store.close()

    async def begin(self, key: str, digest: str) -> Stored | None:
        """See `IdempotencyStore`.

        Raises:
            IdempotencyStoreError: the database cannot be used; nothing is claimed.
        """
        name, claim = _hashed(key), uuid.uuid4().hex
        for _ in range(_TRIES):
            is_ours, row = await self._store.do(lambda db: self._claim(db, (name, digest, claim)))
            if is_ours:
                self._claims[name] = claim
                return None
            if row is not None:
                return _answer_in(row, digest)
        raise in_progress()

    async def finish(self, key: str, stored: Stored) -> None:
        """See `IdempotencyStore`; an answer that cannot be kept is sent all the same."""
        name = _hashed(key)
        if (claim := self._claims.pop(name, None)) is None:
            return
        kept = {
            "status": stored.status,
            "media_type": stored.media_type,
            "body": stored.body,
            "until": self._store.now() + self._section.idempotency_seconds,
        }
        change = update(KEYS).where(KEYS.c.key == name, KEYS.c.claim == claim).values(kept)
        try:
            await self._store.do(lambda db: db.execute(change) and None)
        except IdempotencyStoreError as error:
            _LOG.warning("an answer was not kept for its idempotency key: %s", error)

    async def release(self, key: str) -> None:
        """See `IdempotencyStore`; where the database is away, the lease ends by itself."""
        name = _hashed(key)
        if (claim := self._claims.pop(name, None)) is None:
            return
        with suppress(IdempotencyStoreError):
            statement = delete(KEYS).where(KEYS.c.key == name, KEYS.c.claim == claim)
            await self._store.do(lambda db: db.execute(statement) and None)

    def _claim(self, db: Connection, what: tuple[str, str, str]) -> tuple[bool, Row[Any] | None]:
        """Take the key if nobody has it, or whoever had it let it lapse; else what is there."""
        name, digest, claim = what
        now, own = self._store.now(), sqlite.insert if self._store.is_sqlite else postgresql.insert
        fresh = {"digest": digest, "claim": claim, "until": now + self._lease}
        empty = {"status": null(), "media_type": null(), "body": null()}
        statement = (
            own(KEYS)
            .values(key=name, **fresh)
            .on_conflict_do_update(index_elements=["key"], set_={**fresh, **empty}, where=KEYS.c.until < now)
            .returning(KEYS.c.claim)
        )
        if db.execute(statement).first() is not None:
            return True, None
        return False, db.execute(select(KEYS).where(KEYS.c.key == name)).first()

    @property
    def _lease(self) -> float:
        return self._section.idempotency_lease_seconds

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._lease / _BEATS)
            with suppress(IdempotencyStoreError):  # the next beat tries again
                await self._store.do(self._keep_up)

    def _keep_up(self, db: Connection) -> None:
        """Renew our leases, and forget what is old or too much."""
        now, is_answered = self._store.now(), KEYS.c.status.is_not(None)
        if self._claims:
            ours = KEYS.c.claim.in_([*self._claims.values()]) & ~is_answered
            db.execute(update(KEYS).where(ours).values(until=now + self._lease))
        db.execute(delete(KEYS).where(KEYS.c.until < now))
        newest = select(KEYS.c.key).where(is_answered).order_by(KEYS.c.until.desc())
        too_many = newest.offset(self._section.idempotency_entries)
        db.execute(delete(KEYS).where(KEYS.c.key.in_(too_many)))


def _answer_in(row: Row[Any], digest: str) -> Stored:
    if row.digest != digest:
        raise mismatch()
    if row.status is None:
        raise in_progress()
    return Stored(bytes(row.body), row.media_type, row.status)


def _hashed(key: str) -> str:
    """What stands in the database: a key may say more than its sender means it to."""
    return hashlib.sha256(key.encode()).hexdigest()
