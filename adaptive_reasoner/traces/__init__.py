"""Recorded answers and runs: read them, replay them, report on them."""
