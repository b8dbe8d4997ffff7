"""Batched greedy decoding in PyTorch, for evaluation and for collecting first answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional

from adaptive_reasoner.embedded.dialogue import MODE_TOKENS, Mode, render_prompt
from adaptive_reasoner.embedded.problems import Problem
from adaptive_reasoner.embedded.tokenizer import special
from adaptive_reasoner.training.embedded.model import Block, Decoder, attend, rotate

TOP = 20
_ROWS = 128


@dataclass(frozen=True, slots=True)
class Reply:
    """A greedy reply with what the model considered at each of its tokens.

    Attributes:
        ids: generated token ids without <eos>.
        top_ids: per token the ids of the 20 likeliest, best first.
        top_probabilities: their probabilities.
    """

    ids: list[int]
    top_ids: list[list[int]]
    top_probabilities: list[list[float]]


class Cache:
    """Keys and values of the columns so far, up to `capacity`; rows are padded on the left."""

    def __init__(self, padding: Tensor, capacity: int) -> None:
        self.padding = padding
        self.capacity = capacity
        self.columns = 0
        self.layers: dict[int, tuple[Tensor, Tensor]] = {}

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Add the newest columns, (rows, heads, time, head size); returns all of them."""
        if layer not in self.layers:
            rows, heads, _, size = k.shape
            self.layers[layer] = (
                k.new_zeros(rows, heads, self.capacity, size),
                v.new_zeros(rows, heads, self.capacity, size),
            )
        keys, values = self.layers[layer]
        keys[:, :, self.columns - k.shape[2] : self.columns] = k
        values[:, :, self.columns - k.shape[2] : self.columns] = v
        return keys[:, :, : self.columns], values[:, :, : self.columns]

    def fork(self, rows: Tensor | None = None) -> "Cache":
        """A copy that goes on by itself, of all rows or of some."""
        chosen = torch.arange(len(self.padding)) if rows is None else rows
        copy = Cache(self.padding[chosen], self.capacity)
        copy.columns = self.columns
        copy.layers = {layer: (k[chosen], v[chosen]) for layer, (k, v) in self.layers.items()}
        return copy


def greedy(model: Decoder, prompts: Sequence[Sequence[int]], max_tokens: int) -> list[Reply]:
    """Decode every prompt greedily to <eos> or `max_tokens`."""
    replies: list[Reply | None] = [None] * len(prompts)
    order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    for start in range(0, len(order), _ROWS):
        chosen = order[start : start + _ROWS]
        rows = _greedy_rows(model, [prompts[index] for index in chosen], max_tokens)
        for index, reply in zip(chosen, rows, strict=True):
            replies[index] = reply
    return [reply for reply in replies if reply is not None]


def mode_prompts(problems: Sequence[Problem], mode: Mode) -> list[list[int]]:
    """Each question as a prompt that ends with the mode's token."""
    token = special(MODE_TOKENS[mode])
    return [[*render_prompt([("user", p.question)]), token] for p in problems]


@torch.no_grad()
def _greedy_rows(model: Decoder, prompts: list[Sequence[int]], max_tokens: int) -> list[Reply]:
    width = max(len(prompt) for prompt in prompts)
    ids = torch.tensor([[0] * (width - len(p)) + list(p) for p in prompts])
    steps = min(max_tokens, model.config.context - width)
    cache = Cache(torch.tensor([width - len(p) for p in prompts]), width + steps)
    eos = special("<eos>")
    replies = [Reply([], [], []) for _ in prompts]
    running = [True] * len(prompts)
    for _ in range(steps):
        logits = advance(model, ids, cache)
        top, top_ids = logits.softmax(-1).topk(TOP)
        ids = top_ids[:, :1]
        for row, reply in enumerate(replies):
            choices = cast("list[int]", top_ids[row].tolist())  # pyright: ignore[reportUnknownMemberType]
            running[row] = running[row] and choices[0] != eos
            if running[row]:
                reply.ids.append(choices[0])
                reply.top_ids.append(choices)
                reply.top_probabilities.append(_floats(top[row]))
        if not any(running):
            break
    return replies


def _floats(values: Tensor) -> list[float]:
    return cast("list[float]", values.tolist())  # pyright: ignore[reportUnknownMemberType]


def advance(model: Decoder, ids: Tensor, cache: Cache) -> Tensor:
    """Read the next columns; float32 logits after the last one, (rows, vocabulary)."""
    time = ids.shape[1]
    columns = torch.arange(cache.columns, cache.columns + time)
    cache.columns += time
    positions = (columns - cache.padding.unsqueeze(1)).clamp(min=0)
    rotation = tuple(model.get_buffer(name)[positions].unsqueeze(2) for name in ("cos", "sin"))
    seen = torch.arange(cache.columns)
    visible = (seen <= columns.unsqueeze(1)) & (seen >= cache.padding.view(-1, 1, 1))
    mask = torch.zeros(visible.shape).masked_fill_(~visible, -1e4).unsqueeze(1)
    x = model.embed(ids)
    for index, block in enumerate(model.layers()):
        x = _block(block, x, (rotation[0], rotation[1]), mask, (cache, index))
    return model.head(model.final_norm(x[:, -1]))


def _block(
    block: Block, x: Tensor, rotation: tuple[Tensor, Tensor], mask: Tensor, place: tuple[Cache, int]
) -> Tensor:
    batch, time, d = x.shape
    q, k, v = block.qkv(block.attention_norm(x)).view(batch, time, 3, block.heads, -1).unbind(2)
    q = rotate(block.q_norm(q), rotation).transpose(1, 2)
    k = rotate(block.k_norm(k), rotation).transpose(1, 2)
    k, v = place[0].extend(place[1], k, v.transpose(1, 2))
    x = x + block.out(attend(q, k, v, mask).transpose(1, 2).reshape(batch, time, d))
    gate, up = block.gate_up(block.mlp_norm(x)).chunk(2, dim=-1)
    return x + block.down(functional.silu(gate) * up)
