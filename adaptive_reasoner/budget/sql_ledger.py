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
from typing import Any, Literal

from sqlalchemy import Connection, Engine, select, text

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
from adaptive_reasoner.budget.sql_statements import (
    ATTEMPTS,
    CHANGE,
    FORGET,
    IS_KNOWN,
    LOCK,
    OPEN,
    READ,
    RENEW,
    RESERVE,
    SETTLE,
    open_accounts,
)
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
        with self._transaction("reserve") as db:
            self._make_tables(db)

    def reserve(self, claim: Claim) -> Grant:
        """Hold the worst case of a call, if it fits."""
        names = sorted(set(claim.accounts.values()))
        with self._transaction("reserve") as db:
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
            self._change(db, names, as_amounts(worst))
            lease = time.time() + (claim.call.seconds or _LONGEST_CALL_SECONDS) + _LEASE_MARGIN_SECONDS
            row = _row(reservation, claim.key, lease)
            db.execute(RENEW, {**row, "row": identity}) if orphan else db.execute(RESERVE, row)
            _IN_FLIGHT.add(reservation.token)
        return Grant(allowed, reservation)

    def settle(self, reservation: Reservation, spent: Spent | None) -> None:
        """Count what the call really took and give the rest back."""
        _IN_FLIGHT.discard(reservation.token)
        actual = as_amounts(spent) if spent else _NOTHING
        state = self.SETTLED if spent else self.RELEASED
        with self._transaction("settle") as db:
            self._locked(db, sorted(reservation.accounts))
            holder = {"holder": reservation.token}
            if db.execute(SETTLE, {"state": state, **actual, **holder}).rowcount:
                change = difference(actual, as_amounts(reservation.held))
            elif db.execute(IS_KNOWN, holder).first():
                return  # it was settled before
            else:  # a resumed run took the reservation over: both calls were made
                change = dict(actual)
                late = _row(reservation, reservation.id, leased_until=0.0)
                db.execute(RESERVE, {**late, "id": reservation.token, "state": state, **actual})
            self._change(db, reservation.accounts, change)

    def standings(self, accounts: Sequence[str]) -> dict[str, Standing]:
        """What was spent on each account so far."""
        with self._transaction("read") as db:
            rows = db.execute(READ, {"names": [*accounts]}).mappings()
            totals: dict[str, Amounts] = {row["name"]: {**row} for row in rows}
            held = self._held(db, accounts)
        return {name: _standing(totals.get(name, _NOTHING), held[name]) for name in accounts}

    def close(self) -> None:
        """Give up the connections."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self, purpose: Literal["reserve", "settle", "read"]) -> Generator[Connection]:
        if self._process != os.getpid():  # a fork must not use its parent's connections
            self._engine.dispose(close=False)
            self._process, self._queue = os.getpid(), threading.Lock()
        with (
            self._queue if self._is_sqlite else nullcontext(),
            as_ledger_error(self._engine),
            self._engine.connect().execution_options(purpose=purpose) as db,
            db.begin(),
        ):
            yield db

    def _make_tables(self, db: Connection) -> None:
        if not self._is_sqlite:
            db.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MAKING_TABLES})
        METADATA.create_all(db)
        for table in (ACCOUNTS, RESERVATIONS):
            db.execute(select(table).limit(1)).first()  # a table of that name with other columns fails here
        db.execute(FORGET, {"before": time.time() - _KEEP_DONE_SECONDS})

    def _locked(self, db: Connection, names: Sequence[str]) -> dict[str, Amounts]:
        """The accounts' totals, which nobody else can change until the transaction ends."""
        rows = db.execute(LOCK, {"names": names}).mappings().all()
        if len(rows) < len(names):
            db.execute(
                open_accounts(self._engine.dialect.name), [{"name": name, **_NOTHING} for name in names]
            )
            rows = db.execute(LOCK, {"names": names}).mappings().all()
        return {row["name"]: {name: row[name] for name in COLUMNS} for row in rows}

    def _attempts(self, db: Connection, key: str) -> tuple[int, Row | None]:
        """How often the call was reserved, and the reservation that a dead attempt left, if there is one."""
        rows: list[Row] = [{**row} for row in db.execute(ATTEMPTS, {"of_call": key}).mappings()]
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
        self._change(db, names, difference(_NOTHING, orphan))

    def _held(
        self, db: Connection, names: Collection[str], except_id: str | None = None
    ) -> dict[str, list[Row]]:
        """Reservations of calls under way, by account."""
        rows: list[Row] = [{**row} for row in db.execute(OPEN, {"now": time.time()}).mappings()]
        alive = [row for row in rows if row["id"] != except_id and not _is_orphan(row)]
        return {name: [row for row in alive if name in _names(row)] for name in names}

    @staticmethod
    def _change(db: Connection, names: Collection[str], by: Amounts) -> None:
        amounts = {f"by_{column}": by[column] for column in COLUMNS}
        db.execute(CHANGE, [{"account": name, **amounts} for name in sorted(names)])


def _row(reservation: Reservation, key: str, leased_until: float) -> dict[str, Any]:
    return {
        "id": reservation.id,
        "key": key,
        "token": reservation.token,
        "owner": this_process(),
        "state": Ledger.RESERVED,
        "accounts": json.dumps(reservation.accounts),
        **as_amounts(reservation.held),
        "made_at": time.time(),
        "leased_until": leased_until,
    }


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
