"""Which tokens make up the visible text: joined by bytes, thoughts before and end marks after it dropped."""

import json
import re
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from adaptive_reasoner.uncertainty.columns import pieces_of
from adaptive_reasoner.uncertainty.tokens import TokenLogprob, token_bytes

# End marks that some servers list but do not show: </s>, <|im_end|>, <end_of_turn>, [EOS].
_END_MARKS = re.compile(r"(?:\s|<[^<>\s]{1,40}>|\[[A-Z_/]{2,20}\])*")
# Beyond this many opening braces a text is not searched for a tool call's arguments.
_MAX_BRACES = 1000


def joined_text(tokens: Sequence[TokenLogprob]) -> str:
    """The text of the tokens; a character that is cut off at either end is left out."""
    return b"".join(pieces_of(tokens)).decode("utf-8", "ignore")


def align_text(tokens: Sequence[TokenLogprob], text: str) -> tuple[Sequence[TokenLogprob], str] | None:
    """The tokens that make up `text`, and the text they make up; None where they do not add up.

    White space or a broken character at the end of the text may be missing from the tokens.
    """
    pieces = pieces_of(tokens)
    if all(pieces) and b"".join(pieces) == text.encode("utf-8", "surrogatepass"):
        return tokens, text
    targets = dict.fromkeys((text, text.rstrip(), text.rstrip("\ufffd")))
    for read in (token_bytes, _spelled):
        pieces = [read(token) for token in tokens]
        for target in targets:
            encoded = target.encode("utf-8", "surrogatepass")
            start = _locate(pieces, encoded)
            if start is not None:
                return _cut(tokens, pieces, start, start + len(encoded)), target
    return None


def align_arguments(
    tokens: Sequence[TokenLogprob], arguments: Sequence[Any]
) -> tuple[list[TokenLogprob], str] | None:
    """The tokens from the first to the last tool call's arguments, and their text; None where one is missing.

    Args:
        tokens: all tokens of the reply.
        arguments: one JSON text, or what it parses to, for each call.
    """
    pieces = [token_bytes(token) for token in tokens]
    try:
        reply = b"".join(pieces).decode("utf-8")
    except UnicodeDecodeError:
        return None
    wanted = [_parsed(call) for call in arguments]
    objects = _json_objects(reply, wanted)
    ranges: list[tuple[int, int]] = []
    for call in reversed(wanted):  # from the end: thoughts before may name the same arguments
        found = next(
            (span for span, value in reversed(objects) if value == call and span not in ranges), None
        )
        if found is None:
            return None
        ranges.append(found)
    first, last = min(start for start, _ in ranges), max(end for _, end in ranges)
    start = len(reply[:first].encode("utf-8"))
    end = len(reply[:last].encode("utf-8"))
    return _cut(tokens, pieces, start, end), reply[first:last]


def character_offsets(tokens: Sequence[TokenLogprob]) -> list[tuple[int, int]]:
    """Each token's [start, end) in characters of the joined text; pieces of a character share its offsets."""
    pieces = pieces_of(tokens)
    joined = b"".join(pieces)
    if joined.isascii():
        return list(pairwise(accumulate(map(len, pieces), initial=0)))
    data = np.frombuffer(joined, dtype=np.uint8)
    begins = np.concatenate(((data & 0xC0) != 0x80, [True]))  # continuation bytes are 0b10xxxxxx
    characters = np.concatenate(([0], np.cumsum(begins[:-1])))
    edges = np.concatenate(([0], np.cumsum([len(piece) for piece in pieces], dtype=np.int64)))
    starts = np.maximum(characters[edges[:-1]] - ~begins[edges[:-1]], 0)
    return list(zip(starts.tolist(), characters[edges[1:]].tolist(), strict=True))


def _spelled(token: TokenLogprob) -> bytes:
    return token.token.encode("utf-8", "surrogatepass")


def _locate(pieces: Sequence[bytes], target: bytes) -> int | None:
    """Byte offset of `target`, last among `pieces`: on a token's edge but for white space, end marks next."""
    joined = b"".join(pieces)
    start = joined.rfind(target) if target else -1
    if start < 0:
        return None
    rest = joined[start + len(target) :].decode("utf-8", "ignore")
    edge = max(edge for edge in accumulate(map(len, pieces), initial=0) if edge <= start)
    if joined[edge:start].strip() or not _END_MARKS.fullmatch(rest):
        return None
    return start


def _cut(tokens: Sequence[TokenLogprob], pieces: Sequence[bytes], start: int, end: int) -> list[TokenLogprob]:
    edges = pairwise(accumulate(map(len, pieces), initial=0))
    return [
        TokenLogprob(token.token, token.logprob, token.top, piece[max(start - low, 0) : end - low])
        for token, piece, (low, high) in zip(tokens, pieces, edges, strict=True)
        if max(low, start) < min(high, end)
    ]


def _json_objects(reply: str, wanted: Sequence[Any]) -> list[tuple[tuple[int, int], Any]]:
    """JSON objects and their ranges; inside one that is not wanted, where some models put a call, too."""
    decoder, found, position = json.JSONDecoder(), list[tuple[tuple[int, int], Any]](), 0
    for _ in range(_MAX_BRACES):
        start = reply.find("{", position)
        if start < 0:
            break
        try:
            value, end = decoder.raw_decode(reply, start)
            found.append(((start, end), value))
            position = end if value in wanted else start + 1
        except (ValueError, RecursionError):
            position = start + 1
    return found


def _parsed(arguments: Any) -> Any:
    if not isinstance(arguments, str):
        return arguments
    try:
        return json.loads(arguments)
    except (ValueError, RecursionError):
        return arguments
