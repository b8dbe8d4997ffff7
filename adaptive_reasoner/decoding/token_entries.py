"""Written tokens in the shape of OpenAI's Chat Completions."""

from collections.abc import Iterable
from typing import Any

from adaptive_reasoner.decoding.written_text import WrittenToken


def choice_logprobs(tokens: Iterable[WrittenToken]) -> dict[str, Any]:
    """What OpenAI puts under a choice's `logprobs`; the entries' texts joined spell the answer."""
    content = [
        {
            **_entry(token.text, token.logprob),
            "top_logprobs": [_entry(text, value) for text, value in token.top],
        }
        for token in tokens
        if token.logprob is not None
    ]
    return {"content": content, "refusal": None}


def _entry(text: str, logprob: float) -> dict[str, Any]:
    return {"token": text, "logprob": logprob, "bytes": list(text.encode("utf-8", "replace"))}
