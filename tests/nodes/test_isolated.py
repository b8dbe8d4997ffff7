"""Other people's code under a deadline."""

import asyncio
import contextvars
import threading
import time

import pytest
from langgraph.errors import GraphInterrupt

from adaptive_reasoner.errors import ModelTimeoutError
from adaptive_reasoner.nodes.isolated import DaemonThreads, arun_isolated, run_isolated

NAME = contextvars.ContextVar("NAME", default="nobody")


async def give(value):
    return value


async def fail(error):
    raise error


def raising(error):
    def call():
        raise error

    return call


def test_gives_the_result():
    assert run_isolated(lambda: 42) == 42
    assert asyncio.run(arun_isolated(give(42))) == 42


@pytest.mark.parametrize("error", [ValueError("no"), StopIteration(), TimeoutError(), RecursionError()])
def test_gives_what_was_raised(error):
    assert run_isolated(raising(error)) is error
    if not isinstance(error, StopIteration):  # which no coroutine can raise
        assert asyncio.run(arun_isolated(fail(error))) is error


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GraphInterrupt])
def test_lets_through_what_is_not_the_calls_own(error):
    with pytest.raises(error):
        run_isolated(raising(error()))


async def test_lets_an_interrupt_of_the_graph_through():
    with pytest.raises(GraphInterrupt):
        await arun_isolated(fail(GraphInterrupt()))


def test_gives_up_at_the_deadline():
    started = time.monotonic()
    late = run_isolated(lambda: time.sleep(5), 0.05)
    assert isinstance(late, ModelTimeoutError)
    assert "0.05 seconds" in str(late)
    assert time.monotonic() - started < 2


async def test_cancels_a_coroutine_at_the_deadline():
    ended = []

    async def slow():
        try:
            await asyncio.sleep(5)
        finally:
            ended.append(True)

    assert isinstance(await arun_isolated(slow(), 0.05), ModelTimeoutError)
    await asyncio.sleep(0)
    assert ended == [True]


async def test_a_coroutine_that_fails_after_its_deadline_troubles_nobody():
    async def stubborn():
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError as error:
            raise ValueError("cleaning up failed") from error

    assert isinstance(await arun_isolated(stubborn(), 0.02), ModelTimeoutError)
    await asyncio.sleep(0.02)


def test_a_thread_that_ends_after_its_deadline_troubles_nobody():
    released, ended = threading.Event(), threading.Event()

    def slow():
        released.wait(5)
        ended.set()
        raise ValueError("too late")

    assert isinstance(run_isolated(slow, 0.02), ModelTimeoutError)
    released.set()
    assert ended.wait(2)


def test_the_callers_context_is_kept():
    NAME.set("Ada")
    assert run_isolated(NAME.get) == "Ada"


async def test_an_abandoned_wait_does_not_break_the_thread():
    released = threading.Event()
    waiting = asyncio.get_running_loop().run_in_executor(DaemonThreads(), released.wait, 5)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    released.set()
    await asyncio.sleep(0.02)


def test_a_kept_thread_takes_later_calls():
    threads = DaemonThreads(keep_seconds=5)
    used = {run_isolated(threading.current_thread, 5, threads) for _ in range(20)}
    assert len(used) < 20  # it may be handing over its result while the next call comes
    assert threading.current_thread() not in used


def test_a_kept_thread_goes_when_nothing_comes():
    worker = run_isolated(threading.current_thread, 5, DaemonThreads(keep_seconds=0.05))
    assert isinstance(worker, threading.Thread)
    worker.join(5)
    assert not worker.is_alive()


def test_a_call_that_hangs_does_not_keep_the_next_one_waiting():
    threads, released = DaemonThreads(keep_seconds=5), threading.Event()
    assert isinstance(run_isolated(lambda: released.wait(5), 0.02, threads), ModelTimeoutError)
    assert run_isolated(lambda: 42, 5, threads) == 42
    released.set()
