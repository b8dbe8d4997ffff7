"""What IBPO needs of any Hugging Face causal language model: draw responses, and score what was drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.training.drawing import Drawer

TextMode = Literal["fast", "deep"]


@dataclass(frozen=True, slots=True)
class Scored:
    """One sequence to score: a prompt, a mode's tag after it, and perhaps a response after that.

    Attributes:
        tag: token ids of the mode's tag.
        response: token ids drawn after it, empty where the mode was not chosen.
    """

    prompt: list[int]
    tag: list[int]
    response: list[int]


class CausalLm(Drawer):
    """A model with its tokenizer and the texts that ask for a mode.

    Args:
        model: gives logits (batch, time, vocab); it may be wrapped for data-parallel training.
        tokenizer: of the same directory.
        tags: the text after a prompt that starts each mode.
    """

    def __init__(self, model: Any, tokenizer: Any, tags: dict[TextMode, str]) -> None:
        super().__init__(model, tokenizer)
        self.tags: dict[TextMode, list[int]] = {mode: self._tag(text) for mode, text in tags.items()}
        if self.tags["fast"] == self.tags["deep"]:
            raise ConfigurationError(
                f"The tokenizer reads the mode tags {tags['fast']!r} and {tags['deep']!r} as the same tokens; "
                "choose others, or add them to its vocabulary."
            )

    def _tag(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text, add_special_tokens=False))

    def draw(
        self, prompts: Sequence[Sequence[int]], mode: TextMode, count: int, max_tokens: int
    ) -> list[list[list[int]]]:
        """Draw `count` responses to each prompt in one mode, at temperature 1.

        Returns:
            Per prompt, per draw: token ids with the end token, if it came.
        """
        return self.draw_after([[*prompt, *self.tags[mode]] for prompt in prompts], count, max_tokens)

    def log_probabilities(self, rows: Sequence[Scored]) -> tuple[Tensor, Tensor]:
        """Log P(tag | prompt) and log P(response | prompt, tag), each (rows,), with gradients."""
        whole = [torch.tensor([*row.prompt, *row.tag, *row.response]) for row in rows]
        ids = pad_sequence(whole, batch_first=True, padding_value=self.pad)
        mask = pad_sequence([torch.ones_like(one) for one in whole], batch_first=True)
        device = next(self.model.parameters()).device
        logits: Tensor = self.model(input_ids=ids.to(device), attention_mask=mask.to(device)).logits
        said = logits[:, :-1].float().log_softmax(-1)
        taken = said.gather(2, ids[:, 1:, None].to(device)).squeeze(2)
        columns = torch.arange(1, ids.shape[1], device=device)
        starts, ends = _edges(rows, device)
        is_tag = (columns >= starts) & (columns < ends)
        is_response = (columns >= ends) & mask[:, 1:].bool().to(device)
        return (taken * is_tag).sum(1), (taken * is_response).sum(1)


def _edges(rows: Sequence[Scored], device: torch.device) -> tuple[Tensor, Tensor]:
    """(rows, 1) columns at which each tag begins and ends."""
    starts = torch.tensor([[len(row.prompt)] for row in rows], device=device)
    ends = torch.tensor([[len(row.prompt) + len(row.tag)] for row in rows], device=device)
    return starts, ends
