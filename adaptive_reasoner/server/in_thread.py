"""The server in a thread of this process: for tests, notebooks and examples."""

import asyncio
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from adaptive_reasoner.server.app import create_app
from adaptive_reasoner.server.config import ServerSettings, load_settings
from adaptive_reasoner.server.listening import (
    Listening,
    check_address,
    listen,
    listening_at,
    serve_app,
    server_of,
)
from adaptive_reasoner.server.questions import ServedModels


@contextmanager
def serving(
    settings: ServerSettings | None = None, *, models: ServedModels | None = None
) -> Generator[Listening]:
    """Serve for as long as the `with` block runs.

    Args:
        settings: None takes the defaults at a free port, whatever the environment says.
        models: instead of those that the settings name.

    Yields:
        Where the server listens.

    Raises:
        ConfigurationError: a setting cannot be used, or what the server needs cannot be opened.
    """
    settings = settings or load_settings(environment={}, given={"server": {"port": 0}})
    check_address(settings)
    app = create_app(settings, models=models)
    with listen(settings) as listener, ThreadPoolExecutor(1, "server") as thread:
        server, opened = server_of(app), threading.Event()
        done = thread.submit(asyncio.run, serve_app(app, server, listener, opened.set))
        done.add_done_callback(lambda _: opened.set())
        try:
            opened.wait()
            if done.done():
                done.result()
            yield listening_at(listener, settings)
        finally:
            server.should_exit = True
