"""One BLAS thread while the embedded model runs.

Its matrices are so small that waking other threads costs more than they compute: with four threads, one token
took twice as long and a prompt thirty times (NumPy's OpenBLAS, 4 cores, another job running).
"""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from typing import Any

# Reentrant: collecting an abandoned stream may leave while this thread is entering.
_lock = threading.RLock()
_users = 0
_limiter: Any = None


@contextmanager
def single_threaded_blas() -> Generator[None, None, None]:
    """Limit BLAS to one thread until the last concurrent user leaves; then restore what was set before.

    The setting belongs to the process, not to the thread, hence the counting.
    """
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _users, _limiter  # noqa: PLW0603 - mirrors a setting that is global to the process
    with _lock:
        if _users == 0:
            _limiter = _controller().limit(limits=1, user_api="blas")
        _users += 1


def _leave() -> None:
    global _users  # noqa: PLW0603
    with _lock:
        _users -= 1
        if _users == 0:
            _limiter.restore_original_limits()


@cache
def _controller() -> Any:
    """Finding the loaded libraries takes milliseconds, so it is done once."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
