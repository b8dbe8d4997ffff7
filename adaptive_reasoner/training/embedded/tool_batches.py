"""Batches of the tool mode's rows: prefixes padded on the left, suffixes on the right."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor

from adaptive_reasoner.training.embedded.tool_examples import ToolMixture, ToolRow, draw_tool_row

_BATCHES_PER_POOL = 16


@dataclass(frozen=True, slots=True)
class ToolBatch:
    """Padded rows.

    Attributes:
        prefix: (rows, width) ids that the base reads.
        padding: (rows,) columns of each prefix that are padding.
        suffix: (rows, time) ids that the adapted weights read and write.
        weights: (rows, time) loss weight of each id of the suffix as a target.
    """

    prefix: Tensor
    padding: Tensor
    suffix: Tensor
    weights: Tensor


def collate(rows: Sequence[ToolRow]) -> ToolBatch:
    """Pad rows to one shape, of few sizes: kernels and memory are kept for each size that came up."""
    width = _rounded(max(len(row.prefix) for row in rows), 32)
    time = _rounded(max(len(row.suffix) for row in rows), 8) + 1
    return ToolBatch(
        prefix=torch.tensor([[0] * (width - len(row.prefix)) + row.prefix for row in rows]),
        padding=torch.tensor([width - len(row.prefix) for row in rows]),
        suffix=torch.tensor([row.suffix + [0] * (time - len(row.suffix)) for row in rows]),
        weights=torch.tensor([row.weights + [0.0] * (time - len(row.suffix)) for row in rows]),
    )


def _rounded(size: int, step: int) -> int:
    return -(-size // step) * step


class ToolStream:
    """Rows of one process by step number: a function of the seed, so that training resumes without its state.

    Args:
        seed: of this run and process.
        mixture: shares of what is drawn.
        rows: of a batch.
    """

    def __init__(self, seed: str, mixture: ToolMixture, rows: int) -> None:
        self._seed = seed
        self._mixture = mixture
        self._rows = rows
        self._pool_index = -1
        self._pool: list[list[ToolRow]] = []

    def rows(self, step: int) -> list[ToolRow]:
        """The rows of a step's batch, of about equal length."""
        if step // _BATCHES_PER_POOL != self._pool_index:
            self._pool_index = step // _BATCHES_PER_POOL
            self._pool = self._draw(Random(f"{self._seed}:{self._pool_index}"))
            # The same order in every process: they wait for the one with the longest rows.
            Random(self._pool_index).shuffle(self._pool)
        return self._pool[step % _BATCHES_PER_POOL]

    def _draw(self, rng: Random) -> list[list[ToolRow]]:
        count = self._rows * _BATCHES_PER_POOL
        rows = sorted((draw_tool_row(rng, self._mixture) for _ in range(count)), key=len)
        return [rows[start : start + self._rows] for start in range(0, count, self._rows)]
