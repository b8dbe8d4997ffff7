"""The next token of a distribution, and what is told about it."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """How tokens are drawn.

    Attributes:
        temperature: 0 is greedy.
        top_p: smallest share of the probability that is drawn from; 1 is all of it.
        top_k: most tokens that are drawn from; None: all.
        seed: makes draws repeatable; None: they differ.
        top_logprobs: alternatives that are told with each token, most likely first; None: no log probabilities.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int | None = None
    seed: int | None = None
    top_logprobs: int | None = None


@dataclass(frozen=True, slots=True)
class ChosenToken:
    """A token with its log probability at temperature 1, in nats, before anything was cut off.

    Attributes:
        id: token id.
        logprob: None where none was asked for.
        top: (id, logprob) of the most likely tokens.
    """

    id: int
    logprob: float | None = None
    top: tuple[tuple[int, float], ...] = ()


class TokenChoice:
    """Chooses one token after the other."""

    def __init__(self, options: SamplingOptions) -> None:
        self._options = options
        self._warpers = _warpers(options)
        self._random = torch.Generator()
        if options.seed is None:
            self._random.seed()
        else:
            self._random.manual_seed(options.seed)

    def choose(self, ids: Tensor, scores: Tensor) -> ChosenToken:
        """Choose from (1, V) scores that follow (1, length) ids."""
        return self.told(self._drawn(ids, scores), scores)

    def told(self, token: int, scores: Tensor) -> ChosenToken:
        """`token` with what was asked for beside it."""
        count = self._options.top_logprobs
        if count is None:
            return ChosenToken(token)
        logprobs = scores[0].float().log_softmax(-1)
        best: Any = logprobs.topk(min(count, len(logprobs)))
        top = tuple(zip(best.indices.tolist(), best.values.tolist(), strict=True))
        return ChosenToken(token, float(logprobs[token]), top)

    def _drawn(self, ids: Tensor, scores: Tensor) -> int:
        if self._options.temperature == 0:
            return int(scores[0].argmax())
        probabilities: Any = self._warpers(ids, scores.float()).softmax(-1)
        return int(torch.multinomial(probabilities[0].cpu(), 1, generator=self._random))


def _warpers(options: SamplingOptions) -> Any:
    found: Any = LogitsProcessorList()
    if options.temperature > 0:
        found.append(TemperatureLogitsWarper(options.temperature))
    if options.top_k is not None:
        found.append(TopKLogitsWarper(options.top_k))
    if options.top_p < 1:
        found.append(TopPLogitsWarper(options.top_p))
    return found
