"""The pair of optimizers: Muon for the blocks' matrices, AdamW for everything else."""

from collections.abc import Iterable
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from adaptive_reasoner.training.embedded.config import TrainConfig
from adaptive_reasoner.training.embedded.model import Decoder
from adaptive_reasoner.training.embedded.muon import Muon

# Matrices that are stored together but orthogonalised one by one.
_PARTS = {"qkv": 3, "gate_up": 2}
_BETAS = (0.9, 0.95)


class Optimizer:
    """Steps both optimizers at one relative rate."""

    def __init__(self, model: Decoder, config: TrainConfig) -> None:
        self._config = config
        self._parameters = list(model.parameters())
        matrices: list[tuple[Tensor, int]] = []
        others: list[Tensor] = []
        for name, parameter in model.named_parameters():
            if name.startswith("blocks.") and parameter.ndim == 2:
                matrices.append((parameter, _PARTS.get(name.split(".")[2], 1)))
            else:
                others.append(parameter)
        self._muon = Muon(matrices)
        self._adam = torch.optim.AdamW(others, lr=config.adam_rate, betas=_BETAS, weight_decay=0.0)

    def step(self, relative_rate: float) -> None:
        """Average the gradients over the processes, apply them and clear them."""
        average_gradients(self._parameters)
        for group in self._adam.param_groups:
            group["lr"] = self._config.adam_rate * relative_rate
        self._adam.step()  # pyright: ignore[reportUnknownMemberType]
        self._muon.step(self._config.muon_rate * relative_rate)
        for parameter in self._parameters:
            parameter.grad = None

    def state_dict(self) -> dict[str, Any]:
        """The state of both optimizers."""
        return {"muon": self._muon.state_dict(), "adam": self._adam.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state of both optimizers."""
        self._muon.load_state_dict(state["muon"])
        self._adam.load_state_dict(state["adam"])


def average_gradients(parameters: Iterable[Tensor]) -> None:
    """Set each gradient to its mean over the processes, all in one exchange."""
    if not dist.is_initialized() or dist.get_world_size() == 1:
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    dist.all_reduce(flat)  # pyright: ignore[reportUnknownMemberType]
    flat /= dist.get_world_size()
    start = 0
    for gradient in gradients:
        gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
        start += gradient.numel()
