"""The ledger's two tables, and amounts as whole numbers: sums of these are exact in every database."""

import math
from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, Column, Float, Index, MetaData, Table, Text

from adaptive_reasoner.budget.limits import Spent

METADATA = MetaData()
# Calls of unknown price are counted apart: while there is one, the account's money is unknown.
COLUMNS = ("tokens", "model_calls", "milliseconds", "nano_usd", "unknown_costs")
Amounts = Mapping[str, int]

ACCOUNTS = Table(
    "adaptive_reasoner_accounts",
    METADATA,
    Column("name", Text, primary_key=True),
    *(Column(name, BigInteger, nullable=False, default=0) for name in COLUMNS),
)

RESERVATIONS = Table(
    "adaptive_reasoner_reservations",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("token", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("accounts", Text, nullable=False),  # a JSON list of names
    *(Column(name, BigInteger, nullable=False) for name in COLUMNS),
    Column("made_at", Float, nullable=False),  # seconds since the epoch
    Column("leased_until", Float, nullable=False),
    Index("adaptive_reasoner_reservations_key", "key"),
    Index("adaptive_reasoner_reservations_open", "state", "leased_until"),
)


def as_amounts(spent: Spent) -> dict[str, int]:
    """Whole milliseconds and billionths of a dollar, rounded up."""
    return {
        "tokens": spent.tokens,
        "model_calls": spent.model_calls,
        "milliseconds": _up(spent.seconds * 1e3),
        "nano_usd": _up((spent.cost_usd or 0.0) * 1e9),
        "unknown_costs": int(spent.cost_usd is None),
    }


def as_spent(row: Mapping[str, Any]) -> Spent:
    """The amounts of a row of either table."""
    cost = None if row["unknown_costs"] else row["nano_usd"] / 1e9
    return Spent(row["tokens"], row["model_calls"], row["milliseconds"] / 1e3, cost)


def difference(one: Amounts, other: Amounts) -> dict[str, int]:
    """`one` less `other`."""
    return {name: one[name] - other[name] for name in COLUMNS}


def _up(amount: float) -> int:
    """Rounded up, but not for what floating point adds in the last digits."""
    return math.ceil(amount - 1e-4)
