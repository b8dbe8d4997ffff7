"""Responses with log probabilities at top-20, made up but shaped like real ones; the same ones every time."""

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np

_WORDS = "the train leaves at noon and needs three hours so we add both times before we answer".split()  # noqa: SIM905


def make_response(tokens: int, seed: int, top: int = 20) -> dict[str, Any]:
    """A chat completion of `tokens` >= 4 tokens that ends in "Answer: <number>".

    Most tokens are nearly certain and some are not, as in real replies: the chosen one's share of the mass is
    drawn from Beta(6, .5), and the rest falls off geometrically.
    """
    rng = np.random.default_rng([seed, tokens])
    words = [f" {_WORDS[index]}" for index in rng.integers(0, len(_WORDS), tokens - 4)]
    chosen = [*words, "\n", "Answer", ":", f" {rng.integers(10, 100)}"]
    entries = [_entry(token, rng, top) for token in chosen]
    message = {"role": "assistant", "content": "".join(chosen), "refusal": None}
    choice = {
        "index": 0,
        "message": message,
        "logprobs": {"content": entries, "refusal": None},
        "finish_reason": "stop",
    }
    usage = {"prompt_tokens": 40, "completion_tokens": tokens, "total_tokens": tokens + 40}
    # Through JSON, as from an endpoint: no string and no number is shared between entries.
    return json.loads(json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage}))


def _entry(token: str, rng: np.random.Generator, top: int) -> dict[str, Any]:
    share = float(np.clip(rng.beta(6, 0.5), 0.05, 1 - 1e-6))
    tail = (1 - share) * 0.4 * 0.6 ** np.arange(top - 1)
    texts = [f" {_WORDS[(index + len(token)) % len(_WORDS)]}{index}" for index in range(top - 1)]
    listed = [(token, math.log(share)), *zip(texts, np.log(tail).tolist(), strict=True)]
    listed.sort(key=lambda pair: -pair[1])
    alternatives = [
        {"token": text, "logprob": logprob, "bytes": list(text.encode())} for text, logprob in listed
    ]
    return {
        "token": token,
        "logprob": math.log(share),
        "bytes": list(token.encode()),
        "top_logprobs": alternatives,
    }


def recorded_responses() -> list[dict[str, Any]]:
    """The real top-20 responses of data/logprob-fixtures that can be trusted; none where the data are missing."""
    folder = Path(os.environ.get("ADAPTIVE_REASONER_DATA", "../shared/data")) / "logprob-fixtures"
    names = ("openai-chat-top20-factual.json", "openai-chat-top20-wrong-factoid.json")
    return [
        json.loads((folder / name).read_text(encoding="utf-8")) for name in names if (folder / name).is_file()
    ]
