"""What reports read: the number that runs share which are alike, and indexes that hold what is added up."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from adaptive_reasoner.traces.store.strata import AGREES, COLUMNS, FLAGS, WORDS, stratum_of
from adaptive_reasoner.traces.store.tables import CONTRADICTED, REPORTED

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_FIGURES = "adaptive_reasoner_trace_figures"
_STRATA = "adaptive_reasoner_trace_strata"  # while the migration lasts
_TABLE = sa.table(_FIGURES, sa.column("stratum"), *map(sa.column, COLUMNS))


def upgrade() -> None:
    """Number the runs that are there, then make the indexes."""
    op.add_column(_FIGURES, sa.Column("stratum", sa.BigInteger, nullable=False, server_default="0"))
    _number()
    for name, columns in REPORTED.items():
        op.create_index(f"{_FIGURES}_{name}", _FIGURES, list(columns))
    op.create_index(
        f"{_FIGURES}_contradicted",
        _FIGURES,
        ["recorded_at"],
        sqlite_where=CONTRADICTED,
        postgresql_where=CONTRADICTED,
    )


def downgrade() -> None:
    """Drop what was added."""
    for name in (*REPORTED, "contradicted"):
        op.drop_index(f"{_FIGURES}_{name}", _FIGURES)
    op.drop_column(_FIGURES, "stratum")


def _number() -> None:
    """Each kind of run is numbered here, all its rows at once by the database: a row at a time takes minutes."""
    db, key = op.get_bind(), _key().label("key")
    one_each = [sa.func.min(_TABLE.c[name]) if name == "risk" else _TABLE.c[name] for name in COLUMNS]
    agreement = sa.case((_TABLE.c.agreement >= AGREES, 1.0), (_TABLE.c.agreement < AGREES, 0.0)).label(
        "agreement"
    )
    named = [
        agreement if name == "agreement" else one.label(name)
        for name, one in zip(COLUMNS, one_each, strict=True)
    ]
    grouped = [key, *(one for one in named if one.name != "risk")]
    rows = db.execute(sa.select(key, *named).group_by(*grouped)).mappings().all()
    strata = op.create_table(
        _STRATA, sa.Column("key", sa.Text, primary_key=True), sa.Column("number", sa.BigInteger)
    )
    if rows:
        db.execute(
            sa.insert(strata), [{"key": row["key"], "number": stratum_of(_plain(row))} for row in rows]
        )
        number = sa.select(strata.c.number).where(strata.c.key == _key()).scalar_subquery()
        db.execute(sa.update(_TABLE).values(stratum=number))
    op.drop_table(_STRATA)


def _key() -> Any:
    """All that a stratum is told by as one text."""
    run = _TABLE.c
    words = [
        sa.case((run[name].is_(None), "-"), else_=_text(sa.func.length(run[name])) + ":" + run[name])
        for name in WORDS
    ]
    flags = [sa.case((run[name].is_(sa.true()), "1"), else_="0") for name in FLAGS]
    rest = [
        sa.func.coalesce(_text(run.correct), "-"),
        sa.case((run.agreement >= AGREES, "1"), (run.agreement < AGREES, "0"), else_="-"),
        sa.case((run.risk.is_(None), "0"), else_="1"),
    ]
    key, *others = (*words, *flags, *rest)
    for other in others:
        key = key.concat(other)
    return key


def _text(value: Any) -> Any:
    return sa.cast(value, sa.Text)


def _plain(row: sa.RowMapping) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()}
