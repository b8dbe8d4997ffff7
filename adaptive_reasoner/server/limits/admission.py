"""What costs a model's time passes here: its size, its caller's rate, and a place in the queue."""

from functools import partial

from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adaptive_reasoner.errors import AdaptiveReasonerError
from adaptive_reasoner.server.caller import caller_of
from adaptive_reasoner.server.limits.bodies import read_body, replaying
from adaptive_reasoner.server.limits.queue import Queue
from adaptive_reasoner.server.limits.rates import Rates, name_of
from adaptive_reasoner.server.limits.settings import LimitsSection
from adaptive_reasoner.server.parts import parts_of
from adaptive_reasoner.server.security.guard import refusal

# Everything that is posted below these asks models.
_WORK = ("/v1/chat/", "/v1/adaptive/", "/v1/responses")


class Admission:
    """ASGI middleware: lets requests in as fast as they can be answered, and turns the others away at once."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or answer it with what limits it."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS", "DELETE"):
            await self._app(scope, receive, send)
            return
        begun = False

        async def watched_send(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._admit(scope, receive, watched_send)
        except ClientDisconnect:
            return
        except AdaptiveReasonerError as error:
            if begun:
                raise
            await refusal(error)(scope, receive, send)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = HTTPConnection(scope)
        parts, caller = parts_of(connection), caller_of(connection)
        section, rates, queue = parts.settings.section(LimitsSection), parts.get(Rates), parts.get(Queue)
        is_work = scope["path"].startswith(_WORK)
        if is_work:
            await rates.admit(caller)
        body = await read_body(scope, receive, section.max_body_bytes, section.body_seconds)
        replayed = replaying(body, receive)
        if not is_work:
            await self._app(scope, replayed, send)
            return
        most = rates.most_at_once(caller)
        async with queue.slot(name_of(caller), most, partial(_until_gone, receive)):
            await self._app(scope, replayed, send)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
