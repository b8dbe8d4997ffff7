"""What lives as long as the server."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from starlette.requests import HTTPConnection

from adaptive_reasoner.server.config import ServerSettings
from adaptive_reasoner.server.idempotency import IdempotencyStore
from adaptive_reasoner.server.running import Runner
from adaptive_reasoner.server.threads import ThreadStore

Thing = TypeVar("Thing")
ReadyCheck = Callable[[], Awaitable[str | None]]


@dataclass(slots=True)
class AppParts:
    """Built when the server starts, found by `parts_of(request)`.

    Attributes:
        settings: as they were read.
        runner: answers questions.
        threads: keeps conversations.
        idempotency: keeps answers for their idempotency keys.
        readiness: by name, what must be well for the server to serve; each gives None or what is wrong.
    """

    settings: ServerSettings
    runner: Runner
    threads: ThreadStore
    idempotency: IdempotencyStore
    readiness: dict[str, ReadyCheck] = field(default_factory=dict[str, ReadyCheck])
    _others: dict[type, Any] = field(default_factory=dict[type, Any])

    def add(self, thing: Any) -> None:
        """Keep what another room needs, under its own type."""
        self._others[type(thing)] = thing

    def get(self, kind: type[Thing]) -> Thing:
        """What was added under this type."""
        return cast("Thing", self._others[kind])


def parts_of(connection: HTTPConnection) -> AppParts:
    """The parts of the server that serves this request."""
    return connection.app.state.parts
