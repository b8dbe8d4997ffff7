"""Recorded answers and runs: keep them, read them, replay them, report on them."""

from adaptive_reasoner.traces.jsonl_recorder import JsonlRecorder

__all__ = ["JsonlRecorder"]
