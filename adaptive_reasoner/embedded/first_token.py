"""The embedded model's own choice of mode: what it says first after a prompt, `<fast>` or `<think>`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from langchain_core.messages import BaseMessage
from numpy.typing import NDArray

from adaptive_reasoner.embedded.blas import single_threaded_blas
from adaptive_reasoner.embedded.conversation import read_prompt
from adaptive_reasoner.embedded.dialogue import Mode
from adaptive_reasoner.embedded.runtime import KVCache, Runtime, shipped_runtime
from adaptive_reasoner.embedded.tokenizer import special
from adaptive_reasoner.embedded.weights import FloatArray
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.triage.mode_token import ModeTokenEstimator, load_packaged_mode_token

ESTIMATOR = "embedded-mode-token"
_ROWS = 64
_UNCALIBRATED = 0.5


@dataclass(frozen=True, slots=True)
class AutoChoice:
    """What the model chose after a prompt, and the prompt as it was read.

    Attributes:
        mode: "fast" or "deep".
        think_probability: P(<think>) among the two.
        threshold: from which it thinks.
        share: percentage of questions that this threshold is meant for.
        cache: holds the prompt; the answer goes on from it.
    """

    mode: Mode
    think_probability: float
    threshold: float
    share: int
    cache: KVCache

    def metadata(self) -> dict[str, Any]:
        """What the message says of the choice."""
        return {
            "mode": self.mode,
            "think_probability": self.think_probability,
            "threshold": self.threshold,
            "share": self.share,
        }


def choose_mode(runtime: Runtime, prompt: Sequence[int], share: int = 50) -> AutoChoice:
    """Read a prompt and let the model choose; at any temperature the likelier mode, shifted to the share.

    Args:
        runtime: the model.
        prompt: ids from `dialogue.render_prompt`, without a mode token; it must leave room for an answer.
        share: percentage of questions that should think.

    Raises:
        ConfigurationError: the weights have no threshold for this share.
    """
    threshold = threshold_for(runtime, share)
    cache = runtime.new_cache(1)
    with single_threaded_blas():
        logits = runtime.forward(np.array([prompt], dtype=np.int64), cache)[0]
    probability = think_probability(logits)
    mode: Mode = "deep" if probability >= threshold else "fast"
    return AutoChoice(mode, probability, threshold, share, cache)


def threshold_for(runtime: Runtime, share: int) -> float:
    """P(<think>) from which the model thinks on `share` per cent of the questions it was calibrated on.

    Raises:
        ConfigurationError: the weights have no threshold for this share.
    """
    known = runtime.weights.think_thresholds
    if not known:
        return _UNCALIBRATED
    if share not in known:
        allowed = ", ".join(map(str, sorted(known)))
        raise ConfigurationError(f"auto_share is {share}; these weights are calibrated for: {allowed}.")
    return known[share]


def think_logit(logits: FloatArray) -> float:
    """Log P(<think>) - log P(<fast>) from the logits (vocab,) after a prompt."""
    return float(logits[special("<think>")]) - float(logits[special("<fast>")])


def think_probability(logits: FloatArray) -> float:
    """P(<think>) among the two modes, from the logits (vocab,) after a prompt."""
    return float(1.0 / (1.0 + np.exp(-think_logit(logits))))


def think_logit_of(messages: Sequence[BaseMessage], runtime: Runtime | None = None) -> float:
    """Log P(<think>) - log P(<fast>) after a conversation; of the shipped weights where none are given.

    Raises:
        ContextWindowExceededError: the newest turn is too long by itself.
        InvalidInputError: the newest turn holds something other than text.
    """
    model = runtime or shipped_runtime()
    prompt, _ = read_prompt(messages, model.shape.context)
    return float(think_logits(model, [prompt])[0])


def mode_token_estimator() -> ModeTokenEstimator:
    """Triage by the shipped weights' own first token, for `ReasonerConfig(triage=mode_token_estimator())`.

    It ranks wrong fast answers better than the text's features do, but in the whole loop the default saves as
    much: see `docs/ibpo.md`.
    """
    return load_packaged_mode_token(ESTIMATOR, think_logit_of)


def think_logits(runtime: Runtime, prompts: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """Log P(<think>) - log P(<fast>) for many prompts, (n,).

    Args:
        runtime: the model.
        prompts: ids from `dialogue.render_prompt`, without a mode token.
    """
    found = np.zeros(len(prompts))
    order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    with single_threaded_blas():
        for start in range(0, len(order), _ROWS):
            rows = order[start : start + _ROWS]
            found[rows] = [think_logit(logits) for logits in _read(runtime, [prompts[row] for row in rows])]
    return found


def _read(runtime: Runtime, prompts: Sequence[Sequence[int]]) -> FloatArray:
    """(rows, vocab) logits after each prompt."""
    width = max(len(prompt) for prompt in prompts)
    cache = runtime.new_cache(len(prompts), [width - len(prompt) for prompt in prompts])
    padded = [[0] * (width - len(prompt)) + list(prompt) for prompt in prompts]
    return runtime.forward(np.array(padded, dtype=np.int64), cache)
