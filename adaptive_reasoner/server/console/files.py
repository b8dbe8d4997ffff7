"""The page's files, read from the package once."""

from functools import cache
from importlib.resources import files

from starlette.responses import Response

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
# Browsers ask each time whether a file has changed: after an upgrade nobody is shown half of the old page.
_HEADERS = {"cache-control": "no-cache"}


@cache
def page_files() -> dict[str, tuple[bytes, str]]:
    """By name: the bytes and the media type of each file."""
    folder = files("adaptive_reasoner.server.console") / "page"
    found = {entry.name: entry.read_bytes() for entry in folder.iterdir() if entry.is_file()}
    kinds = {name: _TYPES.get(name[name.rfind(".") :]) for name in found}
    return {name: (content, kind) for name, content in found.items() if (kind := kinds[name])}


def respond(content: bytes, kind: str) -> Response:
    """One file."""
    return Response(content, headers=_HEADERS, media_type=kind)
