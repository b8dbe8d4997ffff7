"""The section that says who may ask."""

import os
from typing import Annotated, ClassVar

from pydantic import Field

from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.server.config import Section


class SecuritySection(Section):
    """Keys and browsers.

    Attributes:
        keys_url: database of the keys ("sqlite:///keys.sqlite" or "postgresql://…"); None: no key is asked for,
            and only this machine can ask.
        keys_url_env: environment variable that holds the URL, where it has a password in it.
        keys_cache_seconds: how long a key is trusted without asking the database: the most that a revoked key lives on.
        cors_origins: origins whose pages may ask, as "https://chat.example.com"; none by default.
        docs_open: serve `/openapi.json` without a key.
    """

    table: ClassVar[str] = "security"

    keys_url: str | None = None
    keys_url_env: str | None = None
    keys_cache_seconds: Annotated[float, Field(ge=0, le=300)] = 5.0
    cors_origins: tuple[str, ...] = ()
    docs_open: bool = False

    @property
    def asks_for_keys(self) -> bool:
        """True if every route but health needs a key."""
        return self.keys_url is not None or self.keys_url_env is not None

    def resolved_keys_url(self) -> str:
        """The URL itself.

        Raises:
            ConfigurationError: there is none, or the variable is not set.
        """
        if self.keys_url_env is not None:
            if not (url := os.environ.get(self.keys_url_env, "").strip()):
                raise ConfigurationError(
                    f"security.keys_url_env names {self.keys_url_env}, which is not set."
                )
            return url
        if self.keys_url is None:
            raise ConfigurationError(
                "Say where the keys are kept: --db sqlite:///keys.sqlite, or security.keys_url in the settings."
            )
        return self.keys_url
