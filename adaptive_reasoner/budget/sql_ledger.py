"""A ledger in SQLite or Postgres, through the same statements.

A claim locks its accounts in one order (SQLite: the whole file), adds up, decides and writes in one transaction. An
account's total holds what was spent and what is reserved; settling corrects it by the difference.
"""

import json
import os
import threading
import time
import uuid
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from adaptive_reasoner.budget.ledger import (
    Claim,
    Grant,
    Ledger,
    Reservation,
    Standing,
    allowed_now,
    is_tight,
    should_wait,
)
from adaptive_reasoner.budget.limits import Allowance, Spent
from adaptive_reasoner.budget.opening import as_ledger_error
from adaptive_reasoner.budget.owners import has_ended, this_process
from adaptive_reasoner.budget.sql_tables import (
    ACCOUNTS,
    COLUMNS,
    METADATA,
    RESERVATIONS,
    Amounts,
    as_amounts,
    as_spent,
    difference,
)

Row = Mapping[str, Any]
_NOTHING: Amounts = dict.fromkeys(COLUMNS, 0)
# A lease outlives the longest call by this; a call without a limit is taken to last an hour.
_LEASE_MARGIN_SECONDS = 60.0
_LONGEST_CALL_SECONDS = 3600.0
_KEEP_DONE_SECONDS = 30 * 86400.0
# Any number will do, so long as all processes that make the tables lock the same one.
_MAKING_TABLES = 6_021_023
# Tokens of the reservations whose calls are under way in this process.
_IN_FLIGHT: set[str] = set()


