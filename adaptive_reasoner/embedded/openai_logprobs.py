"""Token scores in the shape of OpenAI's Chat Completions."""

from collections.abc import Iterable
from typing import Any, TypedDict

from adaptive_reasoner.embedded.answer_text import VisibleToken, visible_bytes
from adaptive_reasoner.embedded.sampling import TokenScores

TokenEntry = dict[str, Any]  # {"token", "logprob", "bytes", "top_logprobs": [{"token", "logprob", "bytes"}]}


class ChoiceLogprobs(TypedDict):
    """What OpenAI puts under a choice's `logprobs`."""

    content: list[TokenEntry]
    refusal: None


def choice_logprobs(tokens: Iterable[VisibleToken]) -> ChoiceLogprobs:
    """Entries of the tokens that carry scores; their `bytes` joined spell the text."""
    entries = [_entry(token, token.scores) for token in tokens if token.scores is not None]
    return {"content": entries, "refusal": None}


def _entry(token: VisibleToken, scores: TokenScores) -> TokenEntry:
    shown = token.alternatives or [visible_bytes(other) for other in scores.top_ids.tolist()]
    top = [_named(raw, logprob) for raw, logprob in zip(shown, scores.top_logprobs.tolist(), strict=True)]
    return {**_named(token.raw, scores.logprob), "top_logprobs": top}


def _named(raw: bytes, logprob: float) -> TokenEntry:
    return {"token": _printable(raw), "logprob": logprob, "bytes": list(raw)}


def _printable(raw: bytes) -> str:
    """Text, or OpenAI's spelling of bytes that are only part of a character."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in raw)
