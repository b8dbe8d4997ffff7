"""Rates: a bucket for each caller, filled evenly, emptied by requests or tokens."""

import time
from collections import OrderedDict
from collections.abc import Callable

_MINUTE = 60.0
_MOST_CALLERS = 100_000


class Buckets:
    """One bucket a caller; a minute's worth fits into it.

    They are those of one process; `SharedBuckets` are those of all replicas. Money and tokens that must not be exceeded
    are budgets, which the ledger counts.

    Args:
        clock: seconds, as `time.monotonic`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()  # what is left, and when it was

    def wait_for(self, name: str, per_minute: int, amount: float = 1.0) -> float:
        """Seconds until `amount` is there, 0 where it is; nothing is taken."""
        missing = min(amount, per_minute) - self._level(name, per_minute)
        return max(0.0, missing * _MINUTE / per_minute)

    def take(self, name: str, per_minute: int, amount: float = 1.0) -> None:
        """Take `amount`; a bucket may go below nothing, and is then waited for."""
        self._levels[name] = (self._level(name, per_minute) - amount, self._clock())
        self._levels.move_to_end(name)
        if len(self._levels) > _MOST_CALLERS:
            self._levels.popitem(last=False)

    def _level(self, name: str, per_minute: int) -> float:
        left, since = self._levels.get(name, (float(per_minute), self._clock()))
        return min(float(per_minute), left + (self._clock() - since) * per_minute / _MINUTE)
