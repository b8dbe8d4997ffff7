"""An endpoint that keeps failing is left alone for a while, so that nobody waits for it and it can recover."""

import time
from collections.abc import Callable

# A provider that asks for more is out of its quota for the day: clients may look in once an hour.
_LONGEST_WAIT_SECONDS = 3600.0


class Breaker:
    """Closed: calls pass. Open: none does. Then one call tries, and closes or opens it again.

    Args:
        failures: in a row, that open it.
        seconds: that it stays open.
        clock: seconds, as `time.monotonic`.
    """

    def __init__(self, failures: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._seconds, self._clock = failures, seconds, clock
        self._failures = 0
        self._open_until: float | None = None
        self._is_trying = False
        self._wait_until = 0.0

    @property
    def wait_seconds(self) -> float:
        """How long the endpoint still asks to be left alone, 0 where it does not."""
        return max(0.0, self._wait_until - self._clock())

    def asked_to_wait(self, retry_after: str | None) -> None:
        """The endpoint answered with this header, in seconds; dates and nonsense are no wish."""
        if retry_after is not None and retry_after.strip().isdecimal():
            self._wait_until = self._clock() + min(float(retry_after), _LONGEST_WAIT_SECONDS)

    @property
    def is_open(self) -> bool:
        """True while no call passes but the one that tries."""
        return self._open_until is not None and (self._is_trying or self._clock() < self._open_until)

    def lets_pass(self) -> bool:
        """Whether a call may be made; its outcome must be told."""
        if self._open_until is None:
            return True
        if self.is_open:
            return False
        self._is_trying = True
        return True

    def succeeded(self) -> None:
        """The endpoint answered."""
        self._failures, self._open_until, self._is_trying = 0, None, False

    def failed(self) -> None:
        """It did not, or with an error of its own."""
        self._failures += 1
        if self._is_trying or self._failures >= self._most:
            self._open_until = self._clock() + self._seconds
        self._is_trying = False

    def given_up(self) -> None:
        """Nobody waited for the outcome."""
        self._is_trying = False
