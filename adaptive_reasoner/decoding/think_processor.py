"""THINKLOGIT inside transformers' `generate`: two small models steer every token of a larger one."""

import math
from typing import Any

import torch
from torch import Tensor
from transformers import LogitsProcessor

from adaptive_reasoner.decoding.combination import combine_logits
from adaptive_reasoner.decoding.guider import Guider
from adaptive_reasoner.decoding.prefix import AnswerLength
from adaptive_reasoner.decoding.repetition import stuck_rows
from adaptive_reasoner.decoding.schedules import AlphaSchedule, ConstantAlpha, WarmupAlpha
from adaptive_reasoner.decoding.think_options import ThinkOptions
from adaptive_reasoner.errors import ConfigurationError

PLAIN_OPTIONS = ThinkOptions()


class ThinkLogitsProcessor(LogitsProcessor):
    """Adds alpha (z_expert - z_base) to the scores of the model that generates.

    Give it as `model.generate(..., logits_processor=[processor])`: batches, left padding, greedy decoding, sampling
    and beams. Guided scores come out as log probabilities, because beams compare sums of them; sampling and greedy
    decoding cannot tell. One processor serves one `generate` at a time; a new prompt starts it anew, and `reset`
    says so where a prompt is the previous answer itself.

    Args:
        expert: the tuned small model, a transformers causal language model.
        base: the same small model before tuning.
        alpha: strength of guidance, or a schedule over the answer's tokens; where it is 0 the target writes alone and
            the guiders do not run.
        warmup_tokens: tokens of every answer that the target writes alone.
        options: padding, the guard against repetition, vocabularies.

    Raises:
        ConfigurationError: alpha is not finite, the warm-up is negative or given beside a schedule.
    Source: arXiv 2510.09354.
    """

    supports_continuous_batching = False

    def __init__(
        self,
        expert: Any,
        base: Any,
        alpha: float | AlphaSchedule = 1.0,
        warmup_tokens: int = 0,
        options: ThinkOptions = PLAIN_OPTIONS,
    ) -> None:
        self._schedule = _schedule(alpha, warmup_tokens)
        self._options = options
        self._end = options.end(expert)
        self._expert, self._base = (_guider(model, expert, options) for model in (expert, base))
        self._answers = AnswerLength()

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Guided scores of the next token.

        Args:
            input_ids: (batch, length) prompts and answers so far.
            scores: (batch, V) of the target.
        """
        generated = self._answers.follow(input_ids)
        alpha = self._schedule.at(generated)
        if alpha != 0:
            expert, base = self._expert.next_logits(input_ids), self._base.next_logits(input_ids)
            combined = combine_logits(scores, expert, base, alpha, self._options.how)
            scores = combined.log_softmax(-1).to(scores.dtype)
        return self._guarded(input_ids[:, input_ids.shape[1] - generated :], scores)

    def reset(self) -> None:
        """Forgets the text seen so far and frees both caches."""
        self._answers.reset()
        self._expert.reset()
        self._base.reset()

    def _guarded(self, generated: Tensor, scores: Tensor) -> Tensor:
        """Only the end token is left in rows that repeat one token."""
        limit = self._options.repeat_limit
        if limit is None or self._end is None or not 0 <= self._end < scores.shape[-1]:
            return scores
        ending = torch.full_like(scores[:1], -math.inf)
        ending[:, self._end] = 0
        return torch.where(stuck_rows(generated, limit).to(scores.device)[:, None], ending, scores)


def _schedule(alpha: float | AlphaSchedule, warmup_tokens: int) -> AlphaSchedule:
    if not isinstance(alpha, AlphaSchedule):
        return WarmupAlpha(alpha, warmup_tokens) if warmup_tokens else ConstantAlpha(alpha)
    if warmup_tokens:
        raise ConfigurationError("Give warmup_tokens or a schedule of alpha, not both.")
    return alpha


def _guider(model: Any, expert: Any, options: ThinkOptions) -> Guider:
    unknown, vocabulary = options.unknown(expert), options.how.vocabulary
    context = None if vocabulary is None else torch.as_tensor(vocabulary.guider_context(unknown))
    return Guider(model, options.padding(expert), unknown, context)
