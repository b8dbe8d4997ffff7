"""OpenAI's Responses API: whole responses, and streams whose last events repeat what was streamed."""

from collections.abc import Iterator, Sequence
from typing import Any

from adaptive_reasoner.uncertainty.entries import read_entries
from adaptive_reasoner.uncertainty.providers.reader import Json, Reader
from adaptive_reasoner.uncertainty.reply import Reply, merge
from adaptive_reasoner.uncertainty.shapes import as_count, as_list, as_mapping, text_of

_TEXT_PIECE = "response.output_text.delta"
_TEXT_WHOLE = "response.output_text.done"
_ARGUMENTS_PIECE = "response.function_call_arguments.delta"
_FINISHED = ("response.completed", "response.incomplete", "response.failed")


def _recognises(raw: Json) -> bool:
    return _kind(raw).startswith("response.") or as_list(raw.get("output")) is not None


def _kind(raw: Json) -> str:
    kind = raw.get("type")
    return kind if isinstance(kind, str) else ""


def _read(raw: Json) -> Reply:
    if _kind(raw).startswith("response."):
        return _join([raw])
    parts = list(_parts(raw))
    read = [read_entries(part.get("logprobs")) for part in parts]
    texts = [text_of(part.get("text")) or "" for part in parts]
    calls = [item for item in _items(raw) if item.get("type") == "function_call"]
    return Reply(
        [token for tokens, _ in read for token in tokens],
        "".join(texts),
        {index: call.get("arguments") or "" for index, call in enumerate(calls)},
        _visible_tokens(raw),
        next((fault for _, fault in read if fault), None),
        is_snapshot=True,
    )


def _items(raw: Json) -> Iterator[Json]:
    yield from map(as_mapping, as_list(raw.get("output")) or ())


def _parts(raw: Json) -> Iterator[Json]:
    """The parts that show text: reasoning items and refusals are none."""
    for item in _items(raw):
        if item.get("type", "message") == "message":
            parts = map(as_mapping, as_list(item.get("content")) or ())
            yield from (part for part in parts if part.get("type") == "output_text")


def _visible_tokens(raw: Json) -> int | None:
    usage = as_mapping(raw.get("usage"))
    output = as_count(usage.get("output_tokens"))
    thought = as_count(as_mapping(usage.get("output_tokens_details")).get("reasoning_tokens"))
    return None if output is None else output - (thought or 0)


def _join(events: Sequence[Json]) -> Reply:
    """Deltas, which carry the exact numbers; what repeats them only fills in what they lack."""
    streamed = [_piece(event) for event in events if _kind(event) in (_TEXT_PIECE, _ARGUMENTS_PIECE)]
    finished = [_read(as_mapping(event.get("response"))) for event in events if _kind(event) in _FINISHED]
    if not any(piece.text for piece in streamed) and not any(whole.text for whole in finished):
        streamed += [_piece(event) for event in events if _kind(event) == _TEXT_WHOLE]
    return merge([*streamed, *finished[-1:]])


def _piece(event: Json) -> Reply:
    added: Any = event.get("delta", event.get("text"))
    if _kind(event) == _ARGUMENTS_PIECE:
        return Reply(arguments={as_count(event.get("output_index")) or 0: added or ""})
    tokens, fault = read_entries(event.get("logprobs"))
    return Reply(tokens, text_of(added), fault=fault)


READER = Reader("OpenAI Responses", _recognises, _read, _join)
