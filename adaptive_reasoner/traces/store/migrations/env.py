"""Run by Alembic: migrates over the connection, and within the transaction, that `schema.py` hands in."""

from alembic import context

from adaptive_reasoner.traces.store.tables import METADATA, VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
