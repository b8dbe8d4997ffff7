"""Every request passes here before a route sees it: a key where there are keys, this machine alone where not."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from adaptive_reasoner.errors import AdaptiveReasonerError
from adaptive_reasoner.server.caller import Caller
from adaptive_reasoner.server.errors import ForeignOriginError, KeyRefusedError, ScopeError
from adaptive_reasoner.server.parts import AppParts, parts_of
from adaptive_reasoner.server.security.checking import KeyChecker
from adaptive_reasoner.server.security.settings import SecuritySection
from adaptive_reasoner.server.wire.errors import body_of

HEALTH = ("/healthz", "/readyz")
# The console's own files hold no data; what they show they ask for with a key.
_PAGES = ("/", "/favicon.ico")
_PAGE_FOLDERS = ("/console/", "/static/")
# What a path needs; the first that fits, and "chat" where none does.
_SCOPE_OF = (
    ("/metrics", "metrics"),
    ("/v1/metrics", "metrics"),
    ("/v1/reviews", "reviews"),
    ("/v1/audit", "reviews"),
    ("/v1/admin", "admin"),
)


class Guard:
    """ASGI middleware: puts the caller into `request.state.caller`, or refuses."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request pass, or answer it."""
        if scope["type"] != "http" or scope["path"] in HEALTH:
            await self._app(scope, receive, send)
            return
        try:
            caller = await _caller(HTTPConnection(scope))
        except AdaptiveReasonerError as error:
            await refusal(error)(scope, receive, send)
            return
        if caller is not None:
            scope.setdefault("state", {})["caller"] = caller
        await self._app(scope, receive, send)


def refusal(error: AdaptiveReasonerError) -> JSONResponse:
    """The answer to a request that is not let in."""
    status, body, headers = body_of(error)
    if isinstance(error, KeyRefusedError):
        headers = {**headers, "www-authenticate": "Bearer"}
    return JSONResponse(body, status, headers)


def scope_of(path: str) -> str:
    """What a key must reach to be let in here."""
    found = (scope for prefix, scope in _SCOPE_OF if path == prefix or path.startswith(f"{prefix}/"))
    return next(found, "chat")


async def _caller(connection: HTTPConnection) -> Caller | None:
    parts, path = parts_of(connection), connection.url.path
    section = parts.settings.section(SecuritySection)
    if not section.asks_for_keys:
        _check_local(connection.headers, section)
        return None
    if is_page(connection.scope, path) or (section.docs_open and path == "/openapi.json"):
        return None
    return await _known_caller(parts, connection, path)


async def _known_caller(parts: AppParts, connection: HTTPConnection, path: str) -> Caller:
    caller = await parts.get(KeyChecker).caller(_secret(connection.headers))
    needed = scope_of(path)
    if not caller.may(needed):
        raise ScopeError(f"This key does not reach {path}; it needs the scope {needed!r}.")
    return caller


def is_page(scope: Scope, path: str) -> bool:
    """True for the console's own files."""
    return scope["method"] in ("GET", "HEAD") and (path in _PAGES or path.startswith(_PAGE_FOLDERS))


def _secret(headers: Headers) -> str | None:
    """As OpenAI's clients send it, or as Azure's and many proxies do."""
    kind, _, given = headers.get("authorization", "").partition(" ")
    return given.strip() if kind.lower() == "bearer" else headers.get("api-key") or headers.get("x-api-key")


def _check_local(headers: Headers, section: SecuritySection) -> None:
    """A page that the user of this machine happens to visit must not ask in the user's name.

    Raises:
        ForeignOriginError: the host's name is not this machine's (DNS rebinding), or another page asks.
    """
    if not _is_local(f"//{headers.get('host', '')}"):
        raise ForeignOriginError(
            "Without keys the server answers to this machine's own names alone (127.0.0.1, localhost); set up keys."
        )
    origin = headers.get("origin")
    if origin is not None and origin not in section.cors_origins and not _is_local(origin):
        raise ForeignOriginError("Pages of another origin may not ask; name it in security.cors_origins.")


def _is_local(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
