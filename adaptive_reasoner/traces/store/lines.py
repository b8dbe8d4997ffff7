"""A run or a label as one line of JSON, as the spool and the database hold it."""

import hashlib
import json
import time
import uuid
import zlib
from collections.abc import Mapping
from typing import Any, cast

from adaptive_reasoner.errors import RecordError
from adaptive_reasoner.traces.run_schema import find_label_fault, find_run_fault
from adaptive_reasoner.traces.store.redaction import Redaction
from adaptive_reasoner.traces.store.secrets import may_hold_secrets, without_secrets

# Most of the packing is had at once, at a third of the time of the usual level.
_LEVEL = 1


def line_of(record: Mapping[str, Any], redaction: Redaction) -> bytes:
    """What is kept of a run or of a label, checked, redacted and without secrets.

    Raises:
        RecordError: it is neither, or not plain JSON.
    """
    is_run = "report" in record
    fault = find_run_fault(record) if is_run else find_label_fault(record)
    if fault:
        raise RecordError(f"This is neither a recorded run nor a label: {fault}.")
    if is_run:
        kept = record if redaction.keeps_all else redaction.run(record)
    else:
        kept = {"label_id": uuid.uuid4().hex, "labelled_at": time.time(), **redaction.label(record)}
    text = _json(kept)
    if may_hold_secrets(text):
        text = _json(without_secrets(kept))
    return text.encode() + b"\n"


def parse_line(line: bytes) -> dict[str, Any]:
    """The run or the label of a line; a line that is neither raises ValueError."""
    data: Any = json.loads(line)
    if not isinstance(data, dict) or "run_id" not in data:
        raise ValueError("neither a run nor a label")
    return cast("dict[str, Any]", data)


def digest_of(line: bytes) -> bytes:
    """The same for the same line."""
    return hashlib.blake2b(line.rstrip(b"\n"), digest_size=16).digest()


def pack(line: bytes) -> bytes:
    """A line as the database holds it."""
    return zlib.compress(line.rstrip(b"\n"), _LEVEL)


def unpack(payload: bytes) -> bytes:
    """What was packed."""
    return zlib.decompress(payload)


def _json(data: Any) -> str:
    try:
        return json.dumps(data, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise RecordError(f"The record is not plain JSON: {error}.") from error
