"""The embedded model in PyTorch: a small Llama-like decoder with QK-norm, for training only."""

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-6


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Sizes of the decoder; head dimension is d_model / heads."""

    d_model: int = 192
    layers: int = 6
    heads: int = 6
    ff: int = 512
    vocab_size: int = 470
    context: int = 512
    rope_theta: float = 10000.0

    def to_dict(self) -> dict[str, float]:
        """The sizes as plain JSON."""
        return asdict(self)


class RMSNorm(nn.Module):
    """Root-mean-square norm with a learned scale."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last axis."""
        return functional.rms_norm(x, self.weight.shape, self.weight.to(x.dtype), EPSILON)


class Block(nn.Module):
    """Pre-norm attention and SwiGLU."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        d, head = config.d_model, config.d_model // config.heads
        self.heads = config.heads
        self.attention_norm = RMSNorm(d)
        self.qkv = nn.Linear(d, 3 * d, bias=False)
        self.q_norm = RMSNorm(head)
        self.k_norm = RMSNorm(head)
        self.out = nn.Linear(d, d, bias=False)
        self.mlp_norm = RMSNorm(d)
        self.gate_up = nn.Linear(d, 2 * config.ff, bias=False)
        self.down = nn.Linear(config.ff, d, bias=False)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.down.weight)

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor], mask: Tensor) -> Tensor:
        """One layer; x is (batch, time, d), mask (batch, 1, time, time), 0 or -inf."""
        batch, time, d = x.shape
        qkv = self.qkv(self.attention_norm(x)).view(batch, time, 3, self.heads, -1)
        q, k, v = qkv.unbind(2)
        q = rotate(self.q_norm(q), rotation).transpose(1, 2)
        k = rotate(self.k_norm(k), rotation).transpose(1, 2)
        mixed = attend(q, k, v.transpose(1, 2), mask)
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, time, d))
        gate, up = self.gate_up(self.mlp_norm(x)).chunk(2, dim=-1)
        return x + self.down(functional.silu(gate) * up)


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """Softmax attention, (batch, heads, time, head size); mask is added, 0 or -inf.

    Written out because PyTorch's fused CPU kernel is several times slower backwards at
    a few hundred tokens.
    """
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2) + mask
    return scores.softmax(dim=-1) @ v


def rotate(x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """Rotary position embedding, split-half; x is (batch, time, heads, head size)."""
    cos, sin = rotation
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


class Decoder(nn.Module):
    """The whole model; parameter names are those of the exported weights."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.vocab_size, config.d_model)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.final_norm = RMSNorm(config.d_model)
        self.head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        nn.init.normal_(self.embed.weight, std=0.1)
        nn.init.normal_(self.head.weight, std=0.02)
        half = config.d_model // config.heads // 2
        frequencies = config.rope_theta ** (-torch.arange(half) / half)
        angles = torch.outer(torch.arange(config.context).float(), frequencies)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def layers(self) -> list[Block]:
        """The blocks in order."""
        return [block for block in self.blocks if isinstance(block, Block)]

    def forward(self, ids: Tensor, positions: Tensor, mask: Tensor) -> Tensor:
        """Hidden states after the final norm, (batch, time, d); apply `head` where needed.

        Args:
            ids: (batch, time) token ids.
            positions: (batch, time) positions; they restart after the prompt for each branch.
            mask: (batch, 1, time, time), True where a token may attend.
        """
        # A padded row attends to nothing; a finite minimum keeps its softmax from being NaN.
        x = self.embed(ids).bfloat16() if torch.is_autocast_enabled("cpu") else self.embed(ids)
        cos = self.get_buffer("cos")[positions].unsqueeze(2).to(x.dtype)
        sin = self.get_buffer("sin")[positions].unsqueeze(2).to(x.dtype)
        bias = torch.zeros(mask.shape, dtype=x.dtype).masked_fill_(~mask, -1e4)
        for block in self.blocks:
            x = block(x, (cos, sin), bias)
        return self.final_norm(x)
