"""Weights of the embedded model: read once, folded for speed, laid out in the order in which they are used.

Folding is exact algebra that saves NumPy calls a token: norm scales go into the matrix that follows, the
constant of RMSNorm goes there too, and one half of `silu(g) = g/2 * (1 + tanh(g/2))` goes into the gate's rows.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adaptive_reasoner.embedded.tokenizer import encoding

FloatArray = NDArray[np.float32]
ComplexArray = NDArray[np.complex64]

RMS_EPSILON = 1e-6


@dataclass(frozen=True, slots=True)
class ModelShape:
    """Sizes of the decoder; `context` is the longest sequence in tokens."""

    d_model: int
    layers: int
    heads: int
    ff: int
    vocab_size: int
    context: int
    rope_theta: float

    @property
    def head_dim(self) -> int:
        """Width of one attention head."""
        return self.d_model // self.heads

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ModelShape":
        """Read the sizes from `model.json`, ignoring its provenance."""
        names = ("d_model", "layers", "heads", "ff", "vocab_size", "context")
        return cls(**{name: int(values[name]) for name in names}, rope_theta=float(values["rope_theta"]))


@dataclass(frozen=True, slots=True)
class LayerWeights:
    """One block. Matrices are transposed, (inputs, outputs), so that rows of activations multiply from the left.

    Attributes:
        qkv: (d, 3 d); within a head of q and k, RoPE's pairs are neighbours (see `_interleave_pairs`).
        qk_scale: (2 heads, head_dim): learned scales of QK-norm with the constants of the norm and of attention.
        gate_up: (d, 2 ff); gate columns halved.
        bounded: no attention score can overflow `exp`, so the maximum need not be subtracted first.
    """

    qkv: FloatArray
    qk_scale: FloatArray
    out: FloatArray
    gate_up: FloatArray
    down: FloatArray
    bounded: bool


@dataclass(frozen=True, slots=True)
class ModelWeights:
    """Everything that the forward pass reads.

    Attributes:
        embed: (vocab, d).
        rotation: (context, 1, head_dim / 2) complex RoPE factors.
        head: (d, vocab), with the final norm folded in.
        fingerprint: first 12 hex digits of the weights' SHA-256.
        think_thresholds: percentage of questions that should think -> P(<think>) from which the auto mode
            does, as calibrated; empty where the weights were trained without it.
    """

    shape: ModelShape
    embed: FloatArray
    layers: tuple[LayerWeights, ...]
    rotation: ComplexArray
    head: FloatArray
    fingerprint: str
    think_thresholds: Mapping[int, float] = field(default_factory=dict[int, float])


def fold_weights(arrays: Mapping[str, NDArray[Any]], shape: ModelShape) -> ModelWeights:
    """Build the runtime's weights from the arrays of the weights file.

    Args:
        arrays: name -> array as exported, any float type; matrices are (outputs, inputs).
        shape: sizes that the arrays must have.

    Raises:
        KeyError: an array is missing.
        ValueError: an array has another size.
    """
    arena = _Arena(sum(array.size for array in arrays.values()))
    layers = tuple(_fold_layer(arrays, index, shape, arena) for index in range(shape.layers))
    root_d = np.sqrt(np.float32(shape.d_model))
    head = arena.transposed(_single(arrays["head"]) * (_single(arrays["final_norm"]) * root_d))
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(name.encode() + np.ascontiguousarray(arrays[name]).tobytes())
    return ModelWeights(
        shape=shape,
        embed=_single(arrays["embed"]).reshape(shape.vocab_size, shape.d_model),
        layers=layers,
        rotation=_rotation(shape),
        head=head,
        fingerprint=digest.hexdigest()[:12],
    )


@lru_cache(maxsize=1)
def load_weights() -> ModelWeights:
    """Load the shipped weights, once a process (about 20 ms)."""
    return read_weights(files("adaptive_reasoner.embedded") / "weights")


def about_weights() -> dict[str, Any]:
    """What `model.json` says about the shipped weights: sizes and provenance."""
    folder = files("adaptive_reasoner.embedded") / "weights"
    about: dict[str, Any] = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    return about


def read_weights(folder: Traversable) -> ModelWeights:
    """Read `model.npz` and `model.json` as training exports them.

    Raises:
        FileNotFoundError: `folder` holds no exported model.
    """
    about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    arrays, shape = read_arrays(folder)
    thresholds = about.get("auto", {}).get("thresholds", {})
    return replace(
        fold_weights(arrays, shape),
        think_thresholds={int(share): float(value) for share, value in thresholds.items()},
    )


def read_arrays(folder: Traversable) -> tuple[dict[str, NDArray[Any]], ModelShape]:
    """The arrays as exported, and the sizes that they have, before anything is folded.

    Raises:
        FileNotFoundError: `folder` holds no exported model.
    """
    about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    shape = ModelShape.from_json(about)
    with (folder / "model.npz").open("rb") as file, np.load(file, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    # Training may round the vocabulary up; an id that no text has must not be offered as an alternative.
    used = min(shape.vocab_size, encoding().n_vocab)
    arrays |= {name: arrays[name][:used] for name in ("embed", "head")}
    return arrays, replace(shape, vocab_size=used)


class _Arena:
    """One block of memory for every matrix: in huge pages and in reading order, it streams fastest."""

    def __init__(self, size: int) -> None:
        self._memory: FloatArray = np.empty(size, dtype=np.float32)
        self._used = 0

    def transposed(self, matrix: FloatArray) -> FloatArray:
        rows, columns = matrix.shape
        view = self._memory[self._used : self._used + matrix.size].reshape(columns, rows)
        self._used += matrix.size
        view[...] = matrix.T
        return view


def _fold_layer(
    arrays: Mapping[str, NDArray[Any]], index: int, shape: ModelShape, arena: _Arena
) -> LayerWeights:
    def array(name: str) -> FloatArray:
        return _single(arrays[f"blocks.{index}.{name}"])

    root_d = np.sqrt(np.float32(shape.d_model))
    qkv = _interleave_pairs(array("qkv") * (array("attention_norm") * root_d), shape)
    gate_up = array("gate_up") * (array("mlp_norm") * root_d)
    gate_up[: shape.ff] *= np.float32(0.5)
    scales = _pair_order(np.stack([array("q_norm"), array("k_norm")]), shape)
    # RMSNorm's sqrt(head_dim) for q and for k; attention's 1/sqrt(head_dim) goes to q alone and cancels it.
    scales[1] *= np.sqrt(np.float32(shape.head_dim))
    # |q.k| <= max|scale_q| * max|scale_k| for vectors of unit length
    bound = float(np.abs(scales[0]).max() * np.abs(scales[1]).max())
    return LayerWeights(
        qkv=arena.transposed(qkv),
        qk_scale=np.repeat(scales, shape.heads, axis=0),
        out=arena.transposed(array("out")),
        gate_up=arena.transposed(gate_up),
        down=arena.transposed(array("down")),
        bounded=bound < 60.0,
    )


def _interleave_pairs(qkv: FloatArray, shape: ModelShape) -> FloatArray:
    """Reorder the rows of q and k so that RoPE's pair (i, i + head_dim/2) becomes (2i, 2i + 1).

    Scores do not change, and a pair can be rotated as one complex number.
    """
    heads = qkv.reshape(3, shape.heads, shape.head_dim, shape.d_model).copy()
    halves = heads[:2].reshape(2, shape.heads, 2, shape.head_dim // 2, shape.d_model)
    heads[:2] = halves.swapaxes(2, 3).reshape(2, shape.heads, shape.head_dim, shape.d_model)
    return heads.reshape(qkv.shape)


def _pair_order(scales: FloatArray, shape: ModelShape) -> FloatArray:
    half = shape.head_dim // 2
    return np.ascontiguousarray(scales.reshape(-1, 2, half).swapaxes(1, 2)).reshape(-1, shape.head_dim)


def _rotation(shape: ModelShape) -> ComplexArray:
    half = shape.head_dim // 2
    frequencies = shape.rope_theta ** (-np.arange(half, dtype=np.float64) / half)
    angles = np.arange(shape.context, dtype=np.float64)[:, None] * frequencies
    return np.exp(1j * angles).astype(np.complex64)[:, None, :]


def _single(array: NDArray[Any]) -> FloatArray:
    return np.asarray(array, dtype=np.float32)
