"""`adaptive-reasoner keys create|list|revoke`: who may ask the server."""

import dataclasses
import json
import time
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adaptive_reasoner.cli.options import NoColor
from adaptive_reasoner.errors import ConfigurationError, MissingExtraError

if TYPE_CHECKING:
    from adaptive_reasoner.server.config import ServerSettings
    from adaptive_reasoner.server.security.key_store import KeyStore
    from adaptive_reasoner.server.security.keys import Key

_DAY_SECONDS = 86_400.0

Config = Annotated[
    Path | None,
    typer.Option(envvar="ADAPTIVE_REASONER_CONFIG", help="The server's settings in TOML.", metavar="FILE"),
]
Database = Annotated[
    str | None,
    typer.Option(
        help="Where keys are kept: sqlite:///FILE or postgresql://…; without it, security.keys_url.",
        metavar="URL",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

keys_app = typer.Typer(
    help="Keys of the server: make, list, revoke.",
    epilog="Example: adaptive-reasoner keys create chatbot --db sqlite:///keys.sqlite",
    no_args_is_help=True,
)


@keys_app.command(
    epilog="Example: adaptive-reasoner keys create chatbot --tenant acme --scope chat --days 90"
)
def create(  # noqa: PLR0913, PLR0917 - a command's options are its parameters
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    tenant: Annotated[str | None, typer.Option(help="Whose budgets and limits it uses.")] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="What it may do: chat (the default), reviews, metrics, admin; repeat it."),
    ] = None,
    days: Annotated[
        float | None, typer.Option(min=0, help="Valid for so many days; without it, until it is revoked.")
    ] = None,
    db: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and show it, once: the server keeps only its hash."""
    settings = _settings(db, config)
    _check_tenant(settings, tenant)
    store = _open(settings)
    seconds = None if days is None else days * _DAY_SECONDS
    key, secret = store.create(name, tuple(scope or ("chat",)), tenant, seconds=seconds)
    store.close()
    if as_json:
        typer.echo(json.dumps({**_plain(key), "key": secret}))
        return
    typer.echo(secret)
    typer.echo(f"Key {key.id} ({', '.join(key.scopes)}). It is not shown again: keep it now.", err=True)


@keys_app.command("list", epilog="Example: adaptive-reasoner keys list --db sqlite:///keys.sqlite")
def list_keys(
    db: Database = None, config: Config = None, as_json: AsJson = False, no_color: NoColor = False
) -> None:
    """Show every key: what it is for and whether it is valid, never the key itself."""
    store = _open(_settings(db, config))
    keys = store.all()
    store.close()
    if as_json:
        typer.echo(json.dumps([_plain(key) for key in keys]))
        return
    from rich.table import Table

    from adaptive_reasoner.cli.render import make_console

    table = Table("id", "name", "tenant", "scopes", "made", "state")
    for key in keys:
        table.add_row(
            key.id, key.name, key.tenant or "-", " ".join(key.scopes), _day(key.created_at), _state(key)
        )
    make_console(no_color=no_color).print(table)


@keys_app.command(epilog="Example: adaptive-reasoner keys revoke 3f2a9c01b2d4 --db sqlite:///keys.sqlite")
def revoke(
    key_id: Annotated[str, typer.Argument(help="The key's id, as `keys list` shows it.")],
    db: Database = None,
    config: Config = None,
) -> None:
    """Close a key for good; servers notice within `security.keys_cache_seconds`."""
    store = _open(_settings(db, config))
    is_known = store.revoke(key_id)
    store.close()
    if not is_known:
        raise ConfigurationError(
            f"There is no key {key_id!r}; `adaptive-reasoner keys list` shows those that are."
        )
    typer.echo(f"Revoked {key_id}.")


def _settings(db: str | None, config: Path | None) -> "ServerSettings":
    for module in ("fastapi", "sqlalchemy"):
        if find_spec(module) is None:
            raise MissingExtraError('keys needs the extra "server": pip install "adaptive-reasoner[server]".')
    from adaptive_reasoner.server.config import load_settings

    given: dict[str, dict[str, Any]] = (
        {} if db is None else {"security": {"keys_url": db, "keys_url_env": None}}
    )
    return load_settings(config, given=given)


def _open(settings: "ServerSettings") -> "KeyStore":
    from adaptive_reasoner.server.security.key_store import KeyStore
    from adaptive_reasoner.server.security.settings import SecuritySection

    return KeyStore.open(settings.section(SecuritySection).resolved_keys_url())


def _check_tenant(settings: "ServerSettings", tenant: str | None) -> None:
    """A server with these settings would answer such a key with 403."""
    from adaptive_reasoner.server.limits.settings import TenantsSection

    known = settings.section(TenantsSection).known
    if known and tenant is not None and tenant not in known:
        raise ConfigurationError(
            f"The settings know no tenant {tenant!r}, only {', '.join(sorted(known))}: "
            f"add [tenants.known.{tenant}], or name one of these."
        )


def _plain(key: "Key") -> dict[str, Any]:
    return {**dataclasses.asdict(key), "valid": key.is_valid(time.time())}


def _state(key: "Key") -> str:
    if key.revoked_at is not None:
        return f"revoked {_day(key.revoked_at)}"
    if key.expires_at is None:
        return "valid"
    return f"{'valid' if key.is_valid(time.time()) else 'expired'} until {_day(key.expires_at)}"


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).date().isoformat()
