"""The two tables of reviews; the audit can be added to and nothing else."""

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

METADATA = MetaData()

REVIEWS = Table(
    "adaptive_reasoner_reviews",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("status", Text, nullable=False),
    Column("created_at", Float, nullable=False),  # seconds since the epoch, as all times here
    Column("tenant", Text),
    Column("key_id", Text),
    Column("case", Text, nullable=False),  # a `ReviewCase` as JSON
    Column("final", Text),  # the settled answer as JSON
    Column("is_kept", Integer, nullable=False),  # 1 once its thread, where it has one, holds the answer
    Index("adaptive_reasoner_reviews_open", "status", "created_at"),
)

AUDIT = Table(
    "adaptive_reasoner_review_audit",
    METADATA,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("review_id", Text, nullable=False),
    Column("event", Text, nullable=False),  # "asked", "marked_1", "marked_2", …, "decided"
    Column("at", Float, nullable=False),
    Column("action", Text),
    Column("key_id", Text),
    Column("tenant", Text),
    Column("reviewer", Text),
    Column("comment", Text),
    Column("before", Text),
    Column("after", Text),
    UniqueConstraint("review_id", "event"),  # no decision twice, whoever writes it
)

# Any number will do, so long as all processes that make the tables lock the same one.
_MAKING_TABLES = 6_021_027
_REFUSED = "the audit of reviews can be added to, not changed"
_SQLITE_GUARDS = tuple(
    f"CREATE TRIGGER IF NOT EXISTS {AUDIT.name}_no_{verb.lower()} BEFORE {verb} ON {AUDIT.name} "
    f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
    for verb in ("UPDATE", "DELETE")
)
_POSTGRES_GUARD = (
    f"CREATE OR REPLACE FUNCTION {AUDIT.name}_guard() RETURNS trigger LANGUAGE plpgsql "
    f"AS $$ BEGIN RAISE EXCEPTION '{_REFUSED}'; END $$; "
    f"DROP TRIGGER IF EXISTS {AUDIT.name}_guard ON {AUDIT.name}; "
    f"CREATE TRIGGER {AUDIT.name}_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON {AUDIT.name} "
    f"FOR EACH STATEMENT EXECUTE FUNCTION {AUDIT.name}_guard()"
)


def make_tables(db: Connection) -> None:
    """Make what is missing, one process at a time."""
    is_sqlite = db.dialect.name == "sqlite"
    if not is_sqlite:
        db.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MAKING_TABLES})
    METADATA.create_all(db)
    for statement in _SQLITE_GUARDS if is_sqlite else (_POSTGRES_GUARD,):
        db.exec_driver_sql(statement)
