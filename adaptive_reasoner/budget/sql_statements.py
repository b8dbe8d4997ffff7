"""The ledger's statements, built once: each call runs several, and building them costs more than SQLite takes."""

from sqlalchemy import BigInteger, Insert, bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from adaptive_reasoner.budget.ledger import Ledger
from adaptive_reasoner.budget.sql_tables import ACCOUNTS, COLUMNS, RESERVATIONS

_IS_RESERVED = RESERVATIONS.c.state == Ledger.RESERVED
_IS_AMONG = ACCOUNTS.c.name.in_(bindparam("names", expanding=True))

READ = select(ACCOUNTS).where(_IS_AMONG)
# In one order for everybody, so that no two wait for each other; SQLite has no row locks and needs none.
LOCK = READ.order_by(ACCOUNTS.c.name).with_for_update()
# Parameters: `account`, and `by_` with each column's name.
CHANGE = (
    update(ACCOUNTS)
    .where(ACCOUNTS.c.name == bindparam("account"))
    .values({name: ACCOUNTS.c[name] + bindparam(f"by_{name}", type_=BigInteger) for name in COLUMNS})
)

ATTEMPTS = select(RESERVATIONS).where(RESERVATIONS.c.key == bindparam("of_call"))
OPEN = select(RESERVATIONS).where(_IS_RESERVED, RESERVATIONS.c.leased_until > bindparam("now"))
RESERVE = insert(RESERVATIONS)
# What is set are the columns among the parameters.
RENEW = update(RESERVATIONS).where(RESERVATIONS.c.id == bindparam("row"))
SETTLE = update(RESERVATIONS).where(RESERVATIONS.c.token == bindparam("holder"), _IS_RESERVED)
IS_KNOWN = select(RESERVATIONS.c.id).where(RESERVATIONS.c.token == bindparam("holder"))
FORGET = delete(RESERVATIONS).where(~_IS_RESERVED, RESERVATIONS.c.made_at < bindparam("before"))


def open_accounts(dialect: str) -> Insert:
    """Adds accounts, but for those that are there."""
    own = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return own(ACCOUNTS).on_conflict_do_nothing()
