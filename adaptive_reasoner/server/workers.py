"""Several processes behind one address: `serve --workers N`.

The parent holds the socket, starts the workers, starts one anew that died, and passes the signal to stop on to all.
Each worker is the whole server; what they must agree on lies in their Postgres, as with replicas.
"""

import logging
import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from types import FrameType

from adaptive_reasoner.errors import AdaptiveReasonerError, ConfigurationError
from adaptive_reasoner.server.app import create_app
from adaptive_reasoner.server.config import ServerSettings
from adaptive_reasoner.server.listening import Listening, check_address, listen, listening_at, run_at
from adaptive_reasoner.server.ray_serve import check_shared

_LOG = logging.getLogger(__name__)
_SPAWN = multiprocessing.get_context("spawn")
_LOOK_SECONDS = 0.5
_READY = ""


def run_workers(settings: ServerSettings, workers: int, say: Callable[[Listening], None]) -> None:
    """Serve until the process is told to stop; `say` is told where, before the first request.

    Raises:
        ConfigurationError: a setting cannot be used, or one that several processes cannot share.
    """
    check_shared(settings, workers)
    check_address(settings)
    create_app(settings)  # what cannot be used is said here, once
    stop = threading.Event()
    with listen(settings) as listener:
        crew = _Crew(listener, settings)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: stop.set())
        try:
            crew.start(workers)
            say(listening_at(listener, settings))
            while not stop.wait(_LOOK_SECONDS):
                crew.replace_dead()
        finally:
            crew.end()


class _Crew:
    """The workers of one socket."""

    def __init__(self, listener: socket.socket, settings: ServerSettings) -> None:
        self._listener, self._settings = listener, settings
        self._workers: dict[SpawnProcess, Connection] = {}
        self._ready: set[SpawnProcess] = set()

    def start(self, workers: int) -> None:
        """Start so many and wait until each is ready: the first alone, which makes the tables.

        Raises:
            ConfigurationError: one is not, and says why.
        """
        self._add()
        self._wait()
        for _ in range(workers - 1):
            self._add()
        self._wait()

    def _wait(self) -> None:
        waiting = {worker: told for worker, told in self._workers.items() if worker not in self._ready}
        for worker, told in waiting.items():
            if (problem := _told(worker, told)) != _READY:
                raise ConfigurationError(problem)
            self._ready.add(worker)

    def replace_dead(self) -> None:
        """Start a worker for each one that died; requests wait at the socket meanwhile."""
        dead = [worker for worker in self._workers if worker.exitcode is not None]
        for worker in dead:
            _LOG.error("A worker died with code %s; another is started", worker.exitcode)
            self._workers.pop(worker).close()
            self._ready.discard(worker)
            self._add()

    def end(self) -> None:
        """Let each finish what it has begun."""
        for worker in self._workers:
            if worker.exitcode is None:
                worker.terminate()
        for worker in self._workers:
            worker.join()

    def _add(self) -> None:
        told, tell = _SPAWN.Pipe(duplex=False)
        worker = _SPAWN.Process(target=_work, args=(self._listener, self._settings, tell), name="worker")
        worker.start()
        tell.close()
        self._workers[worker] = told


def _told(worker: SpawnProcess, told: Connection) -> str:
    try:
        return str(told.recv())
    except EOFError:
        worker.join()
        return f"A worker ended with code {worker.exitcode} before it could serve; its log says why."


def _work(listener: socket.socket, settings: ServerSettings, tell: Connection) -> None:
    """One worker's life."""

    def until_ready(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, until_ready)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        run_at(listener, create_app(settings), settings, lambda: tell.send(_READY))
    except AdaptiveReasonerError as error:
        tell.send(str(error))


def _end_with_parent() -> None:
    """A worker whose parent was killed must not hold the address for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
