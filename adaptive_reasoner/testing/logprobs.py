"""Log probabilities in OpenAI's shape, from tokens and plain probabilities."""

import math
import re
from codecs import getincrementaldecoder
from collections.abc import Iterator, Sequence
from typing import Any

from adaptive_reasoner.errors import ConfigurationError

Alternative = tuple[str | bytes, float]
ScriptedToken = tuple[str | bytes, float] | tuple[str | bytes, float, Sequence[Alternative]]

# What OpenAI sends for a token too improbable to be given a log probability.
IMPROBABLE_LOGPROB = -9999.0
MOST_ALTERNATIVES = 19
_WORD = re.compile(r"\s*\S+|\s+\Z")


def logprobs_of(tokens: Sequence[ScriptedToken], *, top_logprobs: int = 20) -> dict[str, Any]:
    r"""Build what OpenAI puts under `choices[0].logprobs` and LangChain under `response_metadata`.

    Args:
        tokens: each `(token, p)` or `(token, p, [(alternative, p), ...])`; a token given as bytes may hold
            part of a character and is then written escaped, as OpenAI does ("\\xf0\\x9f").
        top_logprobs: entries of each top list, 0 to 20; the chosen token counts as one of them and is left
            out where that many alternatives are more probable.

    Returns:
        `{"content": [{"token", "logprob", "bytes", "top_logprobs"}, ...], "refusal": None}`, natural
        logarithms, top lists most probable first.

    Raises:
        ConfigurationError: a probability outside [0, 1], or top_logprobs outside 0 to 20.
    """
    if not 0 <= top_logprobs <= 20:
        raise ConfigurationError(f"top_logprobs is {top_logprobs}; it must lie between 0 and 20.")
    return {"content": [_token_entry(token, top_logprobs) for token in tokens], "refusal": None}


def even_tokens(text: str, probability: float) -> list[ScriptedToken]:
    """Split `text` at its words and give each the same probability.

    The rest of the mass goes in equal parts to as few stand-ins ("word~1") as keep the chosen word the most
    probable, 19 at most.

    Raises:
        ConfigurationError: probability is not in (0, 1].
    """
    if not 0 < probability <= 1:
        raise ConfigurationError(f"probability is {probability}; it must be greater than 0 and at most 1.")
    rest = 1 - probability
    count = min(math.ceil(rest / probability), MOST_ALTERNATIVES)
    return [
        (word, probability, [(f"{word}~{place + 1}", rest / count) for place in range(count)])
        for word in _WORD.findall(text)
    ]


def text_pieces(tokens: Sequence[ScriptedToken]) -> Iterator[str]:
    """Give the text that each token completes; "" for a token that ends inside a character."""
    decoder = getincrementaldecoder("utf-8")("replace")
    for place, token in enumerate(tokens):
        yield decoder.decode(_as_bytes(token[0]), final=place == len(tokens) - 1)


def words_of(text: str) -> list[str]:
    """Split `text` at its words; the pieces join to it."""
    return _WORD.findall(text)


def _token_entry(token: ScriptedToken, top_logprobs: int) -> dict[str, Any]:
    chosen = token[0], token[1]
    alternatives = token[2] if len(token) == 3 else ()
    others = [pair for pair in alternatives if _as_bytes(pair[0]) != _as_bytes(chosen[0])]
    ranked = sorted([chosen, *others], key=lambda pair: -pair[1])
    return {**_entry(*chosen), "top_logprobs": [_entry(*pair) for pair in ranked[:top_logprobs]]}


def _entry(token: str | bytes, probability: float) -> dict[str, Any]:
    if not 0 <= probability <= 1:
        raise ConfigurationError(f"The probability of {token!r} is {probability}; use a number from 0 to 1.")
    raw = _as_bytes(token)
    logprob = math.log(probability) if probability > 0 else IMPROBABLE_LOGPROB
    return {"token": _as_text(raw), "logprob": logprob, "bytes": list(raw)}


def _as_bytes(token: str | bytes) -> bytes:
    return token.encode() if isinstance(token, str) else token


def _as_text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
