"""Worked answers as rows of token ids with their loss, for any Hugging Face causal language model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from adaptive_reasoner.decoding.order_texts import Order, OrderTexts, tag_ids
from adaptive_reasoner.errors import InvalidInputError
from adaptive_reasoner.training.distill.examples import DistillExample
from adaptive_reasoner.training.drawing import Drawer

_IGNORED = -100


class RowsConfig(Protocol):
    """What decides the rows; `DirectoryStudentConfig` has it."""

    @property
    def orders(self) -> tuple[Order, ...]:
        """That are learned."""
        ...

    @property
    def weighted(self) -> bool:
        """Whether hard examples weigh more."""
        ...

    @property
    def max_length(self) -> int:
        """Tokens of a row."""
        ...

    @property
    def texts(self) -> OrderTexts:
        """The marks of both orders."""
        ...


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """One example in one order: token ids, and which of them are learned."""

    ids: list[int]
    labels: list[int]
    weight: float


def training_rows(
    drawer: Drawer, examples: Sequence[DistillExample], config: RowsConfig
) -> list[TrainingRow]:
    """Each example in each order, those that are too long left out.

    Raises:
        InvalidInputError: none is left.
    """
    rows = [_row(drawer, example, order, config) for example in examples for order in config.orders]
    kept = [row for row in rows if len(row.ids) <= config.max_length]
    if not kept:
        raise InvalidInputError(f"No example fits into max_length, {config.max_length} tokens.")
    return kept


def _row(drawer: Drawer, example: DistillExample, order: Order, config: RowsConfig) -> TrainingRow:
    read = [*drawer.prompt(example.question), *tag_ids(drawer.tokenizer, config.texts, order)]
    text = config.texts.completion(example.answer, example.rationale, order)
    said = [*drawer.tokenizer.encode(text, add_special_tokens=False), drawer.tokenizer.eos_token_id]
    weight = example.weight if config.weighted else 1.0
    return TrainingRow([*read, *said], [_IGNORED] * len(read) + said, weight)


class Collator:
    """Pads rows to one length; `labels` carry the examples' weights in a second plane, (2, rows, time)."""

    def __init__(self, pad: int) -> None:
        self._pad = pad

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
        """A batch of the trainer's."""
        ids = [torch.tensor(row["ids"]) for row in rows]
        labels = pad_sequence(
            [torch.tensor(row["labels"]) for row in rows], batch_first=True, padding_value=_IGNORED
        )
        weights = torch.tensor([row["weight"] for row in rows], dtype=torch.float64)
        return {
            "input_ids": pad_sequence(ids, batch_first=True, padding_value=self._pad),
            "attention_mask": pad_sequence([torch.ones_like(one) for one in ids], batch_first=True),
            "labels": torch.stack([labels.double(), weights[:, None].expand(labels.shape)], dim=2),
        }


def weighted_loss(outputs: Any, labels: Tensor, num_items_in_batch: Any = None) -> Tensor:  # noqa: ARG001
    """Weighted mean of -log p over the learned tokens.

    Args:
        outputs: with logits (rows, time, vocab).
        labels: (rows, time, 2), the target ids (-100: not learned) and their weights.
        num_items_in_batch: the trainer's count of tokens, which knows no weights.
    """
    targets, weights = labels[:, 1:, 0].long(), labels[:, 1:, 1].float()
    logits: Tensor = outputs["logits"][:, :-1].float()
    losses = functional.cross_entropy(
        logits.transpose(1, 2), targets, reduction="none", ignore_index=_IGNORED
    )
    counted = weights * (targets != _IGNORED)
    return (losses * counted).sum() / counted.sum()
