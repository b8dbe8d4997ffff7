"""Anything that a provider, its SDK, LangChain or a recording gives -> one `Reply`."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from langchain_core.messages import AIMessage
from pydantic import BaseModel

from adaptive_reasoner.errors import LogprobsError
from adaptive_reasoner.uncertainty.entries import read_entries
from adaptive_reasoner.uncertainty.providers.langchain import read_message
from adaptive_reasoner.uncertainty.providers.table import reader_of
from adaptive_reasoner.uncertainty.providers.wrappers import unwrap
from adaptive_reasoner.uncertainty.reply import Reply, merge
from adaptive_reasoner.uncertainty.shapes import as_list, as_mapping

_UNKNOWN = (
    "The JSON is no model's answer: it has neither `choices`, `output`, `candidates`, `logprobs`, nor any other "
    "field of a known format (docs/logprobs.md)."
)
_BLANK_LINE = re.compile(r"\r?\n[ \t]*\r?\n")


def read(raw: object) -> Reply:
    """Read a response, a stream of chunks, or a message.

    Raises:
        LogprobsError: `raw` is none of them.
    """
    raw = _parsed(raw)
    if isinstance(raw, AIMessage):
        return read_message(raw)
    if isinstance(raw, (dict, Mapping)):
        mapping = cast("Mapping[str, Any]", raw)
        if (reader := reader_of(mapping)) is None:
            raise LogprobsError(_UNKNOWN)
        return reader.read(mapping)
    if isinstance(raw, Sequence):
        return _read_sequence(cast("Sequence[object]", raw))
    raise LogprobsError(
        f"A {type(raw).__name__} is no model response; give its JSON, its stream or an AIMessage."
    )


def _parsed(raw: object) -> object:
    """`raw` without its wrappers, and as Python values where it is text or an SDK's object."""
    raw = unwrap(raw)
    if isinstance(raw, dict):  # by far the most frequent
        return cast("dict[str, Any]", raw)
    if isinstance(raw, bytes | bytearray):
        raw = raw.decode("utf-8", "replace")
    if isinstance(raw, str):
        return unwrap(_parse_text(raw))
    if isinstance(raw, BaseModel) and not isinstance(raw, AIMessage):
        return unwrap(_dumped(raw))
    return raw


def _read_sequence(raw: Sequence[object]) -> Reply:
    if raw and all(isinstance(item, Mapping) and "token" in item for item in raw):
        tokens, fault = read_entries(raw)
        return Reply(tokens, fault=fault)
    if raw and all(isinstance(item, str | bytes) for item in raw):  # the lines of a stream
        lines = [item.decode("utf-8", "replace") if isinstance(item, bytes) else item for item in raw]
        return read("\n".join(cast("list[str]", lines)))
    chunks = [_parsed(item) for item in raw]
    if any(not isinstance(chunk, Mapping | AIMessage) for chunk in chunks):
        return _read_lists(chunks)
    return _read_chunks(cast("list[Mapping[str, Any] | AIMessage]", chunks))


def _read_lists(raw: Sequence[object]) -> Reply:
    """The first of several answers that are each a list of entries (uqlm keeps them so)."""
    first = as_list(raw[0]) or ()
    if first and all(isinstance(entry, Mapping) and "token" in entry for entry in first):
        tokens, fault = read_entries(first)
        return Reply(tokens, fault=fault)
    raise LogprobsError("A stream must be a list of JSON chunks or of message chunks.")


def _read_chunks(chunks: Sequence[Mapping[str, Any] | AIMessage]) -> Reply:
    readers = [None if isinstance(chunk, AIMessage) else reader_of(chunk) for chunk in chunks]
    known = [reader for reader in readers if reader is not None]
    if not known and not all(isinstance(chunk, AIMessage) for chunk in chunks):
        raise LogprobsError(_UNKNOWN)
    if known and known[0].join:
        return known[0].join([as_mapping(chunk) for chunk in chunks])
    replies: list[Reply] = []
    for chunk, reader in zip(chunks, readers, strict=True):
        if isinstance(chunk, AIMessage):
            replies.append(read_message(chunk))
        elif reader is not None:
            replies.append(reader.read(chunk))
        elif "error" in chunk:
            replies.append(Reply(fault="the stream broke off with an error"))
    return merge(replies)


def _parse_text(raw: str) -> object:
    text = raw.lstrip("\ufeff \t\r\n")
    if text.startswith(("{", "[")):
        return _parse_json(text)
    events = [event for block in _BLANK_LINE.split(text) for event in _events(block)]
    chunks = [_load(event) for event in events if event and event != "[DONE]"]
    if not chunks:
        raise LogprobsError("The text is neither JSON nor a server-sent event stream of a model's answer.")
    return chunks


def _events(block: str) -> list[str]:
    """The data of a server-sent event, which may stand in several lines; or one event a line."""
    lines = [line[5:].strip() for line in block.splitlines() if line.startswith("data:")]
    is_one = len(lines) > 1 and lines[0] in ("{", "[")
    return ["\n".join(lines)] if is_one else lines


def _parse_json(text: str) -> object:
    """One JSON value, or one on each line."""
    lines = text.splitlines()
    if len(lines) > 1 and lines[0].rstrip().endswith("}") and lines[1].lstrip().startswith("{"):
        return [_load(line) for line in lines if line.strip()]
    return _load(text)


def _load(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LogprobsError(f"The response is not JSON: {error}.") from error


def _dumped(model: BaseModel) -> object:
    try:
        return model.model_dump(mode="json", warnings=False)
    except (ValueError, TypeError) as error:
        raise LogprobsError(f"A {type(model).__name__} cannot be read as JSON: {error}.") from error
