"""From log records to lines without secrets.

Of an exception its type and where it was raised are kept, never its words: a validation error quotes the prompt.
"""

import json
import logging
import re
import traceback
from datetime import UTC, datetime
from typing import Any

from adaptive_reasoner.server.logs.request_context import REQUEST_ID
from adaptive_reasoner.server.logs.settings import LogsSection

# Our keys, those of providers, and whatever stands behind "Bearer" or before an "@" in an address.
_SECRETS = re.compile(
    r"ar_[0-9a-f]{12}_[0-9a-f]{64}|\bsk-[A-Za-z0-9_-]{8,}|(?<=[Bb]earer )[^\s'\"]+|(?<=://)[^/\s@]+(?=@)"
)
_HIDDEN = "[hidden]"
_ACCESS = "adaptive_reasoner.server.access"


class Lines(logging.Formatter):
    """One line a record.

    Args:
        as_json: an object, or words.
    """

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": hidden(record.getMessage()),
        }
        if request_id := REQUEST_ID.get():
            entry["request_id"] = request_id
        entry |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[1] is not None:
            entry["error"] = where_raised(record.exc_info[1])
        if self._as_json:
            return json.dumps(entry, ensure_ascii=False, default=str)
        rest = [f"{name}={value}" for name, value in list(entry.items())[4:] if value is not None]
        return " ".join([entry["time"], entry["level"], record.name, entry["message"], *rest])


def hidden(text: str) -> str:
    """`text` without what looks like a secret."""
    return _SECRETS.sub(_HIDDEN, text)


def where_raised(error: BaseException) -> str:
    """An exception's type and its innermost places."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    places = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__qualname__} at {places}"


def set_up(section: LogsSection) -> None:
    """Send the logs of this process to standard error, as the settings say."""
    handler = logging.StreamHandler()
    handler.setFormatter(Lines(as_json=section.format == "json"))
    logging.basicConfig(level=section.level, handlers=[handler], force=True)
    logging.getLogger(_ACCESS).setLevel("INFO" if section.requests else "WARNING")
    for chatty in ("httpx", "httpcore", "openai"):  # at DEBUG they tell of heads and bodies
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLogger().level))
