"""Muon: momentum whose update is orthogonalised, for the matrices inside the blocks."""

import torch
import torch.distributed as dist
from torch import Tensor

# Quintic Newton-Schulz coefficients of Jordan et al., "Muon" (2024).
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5


def orthogonalise(matrices: Tensor) -> Tensor:
    """Bring the singular values of a stack of matrices (n, rows, columns) near 1, in bfloat16."""
    a, b, c = _COEFFICIENTS
    x = matrices.bfloat16()
    is_tall = x.shape[-2] > x.shape[-1]
    x = x.transpose(-1, -2) if is_tall else x
    x = x / (x.square().sum(dim=(-2, -1), keepdim=True).sqrt() + 1e-7)
    for _ in range(_ITERATIONS):
        gram = x @ x.transpose(-1, -2)
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.transpose(-1, -2) if is_tall else x


class Muon:
    """Updates matrices, of which each may hold several that are orthogonalised on their own.

    With torch.distributed initialised, ranks divide the orthogonalisation between them; they
    must hold equal parameters and equal (already averaged) gradients.
    """

    def __init__(self, pieces: list[tuple[Tensor, int]], momentum: float = 0.95) -> None:
        """Take (parameter, number of matrices stacked along its rows) pairs."""
        self.parameters = [parameter for parameter, _ in pieces]
        self.parts = [parts for _, parts in pieces]
        self.momentum = momentum
        self.buffers = [torch.zeros_like(p) for p in self.parameters]

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Apply one update from the parameters' gradients (Nesterov momentum)."""
        groups: dict[tuple[int, ...], list[tuple[int, Tensor]]] = {}
        for index, parameter in enumerate(self.parameters):
            gradient = parameter.grad
            if gradient is None:
                continue
            buffer = self.buffers[index].lerp_(gradient, 1 - self.momentum)
            update = gradient.lerp(buffer, self.momentum)
            for part in update.chunk(self.parts[index]):
                groups.setdefault(tuple(part.shape), []).append((index, part))
        for shape, members in groups.items():
            directions = _orthogonalise_shared(torch.stack([part for _, part in members]))
            scale = learning_rate * max(1.0, shape[0] / shape[1]) ** 0.5
            self._apply(members, directions, scale)

    def _apply(self, members: list[tuple[int, Tensor]], directions: Tensor, scale: float) -> None:
        row_of: dict[int, int] = {}
        for (index, part), direction in zip(members, directions, strict=True):
            start = row_of.get(index, 0)
            rows = self.parameters[index][start : start + len(part)]
            rows.sub_(direction.to(rows.dtype), alpha=scale)
            row_of[index] = start + len(part)

    def state_dict(self) -> dict[str, list[Tensor]]:
        """The momentum buffers."""
        return {"buffers": self.buffers}

    def load_state_dict(self, state: dict[str, list[Tensor]]) -> None:
        """Restore the momentum buffers."""
        for buffer, saved in zip(self.buffers, state["buffers"], strict=True):
            buffer.copy_(saved)


def _orthogonalise_shared(stack: Tensor) -> Tensor:
    if not dist.is_initialized() or dist.get_world_size() == 1:
        return orthogonalise(stack).float()
    rank, world = dist.get_rank(), dist.get_world_size()
    result = torch.zeros_like(stack)
    if rank < len(stack):
        result[rank::world] = orthogonalise(stack[rank::world]).float()
    dist.all_reduce(result)  # pyright: ignore[reportUnknownMemberType]
    return result
