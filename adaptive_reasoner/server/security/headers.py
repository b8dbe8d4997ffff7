"""Headers that browsers read: what a page may load, who may frame it, which origins may ask."""

from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adaptive_reasoner.server.parts import parts_of
from adaptive_reasoner.server.security.settings import SecuritySection

_NOTHING = "default-src 'none'; frame-ancestors 'none'"
_PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}
# What a page of another origin may read of an answer's head.
_EXPOSED = ("x-request-id", "x-thread-id", "x-ignored-fields", "retry-after", "idempotent-replayed")


class SecurityHeaders:
    """ASGI middleware: adds the headers that a route has not set itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add(MutableHeaders(scope=message), scope["path"])
            await send(message)

        await self._app(scope, receive, send_with_headers)


class CrossOrigin:
    """ASGI middleware: CORS for the origins of the settings, none by default. Cookies are never used."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._with: dict[tuple[str, ...], CORSMiddleware] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        origins: tuple[str, ...] = ()
        if scope["type"] == "http":
            origins = parts_of(HTTPConnection(scope)).settings.section(SecuritySection).cors_origins
        if not origins:
            await self._app(scope, receive, send)
            return
        if origins not in self._with:
            self._with[origins] = CORSMiddleware(
                self._app,
                allow_origins=origins,
                allow_methods=["GET", "POST", "DELETE"],
                allow_headers=["*"],
                expose_headers=_EXPOSED,
            )
        await self._with[origins](scope, receive, send)


def _add(headers: MutableHeaders, path: str) -> None:
    is_page = headers.get("content-type", "").startswith("text/html")
    for name, value in {**_ALWAYS, "content-security-policy": _PAGE if is_page else _NOTHING}.items():
        headers.setdefault(name, value)
    if path.startswith("/v1/"):
        headers.setdefault("cache-control", "no-store")
