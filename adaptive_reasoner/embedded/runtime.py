"""The decoder in NumPy, float32: one body for a single stream and for batches, with a KV cache.

It knows tokens as integers only; text, modes and sampling live in `generation`. A step for one sequence is
bound by reading the matrices once from memory (0.48 ms of about 0.65 ms), so what counts is few NumPy calls.

BLAS threads hurt at this size: set OPENBLAS_NUM_THREADS=1 before NumPy is imported where latency matters.
"""

import math
import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from adaptive_reasoner.embedded.weights import (
    RMS_EPSILON,
    ComplexArray,
    FloatArray,
    LayerWeights,
    ModelShape,
    ModelWeights,
    load_weights,
)

TokenArray = NDArray[np.int64]

_loading = threading.Lock()


class KVCache:
    """Keys and values of the tokens read so far, for `batch` sequences of equal (left-padded) length.

    It grows as tokens are read.

    Args:
        shape: sizes of the model.
        batch: number of sequences.
        padding: number of padding tokens on the left of each sequence; None: none anywhere.
    """

    def __init__(self, shape: ModelShape, batch: int, padding: Sequence[int] | None = None) -> None:
        self._shape = shape
        self.entries: FloatArray = self._allocate(batch, 0)
        self.length = 0
        self.padding: TokenArray | None = None
        if padding is not None and any(padding):
            self.padding = np.asarray(padding, dtype=np.int64)
        self.scratch: dict[int, _Scratch] = {}

    @property
    def batch(self) -> int:
        """Number of sequences."""
        return self.entries.shape[2]

    def reserve(self, tokens: int) -> None:
        """Make room for sequences of `tokens` tokens."""
        capacity = self.entries.shape[3]
        if tokens <= capacity:
            return
        # Memory that is not written is not taken, so that one sequence may have the whole context at once.
        roomy = self._shape.context if self.batch == 1 else tokens + tokens // 2
        grown = self._allocate(self.batch, max(tokens, roomy))
        grown[:, :, :, : self.length] = self.entries[:, :, :, : self.length]
        self.entries = grown

    def _allocate(self, batch: int, capacity: int) -> FloatArray:
        shape = self._shape
        # A token's heads lie side by side, so that a new token touches few pages of fresh memory.
        return np.empty((shape.layers, 2, batch, capacity, shape.heads, shape.head_dim), dtype=np.float32)

    def keep(self, rows: Sequence[int] | TokenArray) -> None:
        """Drop every sequence but `rows`, in that order; the others' memory is given back."""
        kept = np.asarray(rows, dtype=np.int64)
        self.entries = np.ascontiguousarray(self.entries[:, :, kept])
        if self.padding is not None:
            self.padding = self.padding[kept]
        self.scratch = {}

    def positions(self, steps: int) -> TokenArray:
        """RoPE positions of the next `steps` tokens, (batch, steps).

        Padding sits at position 0; sequences that ended but are still carried along stay at the last one.
        """
        next_slots = np.arange(self.length, self.length + steps)
        if self.padding is None:
            return np.broadcast_to(next_slots, (self.batch, steps))
        return np.clip(next_slots - self.padding[:, None], 0, self._shape.context - 1)

    def mask(self, steps: int) -> FloatArray | None:
        """What to add to the scores of the next `steps` tokens, (batch or 1, 1, steps, keys); None: nothing."""
        if steps == 1 and self.padding is None:
            return None
        keys = np.arange(self.length + steps)
        queries = keys[self.length :, None]
        hidden = keys > queries
        if self.padding is not None:
            # A padding token sees itself, so that its (unused) softmax has something to divide by.
            hidden = hidden | ((keys < self.padding[:, None, None]) & (keys != queries))
        masked = np.where(hidden, np.float32(-np.inf), np.float32(0.0))
        return masked.reshape(-1, 1, steps, keys.size)


class _Scratch:
    """Buffers and views of one step width, so that a decoding step allocates next to nothing."""

    def __init__(self, shape: ModelShape, batch: int, steps: int) -> None:
        rows, d, heads, width = batch * steps, shape.d_model, shape.heads, shape.head_dim
        self.hidden = _empty(rows, d)
        self.normed = _empty(rows, d)
        self.projected = _empty(rows, d)
        self.norms = _empty(rows)
        self.norms_column = self.norms[:, None]
        self.single_row = self.hidden[0] if rows == 1 else None
        self.qkv = _empty(rows, 3 * d)
        self.qk = self.qkv.reshape(rows, 3 * heads, width)[:, : 2 * heads]
        self.qk_pairs = self.qk.view(np.complex64)
        self.qk_norms = _empty(rows, 2 * heads)
        self.qk_norms_column = self.qk_norms[..., None]
        by_part = self.qkv.reshape(batch, steps, 3, heads, width).transpose(2, 0, 1, 3, 4)
        self.query, self.keys_values = by_part[0].swapaxes(1, 2), by_part[1:]
        self.mixed = _empty(rows, d)
        self.mixed_heads = self.mixed.reshape(batch, steps, heads, width).transpose(0, 2, 1, 3)
        self.gate_up = _empty(rows, 2 * shape.ff)
        self.gate, self.up = self.gate_up[:, : shape.ff], self.gate_up[:, shape.ff :]
        self.activated = _empty(rows, shape.ff)