class SqlLedger(Ledger):
    """Keeps the accounts in the engine's database, whose tables it makes."""

    def __init__(self, engine: Engine, wait_seconds: float = 10.0) -> None:
        self.wait_seconds = wait_seconds
        self._engine = engine
        self._process = os.getpid()
        self._is_sqlite = engine.dialect.name == "sqlite"
        # SQLite's own waiting sleeps longer and longer; threads of one process queue here instead.
        self._queue = threading.Lock()
        with self._transaction() as db:
            self._make_tables(db)

    def reserve(self, claim: Claim) -> Grant:
        """Hold the worst case of a call, if it fits."""
        names = sorted(set(claim.accounts.values()))
        with self._transaction() as db:
            totals = self._locked(db, names)
            attempts, orphan = self._attempts(db, claim.key)
            before = {name: _without(totals[name], name, orphan) for name in names}
            allowed, must_wait = self._decided(db, claim, before, orphan)
            if must_wait or allowed.refusal:
                return Grant(allowed, should_wait=must_wait)
            if orphan:
                self._take_back(db, orphan)
            identity = orphan["id"] if orphan else f"{claim.key}#{attempts}"
            worst = claim.call.worst_case(allowed)
            reservation = Reservation(identity, uuid.uuid4().hex, tuple(names), worst)
            for name in names:
                self._change(db, name, as_amounts(worst))
            self._write(db, claim, reservation, is_new=orphan is None)
            _IN_FLIGHT.add(reservation.token)
        return Grant(allowed, reservation)

    def settle(self, reservation: Reservation, spent: Spent | None) -> None:
        """Count what the call really took and give the rest back."""
        _IN_FLIGHT.discard(reservation.token)
        actual = as_amounts(spent) if spent else _NOTHING
        state = self.SETTLED if spent else self.RELEASED
        with self._transaction() as db:
            self._locked(db, sorted(reservation.accounts))
            mine = RESERVATIONS.c.id == reservation.id, RESERVATIONS.c.token == reservation.token
            still_held = (*mine, RESERVATIONS.c.state == self.RESERVED)
            done = db.execute(update(RESERVATIONS).where(*still_held).values(state=state, **actual))
            if done.rowcount:
                change = difference(actual, as_amounts(reservation.held))
            elif db.execute(select(RESERVATIONS.c.id).where(*mine)).first():
                return  # it was settled before
            else:
                change = dict(actual)  # a resumed run took the reservation over: both calls were made
            for name in sorted(reservation.accounts):
                self._change(db, name, change)

    def standings(self, accounts: Sequence[str]) -> dict[str, Standing]:
        """What was spent on each account so far."""
        with self._transaction(only_reads=True) as db:
            rows = db.execute(select(ACCOUNTS).where(ACCOUNTS.c.name.in_(accounts))).mappings()
            totals: dict[str, Amounts] = {row["name"]: {**row} for row in rows}
            held = self._held(db, accounts)
        return {name: _standing(totals.get(name, _NOTHING), held[name]) for name in accounts}

    def close(self) -> None:
        """Give up the connections."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self, *, only_reads: bool = False) -> Generator[Connection]:
        if self._process != os.getpid():  # a fork must not use its parent's connections
            self._engine.dispose(close=False)
            self._process, self._queue = os.getpid(), threading.Lock()
        with (
            self._queue if self._is_sqlite else nullcontext(),
            as_ledger_error(self._engine),
            self._engine.connect().execution_options(only_reads=only_reads) as db,
            db.begin(),
        ):
            yield db

    def _make_tables(self, db: Connection) -> None:
        if not self._is_sqlite:
            db.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MAKING_TABLES})
        METADATA.create_all(db)
        for table in (ACCOUNTS, RESERVATIONS):
            db.execute(select(table).limit(1)).first()  # a table of that name with other columns fails here
        old = RESERVATIONS.c.made_at < time.time() - _KEEP_DONE_SECONDS
        db.execute(delete(RESERVATIONS).where(RESERVATIONS.c.state != self.RESERVED, old))

    def _locked(self, db: Connection, names: Sequence[str]) -> dict[str, Amounts]:
        """The accounts' totals, which nobody else can change until the transaction ends."""
        insert_ = sqlite.insert if self._is_sqlite else postgresql.insert
        query = select(ACCOUNTS).where(ACCOUNTS.c.name.in_(names)).order_by(ACCOUNTS.c.name).with_for_update()
        rows = db.execute(query).mappings().all()
        if len(rows) < len(names):
            new = [{"name": name, **_NOTHING} for name in names]
            db.execute(insert_(ACCOUNTS).on_conflict_do_nothing(), new)
            rows = db.execute(query).mappings().all()
        return {row["name"]: {name: row[name] for name in COLUMNS} for row in rows}

    def _attempts(self, db: Connection, key: str) -> tuple[int, Row | None]:
        """How often the call was reserved, and the reservation that a dead attempt left, if there is one."""
        found = db.execute(select(RESERVATIONS).where(RESERVATIONS.c.key == key)).mappings()
        rows: list[Row] = [{**row} for row in found]
        orphans = [row for row in rows if row["state"] == self.RESERVED and _is_orphan(row)]
        return len(rows), orphans[0] if orphans else None

    def _decided(
        self, db: Connection, claim: Claim, totals: Mapping[str, Amounts], orphan: Row | None
    ) -> tuple[Allowance, bool]:
        """What it may take, and whether to wait; who holds what is looked up only where that matters."""
        allowed = allowed_now(claim, {name: _standing(total) for name, total in totals.items()})
        if not claim.is_patient or not is_tight(allowed, claim.call):
            return allowed, False
        held = self._held(db, [*totals], except_id=orphan["id"] if orphan else None)
        standings = {name: _standing(total, held[name]) for name, total in totals.items()}
        return allowed, should_wait(claim, allowed, standings)

    def _take_back(self, db: Connection, orphan: Row) -> None:
        """What a dead attempt holds, before its successor reserves anew; it may be in yesterday's account."""
        names = _names(orphan)
        self._locked(db, names)
        for name in names:
            self._change(db, name, difference(_NOTHING, orphan))

    def _held(
        self, db: Connection, names: Collection[str], except_id: str | None = None
    ) -> dict[str, list[Row]]:
        """Reservations of calls under way, by account."""
        is_open = RESERVATIONS.c.state == self.RESERVED, RESERVATIONS.c.leased_until > time.time()
        found = db.execute(select(RESERVATIONS).where(*is_open)).mappings()
        rows: list[Row] = [{**row} for row in found]
        alive = [row for row in rows if row["id"] != except_id and not _is_orphan(row)]
        return {name: [row for row in alive if name in _names(row)] for name in names}

    def _write(self, db: Connection, claim: Claim, reservation: Reservation, *, is_new: bool) -> None:
        now = time.time()
        lasts = claim.call.seconds or _LONGEST_CALL_SECONDS
        values = {
            "token": reservation.token,
            "owner": this_process(),
            "accounts": json.dumps(reservation.accounts),
            "leased_until": now + lasts + _LEASE_MARGIN_SECONDS,
            **as_amounts(reservation.held),
        }
        if is_new:
            row = {"id": reservation.id, "key": claim.key, "state": self.RESERVED, "made_at": now, **values}
            db.execute(insert(RESERVATIONS).values(row))
        else:
            db.execute(update(RESERVATIONS).where(RESERVATIONS.c.id == reservation.id).values(values))

    @staticmethod
    def _change(db: Connection, name: str, by: Amounts) -> None:
        changed = {column: ACCOUNTS.c[column] + by[column] for column in COLUMNS}
        db.execute(update(ACCOUNTS).where(ACCOUNTS.c.name == name).values(changed))


def _is_orphan(row: Row) -> bool:
    """True if nobody will settle it: its process has ended, or has lost it, or its lease has."""
    if row["owner"] == this_process():
        return row["token"] not in _IN_FLIGHT
    return row["leased_until"] < time.time() or has_ended(row["owner"])


def _names(row: Row | None) -> list[str]:
    return json.loads(row["accounts"]) if row else []


def _without(total: Amounts, name: str, orphan: Row | None) -> Amounts:
    return difference(total, orphan) if orphan and name in _names(orphan) else total


def _standing(total: Amounts, held: Sequence[Row] = ()) -> Standing:
    under_way = {name: sum(row[name] for row in held) for name in COLUMNS}
    return Standing(as_spent(difference(total, under_way)), as_spent(under_way))
