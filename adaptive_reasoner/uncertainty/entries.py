"""Token entries as providers write them: OpenAI's objects, and the older parallel arrays."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

from adaptive_reasoner.errors import LogprobsError
from adaptive_reasoner.uncertainty.shapes import as_list, as_mapping
from adaptive_reasoner.uncertainty.tokens import TokenLogprob


def read_entries(logprobs: Any) -> tuple[list[TokenLogprob], str | None]:
    """Read a `logprobs` value of any known shape.

    Returns:
        The tokens (none where nothing was sent) and, where the value is malformed, why.
    """
    try:
        return _read(logprobs), None
    except LogprobsError as error:
        return [], str(error)


def _read(logprobs: Any) -> list[TokenLogprob]:
    if logprobs is None:
        return []
    entries = as_list(logprobs)
    fields = as_mapping(logprobs)
    if entries is None and not isinstance(logprobs, Mapping):
        raise LogprobsError(f"log probabilities came as a {type(logprobs).__name__}, not as a list")
    if entries is None:
        entries = as_list(fields.get("content"))
    if entries is not None:
        return [_entry(entry) for entry in entries]
    tokens = as_list(fields.get("tokens"))
    if tokens is not None:
        return _arrays(tokens, as_list(fields.get("token_logprobs")), as_list(fields.get("top_logprobs")))
    if fields.get("content") is not None:
        raise LogprobsError("log probabilities came in an unknown shape")
    return []


def _entry(entry: Any) -> TokenLogprob:
    fields = as_mapping(entry)
    if not isinstance(fields.get("token"), str):
        raise LogprobsError("a list of log probabilities holds an entry without a token")
    return TokenLogprob(
        token=fields["token"],
        logprob=_number(fields.get("logprob")),
        top=_top(fields.get("top_logprobs")),
        utf8=_bytes(fields.get("bytes")),
    )


def _arrays(
    tokens: Sequence[Any], logprobs: Sequence[Any] | None, tops: Sequence[Any] | None
) -> list[TokenLogprob]:
    tops = [None] * len(tokens) if tops is None else tops
    if logprobs is None or not len(tokens) == len(logprobs) == len(tops):
        raise LogprobsError("the arrays `tokens`, `token_logprobs` and `top_logprobs` differ in length")
    if not all(isinstance(token, str) for token in tokens):
        raise LogprobsError("the array `tokens` holds something that is no text")
    return [
        TokenLogprob(token, _number(logprob), _top(top))
        for token, logprob, top in zip(tokens, logprobs, tops, strict=True)
    ]


def _top(top: Any) -> list[tuple[str, float]]:
    if top is None:
        return []
    entries = as_list(top)
    if entries is not None:
        return _pairs(entries)
    if not isinstance(top, Mapping):
        raise LogprobsError("a `top_logprobs` value is neither a list nor a mapping")
    return [(str(text), _number(value)) for text, value in as_mapping(cast("object", top)).items()]


def _pairs(entries: Sequence[Any]) -> list[tuple[str, float]]:
    """A loop of its own for the 20 alternatives of each token: nearly all that there is to read."""
    pairs: list[tuple[str, float]] = []
    for entry in entries:
        fields = as_mapping(entry)
        token, logprob = fields.get("token"), fields.get("logprob")
        if not isinstance(token, str):
            raise LogprobsError("a `top_logprobs` list holds an entry without a token")
        pairs.append((token, logprob if type(logprob) is float else _number(logprob)))
    return pairs


def _number(value: Any) -> float:
    """A log probability as a float; NaN where the provider left it out, so that the checks name it."""
    if type(value) is float:
        return value
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise LogprobsError(f"a log probability is given as {value!r:.40}")
    try:
        return float(value)
    except OverflowError as error:
        raise LogprobsError("a log probability is too large for a number") from error


def _bytes(value: Any) -> bytes | None:
    if value is None:
        return None
    entries = as_list(value)
    if entries is None or not all(isinstance(byte, int) and 0 <= byte < 256 for byte in entries):
        raise LogprobsError("the `bytes` of a token are no list of numbers from 0 to 255")
    return bytes(entries)
