"""Responses in the shapes that providers send, built from (token, probability) pairs."""

import math
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage

Pair = tuple[str, float] | tuple[str, float, dict[str, float]]


def entry(token: str, p: float, others: dict[str, float] | None = None) -> dict[str, Any]:
    """One token in OpenAI's shape; `others` are its alternatives and their probabilities."""
    top = {token: p, **(others or {})}
    listed = [
        {"token": text, "logprob": math.log(q), "bytes": list(text.encode())} for text, q in top.items()
    ]
    return {"token": token, "logprob": math.log(p), "bytes": list(token.encode()), "top_logprobs": listed}


def byte_entry(piece: bytes, p: float) -> dict[str, Any]:
    """A token that is a piece of a character: unreadable as text, known by its bytes."""
    shown = piece.decode("utf-8", "replace")
    top = [{"token": shown, "logprob": math.log(p), "bytes": list(piece)}]
    return {"token": shown, "logprob": math.log(p), "bytes": list(piece), "top_logprobs": top}


def completion(text: str | None, entries: Sequence[Any] | None, **message: Any) -> dict[str, Any]:
    """A chat completion as JSON."""
    logprobs = None if entries is None else {"content": list(entries), "refusal": None}
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}, "logprobs": logprobs}
    return {"object": "chat.completion", "choices": [choice]}


def answer(text: str, entries: Sequence[Any] | None, **fields: Any) -> AIMessage:
    """An AIMessage as `ChatOpenAI` gives it."""
    logprobs = None if entries is None else {"content": list(entries), "refusal": None}
    return AIMessage(text, response_metadata={"logprobs": logprobs}, **fields)


FORTY_TWO = [
    entry("Answer", 1.0),
    entry(":", 1.0),
    entry(" 4", 0.6, {" 5": 0.3, " 7": 0.05}),
    entry("2", 0.9, {"3": 0.1}),
]
