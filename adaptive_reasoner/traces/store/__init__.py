"""The trace store: runs and labels in SQLite or Postgres, exactly once, whatever happens to the process."""

from adaptive_reasoner.traces.store.redaction import Redaction
from adaptive_reasoner.traces.store.trace_store import (
    TraceStore,
    is_store_url,
    open_database,
    open_to_read,
    shown_source,
)

__all__ = ["Redaction", "TraceStore", "is_store_url", "open_database", "open_to_read", "shown_source"]
