"""The trace store's tables.

Records and labels are only ever added. A run's figures are derived from its newest record and its labels, so that a
report reads narrow rows and no JSON; they can be made anew at any time.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

METADATA = MetaData()
VERSION_TABLE = "adaptive_reasoner_traces_version"
# SQLite numbers rows by itself only where the key is an INTEGER.
_COUNTER = BigInteger().with_variant(Integer, "sqlite")

RECORDS = Table(
    "adaptive_reasoner_trace_records",
    METADATA,
    Column("id", _COUNTER, primary_key=True, autoincrement=True),
    Column("run_id", Text, nullable=False),
    Column("revision", Integer, nullable=False),  # 0, 1, …: a graph that was resumed records its run again
    Column("recorded_at", Float, nullable=False),  # seconds since the epoch
    Column("digest", LargeBinary, nullable=False),  # of the payload's text: the same line is stored once
    Column("payload", LargeBinary, nullable=False),  # the record's JSON, zlib
    UniqueConstraint("run_id", "revision", name="adaptive_reasoner_trace_records_once"),
)

LABELS = Table(
    "adaptive_reasoner_trace_labels",
    METADATA,
    Column("id", _COUNTER, primary_key=True, autoincrement=True),
    Column("label_id", Text, nullable=False, unique=True),
    Column("run_id", Text, nullable=False),
    Column("labelled_at", Float, nullable=False),  # seconds since the epoch
    Column("payload", Text, nullable=False),  # the label's JSON
    Index("adaptive_reasoner_trace_labels_run", "run_id"),
)

# What a report reads, so that it need not read whole rows: all sums lie in one index, each ranking along another.
REPORTED = {
    "sums": (
        "stratum",
        "recorded_at",
        "input_tokens",
        "output_tokens",
        "reasoning_tokens",
        "total_tokens",
        "calls",
        "milliseconds",
        "cost_usd",
        "risk",
    ),
    "tokens": ("total_tokens", "recorded_at"),
    "milliseconds": ("milliseconds",),
    "outcome": ("correct", "risk", "recorded_at"),
}
CONTRADICTED = text("agreement < 0.5")  # no parameter: SQLite would not find the index

# One row a run. Flags and words are as `traces.monitoring` has them; the risk of a mode is that of its last answer.
FIGURES = Table(
    "adaptive_reasoner_trace_figures",
    METADATA,
    Column("run_id", Text, primary_key=True),
    Column("recorded_at", Float, nullable=False),
    Column("tenant", Text),
    Column("thread_id", Text),
    Column("version", Text, nullable=False),
    Column("model", Text, nullable=False),  # of the first answer, "" where unknown
    Column("source", Text, nullable=False),  # of triage
    Column("difficulty", Float, nullable=False),
    Column("verdict", Text, nullable=False),  # on the last round, "" without one
    Column("kind", Text, nullable=False),  # of the signal handed on
    Column("began_fast", Boolean, nullable=False),
    Column("thought", Boolean, nullable=False),
    Column("refined", Boolean, nullable=False),
    Column("reviewed", Boolean, nullable=False),
    Column("failed", Boolean, nullable=False),  # a call of it ended with an error
    Column("stopped_by", Text),  # the limit of a budget
    Column("calls", Integer, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("reasoning_tokens", BigInteger, nullable=False),
    Column("total_tokens", BigInteger, nullable=False),
    Column("cost_usd", Float),  # null: a price was unknown
    Column("milliseconds", BigInteger, nullable=False),  # of all model calls
    Column("agreement", Float),  # of the rationale with the answer
    Column("risk", Float),  # of the answer handed on
    Column("fast_risk", Float),
    Column("deep_risk", Float),
    Column("refine_risk", Float),
    # From the labels: 1 right, 0 wrong, null unknown.
    Column("correct", SmallInteger),
    Column("fast_correct", SmallInteger),
    Column("deep_correct", SmallInteger),
    Column("refine_correct", SmallInteger),
    Column("stratum", BigInteger, nullable=False, server_default="0"),  # see `strata.py`
    Index("adaptive_reasoner_trace_figures_time", "recorded_at"),
    *(Index(f"adaptive_reasoner_trace_figures_{name}", *columns) for name, columns in REPORTED.items()),
    Index(
        "adaptive_reasoner_trace_figures_contradicted",
        "recorded_at",
        sqlite_where=CONTRADICTED,
        postgresql_where=CONTRADICTED,
    ),
)
