"""Runs somebody else's code under a deadline, so that whatever it raises can be looked at instead of caught.

Models and downstream tools may raise anything. A call in a task of its own ends as a finished future that
holds a result or an exception; only a user's Ctrl-C and LangGraph's own interrupts go on upwards.
"""

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future, wait
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from langgraph.errors import GraphBubbleUp

from adaptive_reasoner.errors import ModelTimeoutError

Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")


class DaemonThreads(Executor):
    """An executor whose threads die with the program; asyncio's own are waited for, even if they hang."""

    def submit(
        self, fn: Callable[Arguments, Result], /, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> "Future[Result]":
        """Run `fn` in a thread of its own, in the caller's context."""
        future: Future[Result] = Future()
        context = contextvars.copy_context()

        def run() -> None:
            with _Settle(future):
                result = context.run(fn, *args, **kwargs)
                if future.set_running_or_notify_cancel():
                    future.set_result(result)

        threading.Thread(target=run, name="isolated-call", daemon=True).start()
        return future


def run_isolated(call: "Callable[[], Result]", timeout_seconds: float | None = None) -> "Result | Exception":
    """The result of `call`, or the exception that it raised.

    It runs in a daemon thread: a call that hangs must keep neither the graph nor the program waiting.
    """
    future = DaemonThreads().submit(call)
    wait([future], timeout_seconds)
    return _late(timeout_seconds) if not future.done() else _result_or_error(future)


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
