"""From a key to its caller, with a short memory so that not every request asks the database."""

import time
from collections import OrderedDict
from collections.abc import Callable

from anyio import to_thread

from adaptive_reasoner.server.caller import Caller
from adaptive_reasoner.server.errors import KeyRefusedError, KeyStoreError
from adaptive_reasoner.server.security.key_store import KeyStore
from adaptive_reasoner.server.security.keys import Key, digest, looks_like_key

_MOST_REMEMBERED = 10_000
_UNKNOWN = "This key is unknown, revoked or expired; ask whoever runs this server for another."


class KeyChecker:
    """Says who asks.

    Args:
        store: of the keys.
        trust_seconds: how long an answer of the store is believed.
        clock: seconds since the epoch.
    """

    def __init__(self, store: KeyStore, trust_seconds: float, clock: Callable[[], float] = time.time) -> None:
        self.store = store
        self._trust_seconds = trust_seconds
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, Key]] = OrderedDict()

    async def caller(self, secret: str | None) -> Caller:
        """Whose key this is.

        Raises:
            KeyRefusedError: there is none, or it opens nothing.
            KeyStoreError: the store cannot be asked.
        """
        if not secret:
            raise KeyRefusedError(
                "This server asks for a key: send the header 'Authorization: Bearer <key>'."
            )
        if not looks_like_key(secret):
            raise KeyRefusedError(_UNKNOWN)
        key = await self._key(digest(secret))
        if key is None or not key.is_valid(self._clock()):
            raise KeyRefusedError(_UNKNOWN)
        scopes = frozenset({"*"}) if "admin" in key.scopes else frozenset(key.scopes)
        return Caller(key.id, key.tenant, scopes)

    async def problem(self) -> str | None:
        """What is wrong with the store, None if nothing is."""
        try:
            await to_thread.run_sync(self.store.find, "")
        except KeyStoreError:
            return "the key store cannot be reached"
        return None

    async def _key(self, hashed: str) -> Key | None:
        """Only keys that exist are remembered: guesses must not push them out."""
        now = self._clock()
        if (known := self._known.get(hashed)) and known[0] > now:
            return known[1]
        key = await to_thread.run_sync(self.store.find, hashed)
        self._known.pop(hashed, None)
        if key is not None:
            self._known[hashed] = (now + self._trust_seconds, key)
            if len(self._known) > _MOST_REMEMBERED:
                self._known.popitem(last=False)
        return key
