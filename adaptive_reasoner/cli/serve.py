"""`adaptive-reasoner serve`: the OpenAI-compatible server."""

import dataclasses
import json
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adaptive_reasoner.cli import options
from adaptive_reasoner.errors import MissingExtraError

if TYPE_CHECKING:
    from adaptive_reasoner.server.config import ServerSettings
    from adaptive_reasoner.server.listening import Listening

Json = dict[str, Any]


class ServeEngine(StrEnum):
    """What the server runs on."""

    LOCAL = "local"
    RAY = "ray"


def serve(  # noqa: PLR0913, PLR0917 - a command's options are its parameters
    host: Annotated[str | None, typer.Option(help="Address to listen on; default 127.0.0.1.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port; default 8000, 0 takes a free one.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            envvar="ADAPTIVE_REASONER_CONFIG",
            help="Settings in TOML; docs/server.md lists them.",
            metavar="FILE",
        ),
    ] = None,
    fast: options.Fast = None,
    deep: options.Deep = None,
    base_url: options.BaseUrl = None,
    api_key_env: options.ApiKeyEnv = None,
    answer_order: Annotated[
        options.AnswerOrder | None,
        typer.Option(
            help="Fast answers with a rationale after them: policy.answer_order; default think_first."
        ),
    ] = None,
    db: Annotated[
        str | None,
        typer.Option(
            help="Where threads are kept: sqlite:///FILE or postgresql://…; without it, in memory.",
            metavar="URL",
        ),
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(
            help="Where every run is kept: sqlite:///FILE, postgresql://…, or a file.", metavar="URL"
        ),
    ] = None,
    engine: Annotated[
        ServeEngine, typer.Option(help="local: this process; ray: replicas on Ray Serve (extra `ray`).")
    ] = ServeEngine.LOCAL,
    replicas: Annotated[int, typer.Option(min=1, max=256, help="Replicas of --engine ray.")] = 1,
    workers: Annotated[
        int, typer.Option(min=1, max=256, help="Processes behind the address; several need a Postgres.")
    ] = 1,
    check: Annotated[bool, typer.Option("--check", help="Check the settings and end.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Say where the server listens as one JSON object.")
    ] = False,
) -> None:
    """Serve the loop behind OpenAI's API."""
    _check_extra()
    from adaptive_reasoner.server.config import load_settings

    given: dict[str, Json] = {
        "server": {"host": host, "port": port},
        "models": {"fast": fast, "deep": deep, "base_url": base_url, "api_key_env": api_key_env},
        "policy": {"answer_order": answer_order.value if answer_order else None},
        "threads": {"url": db},
        "traces": {"url": record},
    }
    named = {table: _without_none(values) for table, values in given.items()}
    settings = load_settings(config, given=named)
    if engine is ServeEngine.RAY and not check:
        _serve_on_ray(settings, replicas, as_json=as_json)
    elif workers > 1 and not check:
        _serve_by_workers(settings, workers, as_json=as_json)
    else:
        _serve(settings, only_check=check, as_json=as_json)


def _serve_on_ray(settings: "ServerSettings", replicas: int, *, as_json: bool) -> None:
    from adaptive_reasoner.server.ray_serve import run_on_ray

    run_on_ray(settings, replicas, _say_json if as_json else _say)


def _serve_by_workers(settings: "ServerSettings", workers: int, *, as_json: bool) -> None:
    from adaptive_reasoner.server.workers import run_workers

    run_workers(settings, workers, _say_json if as_json else _say)


def _serve(settings: "ServerSettings", *, only_check: bool, as_json: bool) -> None:
    from adaptive_reasoner.server.app import create_app
    from adaptive_reasoner.server.listening import check_address, run

    check_address(settings)
    app = create_app(settings)
    if only_check:
        typer.echo('{"settings": "ok"}' if as_json else "The settings are in order.")
        return
    run(app, settings, _say_json if as_json else _say)


def _say(listening: "Listening") -> None:
    kept = "in the database" if listening.keeps_threads else "until the server stops"
    recorded = f"Every run is recorded in {listening.records}.\n" if listening.records else ""
    typer.echo(
        f"Serving {listening.fast} (fast) and {listening.deep} (deep) as adaptive, fast and deep.\n"
        f"Base URL for OpenAI's clients: {listening.base_url}; threads are kept {kept}.\n"
        f"{recorded}"
        f"Open {listening.url} in a browser; stop with Ctrl+C."
    )


def _say_json(listening: "Listening") -> None:
    typer.echo(json.dumps(dataclasses.asdict(listening)))


def _check_extra() -> None:
    for module in ("fastapi", "uvicorn"):
        if find_spec(module) is None:
            raise MissingExtraError(
                'serve needs the extra "server": pip install "adaptive-reasoner[server]".'
            )


def _without_none(values: Json) -> Json:
    return {name: value for name, value in values.items() if value is not None}
