"""An answer as server-sent events.

Clients join the pieces of a stream, so nothing of an answer is sent before its verdict. Until then comments keep the
connection alive, and a client that asked for them is told what happens. An error that comes before the stream has
begun keeps its own HTTP status; a later one is an event.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator

from starlette.requests import ClientDisconnect, Request

from adaptive_reasoner.errors import AdaptiveReasonerError
from adaptive_reasoner.openai_shapes import Envelope, Json
from adaptive_reasoner.server.asking import Asked, answer
from adaptive_reasoner.server.disconnects import until_gone
from adaptive_reasoner.server.parts import AppParts
from adaptive_reasoner.server.questions import Answer
from adaptive_reasoner.server.settings import AnswersSection
from adaptive_reasoner.server.wire import answers
from adaptive_reasoner.server.wire.errors import body_of

_LOG = logging.getLogger(__name__)


class AnswerStream:
    """One request's stream.

    Args:
        parts: of the server.
        asked: what is answered.
        envelope: what all events repeat.
    """

    def __init__(self, parts: AppParts, asked: Asked, envelope: Envelope) -> None:
        self._asked = asked
        self._envelope = envelope
        self._wait_seconds = parts.settings.section(AnswersSection).keep_alive_seconds
        self._happenings: list[Json] = []
        self._news = asyncio.Event()
        on_event = self._happened if asked.look.events or asked.look.drafts else None
        self._task = asyncio.ensure_future(answer(parts, asked, on_event))
        self._task.add_done_callback(lambda _: self._news.set())

    async def begin(self, request: Request) -> None:
        """Wait until there is something to send: an answer, news, or a comment.

        Raises:
            AdaptiveReasonerError: there is no answer; nothing was sent yet.
            ClientDisconnect: the client left.
        """
        begun = False
        gone = asyncio.ensure_future(until_gone(request))
        news = asyncio.ensure_future(self._news.wait())
        try:
            done, _ = await asyncio.wait(
                [gone, news], timeout=self._wait_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if gone in done and news not in done:
                raise ClientDisconnect
            if self._task.done():
                self._task.result()
            begun = True
        finally:
            gone.cancel()
            news.cancel()
            if not begun:
                self._task.cancel()

    async def events(self) -> AsyncGenerator[bytes]:
        """The stream; the run is cancelled where the client leaves."""
        try:
            for index in range(self._asked.choices):
                yield answers.sse(answers.opening_event(self._envelope, index))
            while not self._task.done():
                if not await self._heard():
                    yield answers.SSE_KEEP_ALIVE
                for event in self._drained():
                    yield answers.sse(event)
            for event in (*map(answers.sse, self._drained()), *self._last_events()):
                yield event
        finally:
            self._task.cancel()

    def _last_events(self) -> list[bytes]:
        error = self._task.exception()
        if isinstance(error, Exception):
            if not isinstance(error, AdaptiveReasonerError):
                _LOG.error("a stream failed", exc_info=error)
            return [answers.sse(body_of(error)[1])]
        return [*map(answers.sse, self._answer_events(self._task.result())), answers.SSE_END]

    def _answer_events(self, given: list[Answer]) -> list[Json]:
        look = self._asked.look
        events = [
            event
            for index, one in enumerate(given)
            for event in answers.choice_events(self._envelope, index, one, look)
        ]
        return [*events, answers.usage_event(self._envelope, given)] if look.usage else events

    async def _heard(self) -> bool:
        """Wait for news; False where none came in time."""
        try:
            await asyncio.wait_for(self._news.wait(), self._wait_seconds)
        except TimeoutError:
            return False
        if not self._task.done():
            self._news.clear()
        return True

    def _happened(self, happening: Json) -> None:
        self._happenings.append(happening)
        self._news.set()

    def _drained(self) -> list[Json]:
        happenings, self._happenings = self._happenings, []
        look = self._asked.look
        return [event for one in happenings for event in answers.happening_events(self._envelope, one, look)]
