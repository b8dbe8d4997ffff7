"""Keys: 256 random bits each, known to the server by their hash alone."""

import hashlib
import re
import secrets
from dataclasses import dataclass

from adaptive_reasoner.errors import ConfigurationError

SCOPES = ("chat", "reviews", "metrics", "admin")
_PREFIX = "ar"
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_KEY = re.compile(r"ar_[0-9a-f]{12}_[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class Key:
    """What is kept of a key; the key itself is shown once, when it is made.

    Attributes:
        id: names the key in lists, logs and audits.
        name: what it is for, in words.
        tenant: whose budgets and limits it uses, None: those of the key alone.
        scopes: of `SCOPES`; "admin" is everything.
        created_at, expires_at, revoked_at: seconds since the epoch; None: never.
    """

    id: str
    name: str
    tenant: str | None
    scopes: tuple[str, ...]
    created_at: float
    expires_at: float | None = None
    revoked_at: float | None = None

    def is_valid(self, now: float) -> bool:
        """True if it opens anything at this moment."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def new_secret() -> tuple[str, str]:
    """A fresh key's id, and the key."""
    name = secrets.token_hex(6)
    return name, f"{_PREFIX}_{name}_{secrets.token_hex(32)}"


def looks_like_key(text: str) -> bool:
    """True if it could be a key of ours; nothing else is worth a question to the database."""
    return _KEY.match(text) is not None


def digest(secret: str) -> str:
    """What is stored: of 256 random bits one SHA-256 is enough, there is nothing to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()


def check_scopes(scopes: tuple[str, ...]) -> None:
    """Refuse scopes that there are not.

    Raises:
        ConfigurationError: none is given, or one is unknown.
    """
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise ConfigurationError(
            f"A key's scopes are of {', '.join(SCOPES)}; given: {', '.join(scopes) or 'none'}."
        )


def check_name(what: str, name: str) -> None:
    """Refuse names that would not be safe in logs, labels and thread keys.

    Raises:
        ConfigurationError: it is such a name.
    """
    if not _NAME.match(name):
        raise ConfigurationError(
            f"The {what} {name!r} must have 1 to 64 letters, digits, dots, dashes or underscores."
        )
