"""Brings a store's tables to this version's, or says why that cannot be done."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from adaptive_reasoner.errors import TraceStoreError
from adaptive_reasoner.traces.store.tables import VERSION_TABLE

HEAD = "0002"
MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(db: Connection) -> None:
    """Run what migrations are missing, within the connection's transaction.

    Raises:
        TraceStoreError: the store was made by a newer version of this package.
    """
    found = version_of(db)
    if found == HEAD:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    settings = Config()
    settings.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    settings.attributes["connection"] = db
    known = {script.revision for script in ScriptDirectory.from_config(settings).walk_revisions()}
    if found is not None and found not in known:
        raise TraceStoreError(
            f"The trace store has schema {found}, this version of adaptive-reasoner knows schemas up to {HEAD}: "
            "upgrade the package, or name another store. Nothing was changed."
        )
    command.upgrade(settings, "head")


def version_of(db: Connection) -> str | None:
    """The schema's version; None where there are no tables yet."""
    if not inspect(db).has_table(VERSION_TABLE):
        return None
    return db.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608
