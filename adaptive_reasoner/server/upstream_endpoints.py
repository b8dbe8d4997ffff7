"""Where calls go: the endpoint of the settings, and the one that stands in for it."""

import json
from dataclasses import dataclass

import httpx

from adaptive_reasoner.server.upstream_breaker import Breaker

# Headers that httpx computes from the body and the address.
_COMPUTED = ("host", "content-length", "transfer-encoding", "authorization")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint.

    Attributes:
        name: "first" or "fallback".
        breaker: its own.
        base_url: None: requests go where they are addressed.
        key: sent instead of the request's own.
        model: sent instead of the request's own, None: the same.
    """

    name: str
    breaker: Breaker
    base_url: str | None = None
    key: str = ""
    model: str | None = None

    def addressed(self, request: httpx.Request, body: bytes) -> httpx.Request:
        """The same request, sent here. The first endpoint's key does not travel to the second."""
        if self.base_url is None:
            return request
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in _COMPUTED]
        headers.append(("authorization", f"Bearer {self.key}"))
        path = "/" + "/".join(request.url.path.rsplit("/", 2)[-2:])  # /chat/completions
        if self.model is not None:
            body = json.dumps({**json.loads(body), "model": self.model}).encode()
        url = self.base_url.rstrip("/") + path
        extensions = {key: value for key, value in request.extensions.items() if key == "timeout"}
        return httpx.Request(request.method, url, headers=headers, content=body, extensions=extensions)


def is_whole_json(response: httpx.Response) -> bool:
    """False for a JSON body that was cut off; only its end is looked at, the client reads the rest."""
    if "json" not in response.headers.get("content-type", ""):
        return True
    return response.content.rstrip()[-1:] in (b"}", b"]")
