"""Alembic's migrations of the trace store; `schema.py` runs them when a store is opened."""
