"""Low-rank adapters on the frozen base: what the tool mode adds to the weights that every mode shares."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from adaptive_reasoner.embedded.tokenizer import special
from adaptive_reasoner.embedded.tool_format import RESULT_MARK, TOOL_MARK, newly_written
from adaptive_reasoner.embedded.tool_weights import DOWN, HEAD_ROWS, MARK_ROWS, UP
from adaptive_reasoner.training.embedded.model import Block, Decoder, attend, rotate

ADAPTED = ("qkv", "out", "gate_up", "down")
_SCALE = 2.0

Past = list[tuple[Tensor, Tensor]]
Matrices = Mapping[str, Tensor]


class ToolAdapter(nn.Module):
    """Factors `down` (rank, inputs) and `up` (outputs, rank) of each matrix, and rows of their own at both ends."""

    def __init__(self, base: Decoder, rank: int) -> None:
        super().__init__()
        self.rank = rank
        self.names = tuple(matrices_of(base))
        self.factors = nn.ParameterDict()
        for name, matrix in matrices_of(base).items():
            rows, columns = matrix.shape
            key = name.replace(".", "_")
            self.factors[f"{key}_down"] = nn.Parameter(torch.randn(rank, columns) / math.sqrt(columns))
            self.factors[f"{key}_up"] = nn.Parameter(torch.zeros(rows, rank))
        self.mark_ids = (special(TOOL_MARK), special(RESULT_MARK))
        self.written_ids = torch.tensor(newly_written())
        self.written = nn.Parameter(base.head.weight.detach()[self.written_ids].clone())
        rows_of = [special("<think>"), special("<because>")]  # a start that the base can read
        self.marks = nn.Parameter(base.embed.weight.detach()[rows_of].clone())

    def load_change(self, change: Mapping[str, NDArray[Any]]) -> None:
        """Go on from an exported change of the same rank.

        Raises:
            KeyError: a matrix is missing.
            RuntimeError: it has another rank.
        """
        with torch.no_grad():
            for name in self.names:
                key = name.replace(".", "_")
                self.factors[f"{key}_down"].copy_(torch.tensor(change[name + DOWN], dtype=torch.float32))
                up = torch.tensor(change[name + UP], dtype=torch.float32)
                self.factors[f"{key}_up"].copy_(up / _SCALE)
            self.written.copy_(torch.tensor(change[HEAD_ROWS], dtype=torch.float32))
            self.marks.copy_(torch.tensor(change[MARK_ROWS], dtype=torch.float32))

    def merged(self, base: Decoder) -> dict[str, Tensor]:
        """Each adapted matrix, (outputs, inputs), with its change added."""
        merged: dict[str, Tensor] = {}
        for name, matrix in matrices_of(base).items():
            down, up = self.factors_of(name)
            merged[name] = matrix + up @ down
        return merged

    def factors_of(self, name: str) -> tuple[Tensor, Tensor]:
        """`down` (rank, inputs) and `up` (outputs, rank), whose product `up @ down` is added to a matrix."""
        key = name.replace(".", "_")
        return self.factors[f"{key}_down"], _SCALE * self.factors[f"{key}_up"]

    def head(self, base: Decoder) -> Tensor:
        """(vocab, d), with the rows of what only this mode writes."""
        return base.head.weight.detach().index_copy(0, self.written_ids, self.written)

    def embed(self, base: Decoder, ids: Tensor) -> Tensor:
        """Embeddings of `ids`, with the two tokens' own."""
        x = functional.embedding(ids, base.embed.weight)
        for row, token in enumerate(self.mark_ids):
            x = torch.where((ids == token).unsqueeze(-1), self.marks[row], x)
        return x


def matrices_of(base: Decoder) -> dict[str, Tensor]:
    """The matrices that are adapted, under the names of the exported weights."""
    return {
        f"blocks.{index}.{name}": getattr(block, name).weight.detach()
        for index, block in enumerate(base.layers())
        for name in ADAPTED
    }


@torch.no_grad()
def read_prefix(base: Decoder, ids: Tensor, padding: Tensor) -> Past:
    """Keys and values of prefixes by the base weights.

    Args:
        base: the frozen model.
        ids: (rows, width), padded on the left.
        padding: (rows,) how many columns of each row are padding.
    """
    width = ids.shape[1]
    columns = torch.arange(width)
    positions = (columns - padding.unsqueeze(1)).clamp(min=0)
    visible = (columns <= columns.unsqueeze(1)) & (columns >= padding.view(-1, 1, 1))
    past: Past = []
    _layers(base, matrices_of(base), base.embed(ids), (positions, visible), past)
    return past


def read_suffix(base: Decoder, adapter: ToolAdapter, ids: Tensor, padding: Tensor, past: Past) -> Tensor:
    """Hidden states after the final norm, (rows, time, d), of suffixes that follow prefixes.

    Args:
        base: the frozen model.
        adapter: what the mode adds.
        ids: (rows, time), padded on the right.
        padding: (rows,) of the prefixes.
        past: from `read_prefix`.
    """
    width, time = past[0][0].shape[2], ids.shape[1]
    columns = torch.arange(width, width + time)
    positions = columns - padding.unsqueeze(1)
    seen = torch.arange(width + time)
    visible = (seen <= columns.unsqueeze(1)) & (seen >= padding.view(-1, 1, 1))
    x = _layers(base, adapter.merged(base), adapter.embed(base, ids), (positions, visible), list(past))
    return base.final_norm(x)


def _layers(base: Decoder, matrices: Matrices, x: Tensor, place: tuple[Tensor, Tensor], past: Past) -> Tensor:
    """Run the blocks with the given matrices; `past` is read where it has a layer, and filled where not."""
    positions, visible = place
    x = x.bfloat16() if torch.is_autocast_enabled("cpu") else x
    cos = base.get_buffer("cos")[positions].unsqueeze(2).to(x.dtype)
    sin = base.get_buffer("sin")[positions].unsqueeze(2).to(x.dtype)
    mask = torch.zeros(visible.shape, dtype=x.dtype).masked_fill_(~visible, -1e4).unsqueeze(1)
    for index, block in enumerate(base.layers()):
        own = {name: matrices[f"blocks.{index}.{name}"] for name in ADAPTED}
        x = _block(block, own, x, (cos, sin, mask), (past, index))
    return x


def _block(
    block: Block, own: Matrices, x: Tensor, place: tuple[Tensor, Tensor, Tensor], entry: tuple[Past, int]
) -> Tensor:
    cos, sin, mask = place
    past, index = entry
    batch, time, d = x.shape
    qkv = functional.linear(block.attention_norm(x), own["qkv"]).view(batch, time, 3, block.heads, -1)
    q, k, v = qkv.unbind(2)
    q = rotate(block.q_norm(q), (cos, sin)).transpose(1, 2)
    k = rotate(block.k_norm(k), (cos, sin)).transpose(1, 2)
    v = v.transpose(1, 2)
    if index < len(past):
        k, v = torch.cat((past[index][0], k), 2), torch.cat((past[index][1], v), 2)
    else:
        past.append((k, v))
    x = x + functional.linear(attend(q, k, v, mask).transpose(1, 2).reshape(batch, time, d), own["out"])
    gate, up = functional.linear(block.mlp_norm(x), own["gate_up"]).chunk(2, dim=-1)
    return x + functional.linear(functional.silu(gate) * up, own["down"])
