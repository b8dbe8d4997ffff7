"""Tree-packed batches: a prompt and its branches in one row, under one mask.

Everything is a function of (seed, step), so that training resumes where it stopped
without keeping the state of a random generator.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor

from adaptive_reasoner.training.embedded.examples import Example, MixtureConfig

FAST_WEIGHT = 3.0
REFINE_WEIGHT = 2.0
# Length at which attention takes as long as everything else.
_ATTENTION_LENGTH = 400.0


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded rows; `targets` and `weights` belong to the flat positions in `predict_at`.

    Attributes:
        fast_of: for each of `predict_at`, the row whose fast answer it spells, or -1.
        mode_at: (rows,) flat positions of the prompts' last tokens, where the model says its mode.
        gains: (rows,) what thinking is expected to gain; NaN where the fast answer's probability says it.
    """

    ids: Tensor
    positions: Tensor
    mask: Tensor
    predict_at: Tensor
    targets: Tensor
    weights: Tensor
    fast_of: Tensor
    mode_at: Tensor
    gains: Tensor
    tokens: int


class BatchStream:
    """Batches of one rank by step number; recomputes a pool of examples every few steps."""

    def __init__(
        self,
        draw: Callable[[Random], Example],
        mixture: MixtureConfig,
        seed: str,
    ) -> None:
        self._draw = draw
        self._mixture = mixture
        self._seed = seed
        self._pool_index = -1
        self._pool: list[list[Example]] = []

    def batch(self, step: int) -> Batch:
        """The batch of a step."""
        return collate(self.examples(step))

    def examples(self, step: int) -> list[Example]:
        """The examples of a step's batch."""
        count = self._mixture.batches_per_pool
        if step // count != self._pool_index:
            self._pool_index = step // count
            rng = Random(f"{self._seed}:{self._pool_index}")
            size = count * self._mixture.problems_per_batch
            examples = [self._draw(rng) for _ in range(size)]
            self._pool = split_by_length(examples, count)
            rng.shuffle(self._pool)
        return self._pool[step % count]


def split_by_length(examples: Sequence[Example], count: int) -> list[list[Example]]:
    """Sort by length and cut into `count` batches that take about equally long."""
    ordered = sorted(examples, key=len)
    share = sum(map(_cost, ordered)) / count
    batches: list[list[Example]] = [[] for _ in range(count)]
    filled = 0.0
    for example in ordered:
        batches[min(count - 1, int(filled / share))].append(example)
        filled += _cost(example)
    return [batch or ordered[-1:] for batch in batches]


def _cost(example: Example) -> float:
    """Relative time of an example: attention grows with the square of its length."""
    return len(example) * (1.0 + len(example) / _ATTENTION_LENGTH)


def collate(examples: Sequence[Example]) -> Batch:
    """Pad to one length and build the tree mask."""
    width = max(len(example) for example in examples)
    rows = [_lay_out(example) for example in examples]
    predict_at: list[int] = []
    targets: list[int] = []
    weights: list[float] = []
    fast_of: list[int] = []
    for number, (row, example) in enumerate(zip(rows, examples, strict=True)):
        modes = ["", *(branch.mode for branch in example.branches)]
        for column in range(1, len(row.ids)):
            if row.weights[column]:
                fast_of.append(number if modes[row.branch_of[column]] == "fast" else -1)
                predict_at.append(number * width + row.predict_from[column])
                targets.append(row.ids[column])
                weights.append(row.weights[column])
    return Batch(
        ids=_pad([row.ids for row in rows], width, 0),
        positions=_pad([row.positions for row in rows], width, 0),
        mask=tree_mask(_pad([row.branch_of for row in rows], width, -1)),
        predict_at=torch.tensor(predict_at),
        targets=torch.tensor(targets),
        weights=torch.tensor(weights),
        fast_of=torch.tensor(fast_of),
        mode_at=torch.tensor([n * width + len(e.prompt) - 1 for n, e in enumerate(examples)]),
        gains=torch.tensor([math.nan if e.gain is None else e.gain for e in examples]),
        tokens=sum(len(example) for example in examples),
    )


@dataclass(slots=True)
class _Row:
    """An example in one row: per column its id, position, branch, weight and predecessor."""

    ids: list[int]
    positions: list[int]
    branch_of: list[int]
    weights: list[float]
    predict_from: list[int]


def _lay_out(example: Example) -> _Row:
    size = len(example.prompt)
    row = _Row(list(example.prompt), list(range(size)), [0] * size, [0.0] * size, [0] * size)
    for number, branch in enumerate(example.branches, start=1):
        start, length = len(row.ids), len(branch.ids)
        factor = {"fast": FAST_WEIGHT, "refine": REFINE_WEIGHT}.get(branch.mode, 1.0)
        row.ids += branch.ids
        row.positions += range(size, size + length)
        row.branch_of += [number] * length
        row.weights += [weight * factor for weight in branch.weights]
        row.predict_from += range(start - 1, start + length - 1)
    return row


def _pad(rows: Sequence[list[int]], width: int, value: int) -> Tensor:
    return torch.tensor([row + [value] * (width - len(row)) for row in rows])


def tree_mask(branch_of: Tensor) -> Tensor:
    """(batch, 1, time, time), True where a token sees the prompt or an earlier one of its branch.

    Args:
        branch_of: (batch, time), 0 for the prompt, 1.. for branches, -1 for padding.
    """
    time = branch_of.shape[1]
    causal = torch.ones(time, time, dtype=torch.bool).tril()
    same = branch_of.unsqueeze(1) == branch_of.unsqueeze(2)
    prompt = (branch_of == 0).unsqueeze(1)
    return ((same | prompt) & causal).unsqueeze(1)
