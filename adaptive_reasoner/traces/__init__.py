"""Recorded answers and runs: keep them, read them, replay them, report on them."""

from adaptive_reasoner.traces.jsonl_recorder import JsonlRecorder
from adaptive_reasoner.traces.store import Redaction, TraceStore

__all__ = ["JsonlRecorder", "Redaction", "TraceStore"]
