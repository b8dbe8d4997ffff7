"""Guides the rows of a running batch, whoever joined or left it since the last step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from adaptive_reasoner.decoding.combination import PLAIN, Combination, combine_logits
from adaptive_reasoner.decoding.guider import Guider
from adaptive_reasoner.decoding.local_model import LocalModel, load_local_model
from adaptive_reasoner.decoding.local_options import LocalOptions
from adaptive_reasoner.decoding.schedules import AlphaSchedule
from adaptive_reasoner.decoding.think_options import ThinkOptions
from adaptive_reasoner.decoding.vllm.settings import EngineSettings

# An id that no vocabulary has, so that a prompt's own tokens are never taken for padding.
_PADDING = 2**31 - 1


@dataclass(frozen=True, slots=True)
class GuidedRow:
    """One request that wants guidance.

    Attributes:
        row: of the engine's logits.
        text: token ids so far, prompt and answer.
        generated: how many of them are the answer's.
        schedule: its strength of guidance.
    """

    row: int
    text: Sequence[int]
    generated: int
    schedule: AlphaSchedule


class GuidedRows:
    """Both guiders, stepped as one batch beside the engine's.

    While the batch stays the same, each step reads one token a row; requests that leave only drop their cache. When
    one joins, the whole batch's text is read again by the guiders, because rows of one cache must be equally long.
    """

    def __init__(self, expert: Any, base: Any, how: Combination = PLAIN, unknown_id: int = 0) -> None:
        self._expert, self._base = (Guider(model, _PADDING, unknown_id) for model in (expert, base))
        self._how = how

    def guide(self, logits: Tensor, rows: Sequence[GuidedRow]) -> Tensor:
        """Moves the guided rows of (n, V) logits in place; the others stay as they are.

        Returns:
            The same tensor.
        """
        alphas = [row.schedule.at(row.generated) for row in rows]
        moved = [index for index, alpha in enumerate(alphas) if alpha != 0]
        if not moved:
            return logits
        ids = _padded([rows[index].text for index in moved])
        places = torch.tensor([rows[index].row for index in moved], device=logits.device)
        expert, base = (guider.next_logits(ids).to(logits.device) for guider in (self._expert, self._base))
        strengths = torch.tensor([alphas[index] for index in moved], device=logits.device)
        combined = combine_logits(logits[places], expert, base, strengths, self._how)
        logits[places] = combined.to(logits.dtype)
        return logits


def load_guiders(settings: EngineSettings, target_tokenizer: Any, device: str) -> GuidedRows:
    """Loads both guiders beside the engine, and compares the three vocabularies token by token.

    Raises:
        ConfigurationError: a guider cannot be loaded, or its tokenizer is not the target's.
    """
    options = LocalOptions(device=device, check_memory=False)  # the engine has its share already
    expert, base = (load_local_model(name, options) for name in (settings.expert, settings.base))
    how = Combination(nucleus=settings.nucleus)
    think = ThinkOptions(how, tokenizers=(target_tokenizer, expert.tokenizer, base.tokenizer))
    return GuidedRows(expert.model, base.model, how, _unknown(think, expert))


def _unknown(think: ThinkOptions, expert: LocalModel) -> int:
    return think.unknown(expert.model)


def _padded(texts: Sequence[Sequence[int]]) -> Tensor:
    """(rows, longest), padded on the left."""
    longest = max(len(text) for text in texts)
    return torch.tensor([[_PADDING] * (longest - len(text)) + list(text) for text in texts])
