"""Opens the store of keys when the server starts."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from adaptive_reasoner.server.parts import AppParts
from adaptive_reasoner.server.security.checking import KeyChecker
from adaptive_reasoner.server.security.key_store import KeyStore
from adaptive_reasoner.server.security.settings import SecuritySection


@asynccontextmanager
async def open_keys(parts: AppParts) -> AsyncGenerator[None]:
    """Keys, where the settings ask for them.

    Raises:
        ConfigurationError: the URL cannot be used.
        KeyStoreError: the store cannot be opened.
    """
    section = parts.settings.section(SecuritySection)
    if not section.asks_for_keys:
        yield
        return
    checker = KeyChecker(KeyStore.open(section.resolved_keys_url()), section.keys_cache_seconds)
    parts.add(checker)
    parts.readiness["keys"] = checker.problem
    try:
        yield
    finally:
        checker.store.close()
