"""Buckets that all replicas share: one row a bucket, one statement a request, in the database of the threads.

A row holds the moment at which its bucket is full again. A request moves it on by what it costs, and is admitted only
where that is at most a minute from now: the statement that asks is the one that takes, so replicas cannot both have
the last one.
"""

from dataclasses import dataclass

from sqlalchemy import Column, ColumnElement, Connection, Float, MetaData, Table, Text, case, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from adaptive_reasoner.server.errors import RateStoreError
from adaptive_reasoner.server.shared_store import SharedStore

_MINUTE = 60.0
# Sums of seconds since the epoch are exact to less than this; in a minute it is no request.
_ROUNDING = 1e-5
# A bucket that has been full for so long is forgotten when a server starts.
_OLD_SECONDS = 3600.0

METADATA = MetaData()
RATES = Table(
    "adaptive_reasoner_rates",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("full_at", Float(53), nullable=False),  # seconds since the epoch
)


@dataclass(frozen=True, slots=True)
class Limit:
    """One bucket.

    Attributes:
        name: whose, and of what.
        per_minute: what fits into it, and flows in a minute.
    """

    name: str
    per_minute: int

    def seconds(self, amount: float) -> float:
        """How long `amount` takes to flow in."""
        return amount * _MINUTE / self.per_minute


class SharedBuckets:
    """The buckets of all replicas.

    Args:
        url: of the threads.
    """

    def __init__(self, url: str) -> None:
        self._store = SharedStore(url, METADATA, RateStoreError)
        old = delete(RATES).where(RATES.c.full_at < self._store.now() - _OLD_SECONDS)
        self._store.run(lambda db: db.execute(old) and None)

    def close(self) -> None:
        """Close the connections."""
        self._store.close()

    async def admit(self, taken: Limit | None, asked: Limit | None) -> tuple[Limit, float] | None:
        """Take one from `taken`, if `asked` is not empty; all in one transaction.

        Returns:
            The bucket that refuses and the seconds until it does not, None where none does.

        Raises:
            RateStoreError: the database cannot be used; nothing was taken.
        """

        def work(db: Connection) -> tuple[Limit, float] | None:
            if asked is not None and (wait := self._wait(db, asked)) > 0:
                return asked, wait
            if taken is None or self._took(db, taken):
                return None
            return taken, max(self._wait(db, taken), _ROUNDING)

        return await self._store.do(work)

    async def take(self, limit: Limit, amount: float) -> None:
        """Take `amount` whatever is there; what is owed is waited for.

        Raises:
            RateStoreError: the database cannot be used; nothing was taken.
        """
        await self._store.do(lambda db: self._took(db, limit, amount, is_owed=True) and None)

    def _took(self, db: Connection, limit: Limit, amount: float = 1.0, *, is_owed: bool = False) -> bool:
        now, own = self._store.now(), sqlite.insert if self._store.is_sqlite else postgresql.insert
        moved = _later(RATES.c.full_at, now) + limit.seconds(amount)
        fits = None if is_owed else moved <= now + _MINUTE + _ROUNDING
        statement = (
            own(RATES)
            .values(name=limit.name, full_at=now + limit.seconds(amount))
            .on_conflict_do_update(index_elements=["name"], set_={"full_at": moved}, where=fits)
            .returning(RATES.c.name)
        )
        return db.execute(statement).first() is not None

    def _wait(self, db: Connection, limit: Limit) -> float:
        """Seconds until one is there, 0 or less where it is."""
        left = select(RATES.c.full_at - self._store.now()).where(RATES.c.name == limit.name)
        full_in = db.execute(left).scalar()
        return 0.0 if full_in is None else full_in + limit.seconds(1.0) - _MINUTE - _ROUNDING


def _later(one: ColumnElement[float], other: ColumnElement[float]) -> ColumnElement[float]:
    return case((one > other, one), else_=other)
