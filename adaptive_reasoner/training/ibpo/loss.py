"""The loss of a step: the tokens' weighted cross-entropy, and the mode token's at the price of thinking."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from adaptive_reasoner.embedded.tokenizer import special
from adaptive_reasoner.training.embedded.batches import Batch
from adaptive_reasoner.training.embedded.model import Decoder
from adaptive_reasoner.training.ibpo.price import mode_weights


@dataclass(frozen=True, slots=True)
class StepLoss:
    """Everything in nats; `total` is what is differentiated."""

    total: Tensor
    tokens: float
    mode: float


def step_loss(model: Decoder, batch: Batch, price: float, mode_weight: float) -> StepLoss:
    """Loss of rehearsal and chosen responses together.

    Args:
        model: in training.
        batch: rows whose responses are fixed: no gradient goes through how they were drawn or chosen.
        price: the thinking budget's dual price.
        mode_weight: weight of a prompt's mode token, in tokens.
    """
    with torch.autocast("cpu", torch.bfloat16):
        hidden = model(batch.ids, batch.positions, batch.mask).flatten(0, 1)
        logits = model.head(hidden[torch.cat([batch.predict_at, batch.mode_at])]).float()
    said, modes = logits[: len(batch.predict_at)], logits[len(batch.predict_at) :]
    losses = functional.cross_entropy(said, batch.targets, reduction="none")
    total_weight = batch.weights.sum()
    tokens = (losses * batch.weights).sum() / total_weight
    mode = mode_loss(modes, expected_gains(batch, losses.detach()), price)
    total = tokens + mode.sum() * mode_weight / total_weight
    return StepLoss(total, tokens.item(), mode.mean().item())


def expected_gains(batch: Batch, losses: Tensor) -> Tensor:
    """(rows,) what thinking is expected to gain on each prompt.

    A fast answer's text is unique, so the probability of a right draw is that of its tokens, exactly: the mean
    reward of infinitely many draws. A thought counts as right, which it is on more than 98 % of the problems.

    Args:
        batch: says which rows come with a gain of their own.
        losses: -log P of each predicted token.
    """
    rows = torch.zeros(len(batch.gains))
    inside = batch.fast_of >= 0
    surprise = rows.index_add(0, batch.fast_of[inside], losses[inside])
    return torch.where(batch.gains.isnan(), 1.0 - torch.exp(-surprise), batch.gains)


def mode_loss(logits: Tensor, gains: Tensor, price: float) -> Tensor:
    """(rows,) weighted -log P of the mode tokens over the whole vocabulary; logits are (rows, vocab)."""
    think, fast = mode_weights(gains.numpy().astype(np.float64), price)
    log_probabilities = logits.log_softmax(-1)
    return -(
        torch.tensor(think, dtype=torch.float32) * log_probabilities[:, special("<think>")]
        + torch.tensor(fast, dtype=torch.float32) * log_probabilities[:, special("<fast>")]
    )
