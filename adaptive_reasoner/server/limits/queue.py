"""So many at once, so many waiting, everybody else is told to come back: a request never hangs here."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from starlette.requests import ClientDisconnect

from adaptive_reasoner.server.errors import BusyError, StoppingError


class Queue:
    """Slots of one event loop, given in the order of asking.

    Attributes:
        in_flight: requests that hold a slot.
        is_stopping: nothing new is taken.
        idle: set while nobody holds a slot.

    Args:
        most: slots.
        most_waiting: who may wait for one.
        wait_seconds: for how long.
    """

    def __init__(self, most: int, most_waiting: int, wait_seconds: float) -> None:
        self._most, self._most_waiting, self._wait_seconds = most, most_waiting, wait_seconds
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._of_name: Counter[str] = Counter()
        self.in_flight = 0
        self.idle = asyncio.Event()
        self.idle.set()
        self.is_stopping = False

    @property
    def waiting(self) -> int:
        """Requests that wait for a slot."""
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """True if the next request would be turned away."""
        return self.in_flight >= self._most and len(self._waiting) >= self._most_waiting

    @asynccontextmanager
    async def slot(
        self,
        name: str = "",
        most_of_name: int | None = None,
        gone: Callable[[], Coroutine[Any, Any, None]] | None = None,
    ) -> AsyncGenerator[None]:
        """Hold a slot for as long as the block runs.

        Args:
            name: whose it is.
            most_of_name: the most slots, and places to wait, that this one may hold at once.
            gone: returns when nobody waits for the answer any more.

        Raises:
            BusyError: the queue is full, or the wait was too long.
            ClientDisconnect: the client left while it waited.
            StoppingError: the server stops.
        """
        if self.is_stopping:
            raise stopping()
        if most_of_name is not None and self._of_name[name] >= most_of_name:
            raise BusyError(f"{most_of_name} requests of yours are under way already.", retry_after_seconds=1)
        self._of_name[name] += 1
        try:
            await self._enter(gone)
            try:
                yield
            finally:
                self._leave()
        finally:
            self._of_name[name] -= 1
            if not self._of_name[name]:
                del self._of_name[name]

    def stop(self) -> None:
        """Take nothing new; whoever waits is sent away, whoever has a slot goes on."""
        self.is_stopping = True
        for waiting in self._waiting:
            waiting.set_exception(stopping())
        self._waiting.clear()

    async def _enter(self, gone: Callable[[], Coroutine[Any, Any, None]] | None) -> None:
        if self.in_flight < self._most and not self._waiting:
            self.in_flight += 1
            self.idle.clear()
            return
        if len(self._waiting) >= self._most_waiting:
            raise _busy("Too many requests are waiting")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        left = None if gone is None else asyncio.ensure_future(gone())
        has_slot = False
        try:
            watched = {turn} if left is None else {turn, left}
            await asyncio.wait(watched, timeout=self._wait_seconds, return_when=asyncio.FIRST_COMPLETED)
            if turn.done():
                turn.result()
                has_slot = True
            elif left is not None and left.done():
                raise ClientDisconnect
            else:
                raise _busy(f"No answer could be begun within {self._wait_seconds:g} seconds")
        finally:
            if left is not None:
                left.cancel()
            if not has_slot:
                self._give_up(turn)

    def _give_up(self, turn: "asyncio.Future[None]") -> None:
        if not turn.done():
            self._waiting.remove(turn)
        elif turn.exception() is None:
            self._leave()  # the slot came in the moment of leaving

    def _leave(self) -> None:
        """Hand the slot to whoever waits longest."""
        if self._waiting:
            self._waiting.popleft().set_result(None)
        else:
            self.in_flight -= 1
            if not self.in_flight:
                self.idle.set()


def stopping() -> StoppingError:
    """The server stops."""
    return StoppingError("The server is stopping; ask again, another one may answer.", retry_after_seconds=1)


def _busy(why: str) -> BusyError:
    return BusyError(f"{why}; try again in a moment.", retry_after_seconds=2)
