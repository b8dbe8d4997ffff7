"""Token entries as providers write them: OpenAI's objects, and the older parallel arrays."""

import math
import reprlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from adaptive_reasoner.errors import LogprobsError
from adaptive_reasoner.uncertainty.plain_entries import read_plain
from adaptive_reasoner.uncertainty.shapes import as_list, as_mapping
from adaptive_reasoner.uncertainty.tokens import TokenLogprob

# The tokens (none where nothing was sent) and, where the value is malformed, why.
Entries = tuple[Sequence[TokenLogprob], str | None]


def read_entries(logprobs: Any) -> Entries:
    """Read a `logprobs` value of any known shape."""
    return guarded(_read, logprobs)


def guarded(read: Callable[[Any], Sequence[TokenLogprob]], value: Any) -> Entries:
    """What `read` makes of `value`; its `LogprobsError` becomes the reason why there is nothing."""
    try:
        return read(value), None
    except LogprobsError as error:
        return [], str(error)


def to_number(value: Any) -> float:
    """A log probability as a float; NaN where the provider left it out, so that the checks name it.

    Raises:
        LogprobsError: it is no number.
    """
    if type(value) is float:
        return value
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        shown = reprlib.repr(value) if isinstance(value, str | bool) else f"a {type(value).__name__}"
        raise LogprobsError(f"a log probability is given as {shown}")
    try:
        return float(value)
    except OverflowError as error:
        raise LogprobsError("a log probability is too large for a number") from error


def to_log(probability: Any) -> float:
    """The logarithm of a probability: minus infinity for 0, which the checks treat as a placeholder.

    Raises:
        LogprobsError: it is none.
    """
    number = to_number(probability)
    if not number >= 0:
        return number if math.isnan(number) else _no_probability(number)
    return math.log(number) if 0 < number <= 1 else -math.inf if number == 0 else _no_probability(number)


def to_bytes(value: Any) -> bytes | None:
    """The `bytes` of an entry, None where it has none.

    Raises:
        LogprobsError: they are something else.
    """
    if value is None:
        return None
    if (entries := as_list(value)) is not None:
        try:
            return bytes(entries)
        except (ValueError, TypeError, OverflowError):
            pass
    raise LogprobsError("the `bytes` of a token are no list of numbers from 0 to 255")


def _read(logprobs: Any) -> Sequence[TokenLogprob]:
    if logprobs is None:
        return []
    entries = as_list(logprobs)
    fields = as_mapping(logprobs)
    if entries is None and not isinstance(logprobs, Mapping):
        raise LogprobsError(f"log probabilities came as a {type(logprobs).__name__}, not as a list")
    if entries is None:
        entries = as_list(fields.get("content"))
    if entries is not None:
        return read_plain(entries) or [_entry(entry) for entry in entries]
    tokens = as_list(fields.get("tokens"))
    if tokens is not None:
        return _arrays(tokens, as_list(fields.get("token_logprobs")), as_list(fields.get("top_logprobs")))
    if fields.get("content") is not None:
        raise LogprobsError("log probabilities came in an unknown shape")
    return []


def _entry(entry: Any) -> TokenLogprob:
    fields = as_mapping(entry)
    token = fields.get("token")
    if not isinstance(token, str):
        raise LogprobsError("a list of log probabilities holds an entry without a token")
    if "prob" in fields and "logprob" not in fields:
        return _of_probabilities(token, fields)
    return TokenLogprob(
        token,
        to_number(fields.get("logprob")),
        _top(fields.get("top_logprobs")),
        to_bytes(fields.get("bytes")),
    )


def _of_probabilities(token: str, fields: Mapping[str, Any]) -> TokenLogprob:
    """llama.cpp with `post_sampling_probs`: probabilities, in fields of other names."""
    listed = [as_mapping(other) for other in as_list(fields.get("top_probs")) or ()]
    if not all(isinstance(other.get("token"), str) for other in listed):
        raise LogprobsError("a `top_probs` list holds an entry without a token")
    top = [(other["token"], to_log(other.get("prob"))) for other in listed]
    return TokenLogprob(token, to_log(fields["prob"]), top, to_bytes(fields.get("bytes")))


def _arrays(
    tokens: Sequence[Any], logprobs: Sequence[Any] | None, tops: Sequence[Any] | None
) -> list[TokenLogprob]:
    tops = tops or [None] * len(tokens)
    if logprobs is None or not len(tokens) == len(logprobs) == len(tops):
        raise LogprobsError("the arrays `tokens`, `token_logprobs` and `top_logprobs` differ in length")
    if not all(isinstance(token, str) for token in tokens):
        raise LogprobsError("the array `tokens` holds something that is no text")
    return [
        TokenLogprob(token, to_number(logprob), _top(top))
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
    return [(text, to_number(value)) for text, value in as_mapping(cast("object", top)).items()]


def _pairs(entries: Sequence[Any]) -> list[tuple[str, float]]:
    """A loop of its own for the 20 alternatives of each token: nearly all that there is to read."""
    pairs: list[tuple[str, float]] = []
    for entry in entries:
        fields = as_mapping(entry)
        token, logprob = fields.get("token"), fields.get("logprob")
        if not isinstance(token, str):
            raise LogprobsError("a `top_logprobs` list holds an entry without a token")
        pairs.append((token, logprob if type(logprob) is float else to_number(logprob)))
    return pairs


def _no_probability(number: float) -> float:
    raise LogprobsError(f"{number:g} is given as a probability")
