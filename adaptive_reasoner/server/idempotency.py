"""One answer an idempotency key: a request that is sent again is not answered again.

The store in memory serves one process; `idempotency_shared` has the one that replicas share.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from adaptive_reasoner.server.errors import IdempotencyError, IdempotencyMismatchError

HEADER = "idempotency-key"


@dataclass(frozen=True, slots=True)
class Stored:
    """An answer as it was sent.

    Attributes:
        body: whole, of a stream all of its events.
        media_type: of the body.
        status: HTTP's.
    """

    body: bytes
    media_type: str
    status: int = 200


class IdempotencyStore(Protocol):
    """Keeps one answer a key."""

    async def begin(self, key: str, digest: str) -> Stored | None:
        """Claim `key` for the request with this digest; its answer, if it has one already.

        Raises:
            IdempotencyMismatchError: the key came with another request.
            IdempotencyError: its first request is still being answered.
        """
        ...

    async def finish(self, key: str, stored: Stored) -> None:
        """Keep the answer of a key that was claimed."""
        ...

    async def release(self, key: str) -> None:
        """Give a claim back: there is no answer, and the client may try again."""
        ...


@dataclass(slots=True)
class _Entry:
    digest: str
    until: float
    stored: Stored | None = None


class IdempotencyInMemory:
    """Keeps answers in this process, the oldest leave first.

    Args:
        keep_seconds: how long an answer is kept.
        most: how many, at most.
        clock: seconds, as `time.monotonic`.
    """

    def __init__(self, keep_seconds: float, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._keep_seconds = keep_seconds
        self._most = most
        self._clock = clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    async def begin(self, key: str, digest: str) -> Stored | None:
        """See `IdempotencyStore`."""
        self._forget_old()
        entry = self._entries.get(key)
        if entry is None:
            self._entries[key] = _Entry(digest, self._clock() + self._keep_seconds)
            return None
        if entry.digest != digest:
            raise mismatch()
        if entry.stored is None:
            raise in_progress()
        return entry.stored

    async def finish(self, key: str, stored: Stored) -> None:
        """See `IdempotencyStore`."""
        if (entry := self._entries.get(key)) is not None:
            entry.stored, entry.until = stored, self._clock() + self._keep_seconds

    async def release(self, key: str) -> None:
        """See `IdempotencyStore`."""
        self._entries.pop(key, None)

    def _forget_old(self) -> None:
        now = self._clock()
        for key, entry in list(self._entries.items())[:2]:
            if entry.stored is not None and (entry.until < now or len(self._entries) >= self._most):
                del self._entries[key]


def mismatch() -> IdempotencyMismatchError:
    """The key came before with another body."""
    return IdempotencyMismatchError(
        "This idempotency key was used for another request; use a fresh key for each request.", param=HEADER
    )


def in_progress() -> IdempotencyError:
    """The first request with this key has no answer yet."""
    return IdempotencyError(
        "The first request with this idempotency key is still being answered; try again in a moment.",
        param=HEADER,
        retry_after_seconds=1,
    )
