"""How the server stops: what was begun is finished, new requests are sent elsewhere, then it listens no more."""

import asyncio
import signal
from contextlib import suppress
from types import FrameType

import uvicorn

from adaptive_reasoner.server.limits.queue import Queue
from adaptive_reasoner.server.limits.settings import LimitsSection
from adaptive_reasoner.server.parts import AppParts


class DrainingServer(uvicorn.Server):
    """Uvicorn that drains at the first SIGTERM or SIGINT, and stops at once at the second."""

    _drain: "asyncio.Future[None] | None" = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called by the signal, in the main thread."""
        parts = _parts_of(self)
        if sig == signal.SIGINT or self._drain is not None or parts is None or not self.started:
            super().handle_exit(sig, frame)
            return
        self._captured_signals.append(sig)
        loop = asyncio.get_running_loop()
        self._drain = asyncio.ensure_future(self._finish(parts), loop=loop)

    async def _finish(self, parts: AppParts) -> None:
        await drained(parts)
        self.should_exit = True


async def drained(parts: AppParts) -> None:
    """Stop taking requests, and wait until those under way are done, or their time is over."""
    queue, section = parts.get(Queue), parts.settings.section(LimitsSection)
    parts.readiness["serving"] = _stopping
    queue.stop()
    await asyncio.sleep(section.drain_notice_seconds)
    with suppress(TimeoutError):
        await asyncio.wait_for(queue.idle.wait(), section.drain_seconds)


async def _stopping() -> str:
    return "the server is stopping"


def _parts_of(server: uvicorn.Server) -> AppParts | None:
    app = server.config.app
    return getattr(getattr(app, "state", None), "parts", None)
