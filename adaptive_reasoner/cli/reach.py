"""Is anybody listening at an endpoint? Asked before the first call, so that a typing error costs no retries."""

import socket
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from adaptive_reasoner.errors import ConfigurationError, ModelError

_PATIENCE_SECONDS = 5.0
_PORTS = {"http": 80, "https": 443}


def check_reachable(base_url: str) -> None:
    """Open and close a connection to the endpoint; behind a proxy the first call has to tell.

    Raises:
        ConfigurationError: `base_url` is no HTTP address.
        ModelError: nobody answers there.
    """
    address = _split(base_url)
    host, port = address.hostname or "", address.port or _PORTS[address.scheme]
    if address.scheme in getproxies() and not proxy_bypass(host):
        return
    try:
        socket.create_connection((host, port), _PATIENCE_SECONDS).close()
    except OSError as error:
        raise ModelError(
            f"Nothing answers at {base_url} ({error.strerror or error}): start the server, or mend --base-url."
        ) from error


def _split(base_url: str) -> SplitResult:
    """The address in parts; `urlsplit` checks a port only when it is read."""
    try:
        address = urlsplit(base_url)
        usable = address.scheme in _PORTS and address.hostname and address.port != 0
    except ValueError:
        usable, address = False, SplitResult("", "", "", "", "")
    if not usable:
        raise ConfigurationError(
            f"--base-url is {base_url!r}; give an address such as http://127.0.0.1:8000/v1."
        )
    return address
