"""Runs somebody else's code under a deadline, so that whatever it raises can be looked at instead of caught.

Models and downstream tools may raise anything. A call in a task of its own ends as a finished future that
holds a result or an exception; only a user's Ctrl-C and LangGraph's own interrupts go on upwards.
"""

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from langgraph.errors import GraphBubbleUp

from adaptive_reasoner.errors import ModelTimeoutError

Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")


class DaemonThreads(Executor):
    """An executor whose threads die with the program; asyncio's own are waited for, even if they hang.

    Args:
        keep_seconds: how long a thread that is done waits for the next call, which is handed over in a fraction
            of the time that starting a thread takes.
    """

    def __init__(self, keep_seconds: float = 0.0) -> None:
        self._keep_seconds = keep_seconds
        self._idle: list[_Worker] = []

    def submit(
        self, fn: Callable[Arguments, Result], /, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> "Future[Result]":
        """Run `fn` in a thread that runs nothing else meanwhile, in the caller's context."""
        future: Future[Result] = Future()
        context = contextvars.copy_context()

        def run() -> None:
            with _Settle(future):
                result = context.run(fn, *args, **kwargs)
                if future.set_running_or_notify_cancel():
                    future.set_result(result)

        worker = self._idle_worker() or _Worker(self._idle, self._keep_seconds)
        worker.inbox.put(run)
        if not worker.is_alive():
            worker.start()
        return future

    def _idle_worker(self) -> "_Worker | None":
        while self._idle:
            with suppress(IndexError):  # another thread took the last one
                worker = self._idle.pop()
                if worker.is_alive():  # a forked process does not have its parent's threads
                    return worker
        return None


class _Worker(threading.Thread):
    """Runs the calls in its inbox, one at a time, and stands among the idle ones in between."""

    def __init__(self, idle: "list[_Worker]", keep_seconds: float) -> None:
        super().__init__(name="isolated-call", daemon=True)
        self.inbox: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._idle = idle
        self._keep_seconds = keep_seconds

    def run(self) -> None:
        while call := self._next_call():
            call()
            del call  # and with it the answer, which would stay until the next one
            self._idle.append(self)

    def _next_call(self) -> Callable[[], None] | None:
        """The next call, None where none came in time; only an idle worker is handed one, so none is lost."""
        while True:
            with suppress(Empty):
                return self.inbox.get(timeout=self._keep_seconds)
            with suppress(ValueError):  # it was chosen this very moment: its call is on the way
                self._idle.remove(self)
                return None


def run_isolated(
    call: "Callable[[], Result]",
    timeout_seconds: float | None = None,
    threads: DaemonThreads | None = None,
) -> "Result | Exception":
    """The result of `call`, or the exception that it raised.

    It runs in a daemon thread: a call that hangs must keep neither the graph nor the program waiting.

    Args:
        call: what may raise, or take too long.
        timeout_seconds: how long it may take; None waits for ever.
        threads: where it runs; a caller that keeps them spares most calls the start of a thread.
    """
    future = (threads or DaemonThreads()).submit(call)
    try:
        future.exception(timeout_seconds)
    except TimeoutError:  # of this wait: what the call raises is not raised here
        return _late(timeout_seconds)
    return _result_or_error(future)


async def arun_isolated(
    call: "Coroutine[Any, Any, Result]", timeout_seconds: float | None = None
) -> "Result | Exception":
    """The same for a coroutine, which is cancelled at the deadline or when the caller is."""
    task = asyncio.ensure_future(call)
    try:
        await asyncio.wait([task], timeout=timeout_seconds)
    finally:
        late = not task.done()
        if late:
            task.add_done_callback(_forget)
            task.cancel()
    return _late(timeout_seconds) if late else _result_or_error(task)


def _result_or_error(done: "Future[Result] | asyncio.Task[Result]") -> "Result | Exception":
    error = done.exception()
    if error is None:
        return done.result()
    if isinstance(error, GraphBubbleUp) or not isinstance(error, Exception):
        raise error
    return error


def _late(timeout_seconds: float | None) -> ModelTimeoutError:
    return ModelTimeoutError(f"No answer came within {timeout_seconds or 0:g} seconds.")


def _forget(task: "asyncio.Task[Any]") -> None:
    """Look at what a call that came too late raised, or asyncio reports it as never looked at."""
    if not task.cancelled():
        task.exception()


class _Settle:
    """Passes whatever its body raises into the future, unless nobody waits for it any more."""

    def __init__(self, future: "Future[Any]") -> None:
        self._future = future

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> bool:
        if error is not None and self._future.set_running_or_notify_cancel():
            self._future.set_exception(error)
        return True