class Runtime:
    """The forward pass over one set of weights. Stateless: the cache carries the sequence, threads may share it."""

    def __init__(self, weights: ModelWeights) -> None:
        self.weights = weights
        self.shape = weights.shape
        self._epsilon = self.shape.d_model * RMS_EPSILON
        self._head_epsilon = np.full(1, self.shape.head_dim * RMS_EPSILON, dtype=np.float32)
        self._one = np.ones(1, dtype=np.float32)

    def new_cache(self, batch: int, padding: Sequence[int] | None = None) -> KVCache:
        """An empty cache that fits this model."""
        return KVCache(self.shape, batch, padding)

    def forward(self, tokens: TokenArray, cache: KVCache) -> FloatArray:
        """Read `tokens` and give the logits of what follows the last one.

        Args:
            tokens: (batch, steps) token ids.
            cache: what was read before; grows by `steps`.

        Returns:
            (batch, vocab) logits, a fresh array.

        Raises:
            IndexError: a sequence becomes longer than the model's context.
        """
        batch, steps = tokens.shape
        end = cache.length + steps
        cache.reserve(end)
        scratch = self._scratch(cache, steps)
        np.take(self.weights.embed, tokens.reshape(-1), axis=0, out=scratch.hidden, mode="clip")
        rotation, mask = self._rotation(cache, steps), cache.mask(steps)
        for layer, entries in zip(self.weights.layers, cache.entries, strict=True):
            self._project(layer, scratch, rotation)
            entries[:, :, cache.length : end] = scratch.keys_values
            _attend(scratch, entries[:, :, :end], mask, bounded=layer.bounded)
            np.dot(scratch.mixed, layer.out, scratch.projected)
            np.add(scratch.hidden, scratch.projected, scratch.hidden)
            self._feed_forward(layer, scratch)
        cache.length = end
        self._normalise(scratch)
        last = scratch.normed.reshape(batch, steps, -1)[:, -1]
        return np.dot(last, self.weights.head)

    def _scratch(self, cache: KVCache, steps: int) -> _Scratch:
        if steps not in cache.scratch:
            made = _Scratch(self.shape, cache.batch, steps)
            if steps > 1:
                return made
            cache.scratch[steps] = made
        return cache.scratch[steps]

    def _rotation(self, cache: KVCache, steps: int) -> ComplexArray:
        """(rows or 1, 1, head_dim / 2) complex factors of the next tokens."""
        if steps == 1 and cache.padding is None:
            return self.weights.rotation[cache.length]
        return self.weights.rotation[cache.positions(steps).reshape(-1)]

    def _normalise(self, scratch: _Scratch) -> None:
        if scratch.single_row is not None:
            # Half the time of the general case, 13 times a token.
            norm = math.sqrt(scratch.single_row.dot(scratch.single_row) + self._epsilon)
            np.divide(scratch.hidden, norm, scratch.normed)
            return
        np.vecdot(scratch.hidden, scratch.hidden, scratch.norms)
        np.add(scratch.norms, np.float32(self._epsilon), scratch.norms)
        np.sqrt(scratch.norms, scratch.norms)
        np.divide(scratch.hidden, scratch.norms_column, scratch.normed)

    def _project(self, layer: LayerWeights, scratch: _Scratch, rotation: ComplexArray) -> None:
        """Fill `scratch.qkv`: projections, QK-norm and RoPE."""
        self._normalise(scratch)
        np.dot(scratch.normed, layer.qkv, scratch.qkv)
        np.vecdot(scratch.qk, scratch.qk, scratch.qk_norms)
        np.add(scratch.qk_norms, self._head_epsilon, scratch.qk_norms)
        np.sqrt(scratch.qk_norms, scratch.qk_norms)
        np.divide(scratch.qk, scratch.qk_norms_column, scratch.qk)
        np.multiply(scratch.qk, layer.qk_scale, scratch.qk)
        np.multiply(scratch.qk_pairs, rotation, scratch.qk_pairs)

    def _feed_forward(self, layer: LayerWeights, scratch: _Scratch) -> None:
        self._normalise(scratch)
        np.dot(scratch.normed, layer.gate_up, scratch.gate_up)
        # silu(2 g) * up, the gate's columns being halved
        np.tanh(scratch.gate, scratch.activated)
        np.add(scratch.activated, self._one, scratch.activated)
        np.multiply(scratch.activated, scratch.gate, scratch.activated)
        np.multiply(scratch.activated, scratch.up, scratch.activated)
        np.dot(scratch.activated, layer.down, scratch.projected)
        np.add(scratch.hidden, scratch.projected, scratch.hidden)


def shipped_runtime() -> Runtime:
    """The shipped model; its weights are read once a process, whatever the thread."""
    with _loading:
        return Runtime(load_weights())


def _attend(scratch: _Scratch, entries: FloatArray, mask: FloatArray | None, *, bounded: bool) -> None:
    """Fill `scratch.mixed` from `entries`: (2, batch, keys, heads, head_dim)."""
    scores = np.matmul(scratch.query, entries[0].transpose(0, 2, 3, 1))
    if mask is not None:
        np.add(scores, mask, scores)
    if not bounded:
        np.subtract(scores, scores.max(axis=-1, keepdims=True), scores)
    np.exp(scores, scores)
    np.matmul(scores, entries[1].swapaxes(1, 2), scratch.mixed_heads)
    np.divide(scratch.mixed_heads, np.add.reduce(scores, axis=-1, keepdims=True), scratch.mixed_heads)


def _empty(*size: int) -> FloatArray:
    return np.empty(size, dtype=np.float32)
