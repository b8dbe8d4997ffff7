"""Where the server listens, and how it says so."""

import asyncio
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

import uvicorn
from fastapi import FastAPI

from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.server.config import ServerSettings
from adaptive_reasoner.server.limits.drain import DrainingServer
from adaptive_reasoner.server.logs.lines import set_up
from adaptive_reasoner.server.logs.settings import LogsSection
from adaptive_reasoner.server.recording import TracesSection
from adaptive_reasoner.server.security.settings import SecuritySection
from adaptive_reasoner.server.settings import ListenSection, ModelsSection, ThreadsSection
from adaptive_reasoner.traces.store.trace_store import shown_source

_BACKLOG = 2048
# Longer than the idle connections of usual clients and balancers: who closes first must not be the server.
_KEEP_ALIVE_SECONDS = 75
# Seconds that requests under way get when the server is told to stop.
_GRACE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Listening:
    """What the server says when it listens.

    Attributes:
        url: of the console.
        base_url: for OpenAI's clients.
        fast, deep: names of the models.
        keeps_threads: True if threads outlive the server.
        records: where runs are recorded, without its password; None: nowhere.
    """

    url: str
    base_url: str
    fast: str
    deep: str
    keeps_threads: bool
    records: str | None = None


def check_address(settings: ServerSettings) -> None:
    """Without keys, nobody but this machine may ask.

    Raises:
        ConfigurationError: the address can be reached from elsewhere.
    """
    section = settings.section(ListenSection)
    if not section.is_loopback and not settings.section(SecuritySection).asks_for_keys:
        raise ConfigurationError(
            f"Without keys the server listens on this machine alone, not on {section.host}: use --host 127.0.0.1, or "
            "set up keys (security.keys_url, and `adaptive-reasoner keys create`)."
        )


def run(app: FastAPI, settings: ServerSettings, say: Callable[[Listening], None]) -> None:
    """Serve `app` until the process is told to stop; `say` is told where, before the first request.

    Raises:
        ConfigurationError: nothing can listen at the address, or what the server needs cannot be opened.
    """
    with listen(settings) as listener:
        run_at(listener, app, settings, lambda: say(listening_at(listener, settings)))


def run_at(
    listener: socket.socket, app: FastAPI, settings: ServerSettings, opened: Callable[[], None]
) -> None:
    """Serve `app` at a socket that listens; `opened` is called before the first request."""
    set_up(settings.section(LogsSection))
    server = server_of(app)
    _end_quietly(server)
    # uvloop's, where it is installed.
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(serve_app(app, server, listener, opened))


def server_of(app: FastAPI) -> uvicorn.Server:
    """Uvicorn around `app`, quiet, its lifespan left to `serve_app`."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    return DrainingServer(config)


async def serve_app(
    app: FastAPI, server: uvicorn.Server, listener: socket.socket, opened: Callable[[], None]
) -> None:
    """Open what `app` needs, then serve: what cannot be opened is raised, where uvicorn would log and exit."""
    async with app.router.lifespan_context(app):
        opened()
        await server.serve(sockets=[listener])


def _end_quietly(server: uvicorn.Server) -> None:
    """End with code 0 once everything is closed: uvicorn raises the signal anew as soon as it has stopped serving."""

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if not server.started:
            sys.exit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)


def listen(settings: ServerSettings) -> socket.socket:
    """A socket at the address of the settings.

    Raises:
        ConfigurationError: nothing can listen there.
    """
    section = settings.section(ListenSection)
    family = socket.AF_INET6 if ":" in section.host else socket.AF_INET
    # asyncio switches Nagle's algorithm off where a socket says that it is TCP; it would cost each answer 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((section.host, section.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"Nothing can listen at {section.host}:{section.port} ({error.strerror or error}); name another --port."
        ) from error
    return listener


def listening_at(listener: socket.socket, settings: ServerSettings) -> Listening:
    """What is said of a socket that listens."""
    host, port = settings.section(ListenSection).host, listener.getsockname()[1]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    models, threads = settings.section(ModelsSection), settings.section(ThreadsSection)
    keeps = threads.url != "memory" or threads.url_env is not None
    traces = settings.section(TracesSection).resolved_url()
    records = shown_source(traces) if traces else None
    return Listening(url, f"{url}/v1", models.fast, models.deep or models.fast, keeps, records)
