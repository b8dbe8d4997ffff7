"""The mode tokens' rows of the head, fitted alone on frozen hidden states: a convex problem of a few seconds.

After a prompt the model has never said anything, so its first token is far from a mode: training everything at
once from there would first bend the whole model. These rows alone change no other weight.
"""

from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor
from torch.nn import functional

from adaptive_reasoner.embedded.branches import render_fast
from adaptive_reasoner.embedded.dialogue import render_prompt
from adaptive_reasoner.embedded.problems import generate
from adaptive_reasoner.embedded.tokenizer import special
from adaptive_reasoner.training.embedded.batches import collate, split_by_length
from adaptive_reasoner.training.embedded.examples import Example
from adaptive_reasoner.training.embedded.model import Decoder
from adaptive_reasoner.training.ibpo.loss import expected_gains, mode_loss

_BATCH = 64
_OTHERS = 2.0  # other positions kept, for each prompt
_DECAY = 1e-4
_ITERATIONS = 150


@dataclass(frozen=True, slots=True)
class _States:
    """Hidden states (n, d), and the logits there (n, vocab) of the head as it is.

    Attributes:
        gains: (n,) what thinking is expected to gain; NaN where another token comes than a mode's.
    """

    hidden: Tensor
    logits: Tensor
    gains: Tensor


def fit_mode_rows(model: Decoder, count: int, seed: int) -> float:
    """Fit the rows of `<fast>` and `<think>` in place, at the neutral price.

    Args:
        model: everything else of it stays as it is.
        count: training problems to fit on.
        seed: decides the problems.

    Returns:
        The mode token's mean loss, in nats.
    """
    states = _read(model, count, seed)
    is_mode = ~states.gains.isnan()
    rows = torch.tensor([special("<fast>"), special("<think>")])
    values = model.head.weight.detach()[rows].clone().requires_grad_()
    optimizer = torch.optim.LBFGS([values], max_iter=_ITERATIONS, line_search_fn="strong_wolfe")

    def logits() -> Tensor:
        return states.logits.index_copy(1, rows, states.hidden @ values.T)

    def objective() -> Tensor:
        optimizer.zero_grad()
        shown = logits()
        said = mode_loss(shown[is_mode], states.gains[is_mode], 0.5).mean()
        # elsewhere, what probability the modes take away from all other tokens
        others = shown[~is_mode]
        taken = -(1.0 - others.softmax(-1)[:, rows].sum(-1)).clamp(min=1e-6).log().mean()
        loss = said + taken + _DECAY * values.square().sum()
        loss.backward()  # pyright: ignore[reportUnknownMemberType]
        return loss

    optimizer.step(objective)  # pyright: ignore[reportUnknownMemberType]
    with torch.no_grad():
        model.head.weight[rows] = values
        return mode_loss(logits()[is_mode], states.gains[is_mode], 0.5).mean().item()


@torch.no_grad()
def _read(model: Decoder, count: int, seed: int) -> _States:
    rng = Random(seed)
    examples = [
        Example(render_prompt([("user", problem.question)]), [render_fast(problem)])
        for problem in generate("train", count, seed=seed)
    ]
    parts: list[tuple[Tensor, Tensor]] = []
    for batch in map(collate, split_by_length(examples, max(1, count // _BATCH))):
        hidden = model(batch.ids, batch.positions, batch.mask).flatten(0, 1)
        said = functional.cross_entropy(model.head(hidden[batch.predict_at]), batch.targets, reduction="none")
        gains = expected_gains(batch, said)
        visible = (batch.ids.flatten() > 0).nonzero().flatten()
        kept = rng.sample(range(len(visible)), int(_OTHERS * len(gains)))
        others = visible[kept]
        others = others[~torch.isin(others, batch.mode_at)]
        nothing = torch.full((len(others),), torch.nan)
        parts.append((hidden[torch.cat([batch.mode_at, others])], torch.cat([gains, nothing])))
    hidden = torch.cat([part[0] for part in parts])
    return _States(hidden, model.head(hidden), torch.cat([part[1] for part in parts]))
