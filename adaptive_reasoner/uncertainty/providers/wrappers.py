"""What recordings put around a response, and the first answer of a table of answers."""

from collections.abc import Iterator
from typing import Any

from adaptive_reasoner.errors import LogprobsError
from adaptive_reasoner.uncertainty.providers.reader import Json
from adaptive_reasoner.uncertainty.shapes import as_list, as_mapping

_MAX_LAYERS = 8


def unwrap(raw: object) -> object:
    """The response inside request logs, batch files, typed dumps, stream frames and uqlm's results.

    Raises:
        LogprobsError: it lies deeper than any recording puts it.
    """
    for _ in range(_MAX_LAYERS):
        fields = as_mapping(raw)
        if not fields or "choices" in fields:  # by far the most frequent: nothing to look for
            return raw
        inner = next((found for found in _layers(fields) if found is not None), None)
        if inner is None:
            return raw
        raw = inner
    raise LogprobsError(
        f"The response lies under more than {_MAX_LAYERS} wrappers; give the response itself."
    )


def _layers(raw: Json) -> Iterator[Any]:
    """What lies under each wrapper that may be around `raw`; None where it is not there."""
    response, data = as_mapping(raw.get("response")), raw.get("data")
    kind = raw.get("type")
    if response and not (
        isinstance(kind, str) and kind.startswith("response.")
    ):  # no event of the Responses API
        yield response.get("body", response)
    yield raw.get("__data__")  # a typed dump
    yield as_mapping(raw.get("chunk")).get("bytes")  # a frame of Bedrock's event streams
    if "lc" in raw:
        yield as_mapping(raw.get("kwargs")) or None
    if "event" in raw and isinstance(data, str):
        yield data
    fields = as_mapping(data)
    if "content" in fields and raw.get("type") in ("ai", "AIMessageChunk"):
        yield {"response_metadata": {}, **fields}
    yield _first_answer(fields)
    yield fields if "event" in raw and fields else None


def _first_answer(table: Json) -> Json | None:
    """The first answer of uqlm's results: lists of answers and of their entries, perhaps several a question."""
    texts, logprobs = as_list(table.get("responses")), as_list(table.get("logprobs"))
    if texts is None or logprobs is None:
        return None
    if not texts or len(texts) != len(logprobs):
        raise LogprobsError("The lists `responses` and `logprobs` differ in length; give one answer.")
    several = as_list(texts[0])
    if several is None:
        return {"message": {"content": texts[0]}, "logprobs": logprobs[0]}
    entries = as_list(logprobs[0])
    return {
        "message": {"content": several[0] if several else ""},
        "logprobs": entries[0] if entries else None,
    }
