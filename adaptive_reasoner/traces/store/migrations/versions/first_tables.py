"""The first tables: records and labels, which are only added, and the figures derived from them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_COUNTER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "adaptive_reasoner_trace_records",
        sa.Column("id", _COUNTER, primary_key=True, autoincrement=True),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("recorded_at", sa.Float, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("run_id", "revision", name="adaptive_reasoner_trace_records_once"),
    )
    op.create_table(
        "adaptive_reasoner_trace_labels",
        sa.Column("id", _COUNTER, primary_key=True, autoincrement=True),
        sa.Column("label_id", sa.Text, nullable=False, unique=True),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("labelled_at", sa.Float, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
    )
    op.create_index("adaptive_reasoner_trace_labels_run", "adaptive_reasoner_trace_labels", ["run_id"])
    op.create_table("adaptive_reasoner_trace_figures", *_figures())
    op.create_index(
        "adaptive_reasoner_trace_figures_time", "adaptive_reasoner_trace_figures", ["recorded_at"]
    )


def downgrade() -> None:
    """Drop the tables, with all that was recorded."""
    for name in ("figures", "labels", "records"):
        op.drop_table(f"adaptive_reasoner_trace_{name}")


def _figures() -> list["sa.Column[object]"]:
    texts = ("version", "model", "source", "verdict", "kind")
    flags = ("began_fast", "thought", "refined", "reviewed", "failed")
    tokens = ("input_tokens", "output_tokens", "reasoning_tokens", "total_tokens", "milliseconds")
    shares = ("cost_usd", "agreement", "risk", "fast_risk", "deep_risk", "refine_risk")
    outcomes = ("correct", "fast_correct", "deep_correct", "refine_correct")
    return [
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("recorded_at", sa.Float, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("tenant", "thread_id", "stopped_by")),
        *(sa.Column(name, sa.Text, nullable=False) for name in texts),
        sa.Column("difficulty", sa.Float, nullable=False),
        *(sa.Column(name, sa.Boolean, nullable=False) for name in flags),
        sa.Column("calls", sa.Integer, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in tokens),
        *(sa.Column(name, sa.Float) for name in shares),
        *(sa.Column(name, sa.SmallInteger) for name in outcomes),
    ]
