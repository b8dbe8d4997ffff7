"""A tiny model of random weights, and a naive forward pass to hold the runtime against."""

import numpy as np

from adaptive_reasoner.embedded.weights import ModelShape, ModelWeights, fold_weights


def tiny_shape(vocab_size: int = 300, context: int = 128) -> ModelShape:
    return ModelShape(
        d_model=32, layers=2, heads=2, ff=48, vocab_size=vocab_size, context=context, rope_theta=1e4
    )


def random_arrays(shape: ModelShape, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)

    def normal(*size: int, scale: float = 1.0) -> np.ndarray:
        return (rng.standard_normal(size) * scale).astype(np.float16)

    d, ff = shape.d_model, shape.ff
    arrays = {"embed": normal(shape.vocab_size, d), "head": normal(shape.vocab_size, d, scale=0.5)}
    arrays["final_norm"] = normal(d)
    for index in range(shape.layers):
        block = {
            "attention_norm": normal(d),
            "qkv": normal(3 * d, d, scale=d**-0.5),
            "q_norm": normal(shape.head_dim),
            "k_norm": normal(shape.head_dim),
            "out": normal(d, d, scale=d**-0.5),
            "mlp_norm": normal(d),
            "gate_up": normal(2 * ff, d, scale=d**-0.5),
            "down": normal(d, ff, scale=ff**-0.5),
        }
        arrays |= {f"blocks.{index}.{name}": value for name, value in block.items()}
    return arrays


def random_weights(shape: ModelShape, seed: int = 0) -> ModelWeights:
    return fold_weights(random_arrays(shape, seed), shape)


def naive_logits(arrays: dict[str, np.ndarray], shape: ModelShape, tokens: list[int]) -> np.ndarray:
    """(tokens, vocab) logits in float64, recomputed whole, straight from the architecture's definition."""
    w = {name: value.astype(np.float64) for name, value in arrays.items()}
    x = w["embed"][tokens]
    for index in range(shape.layers):
        block = {
            name.split(".", 2)[2]: value for name, value in w.items() if name.startswith(f"blocks.{index}.")
        }
        x = x + _attention(block, shape, _rms(x, block["attention_norm"]))
        gate, up = np.split(_rms(x, block["mlp_norm"]) @ block["gate_up"].T, 2, axis=-1)
        x = x + (gate / (1 + np.exp(-gate)) * up) @ block["down"].T
    return _rms(x, w["final_norm"]) @ w["head"].T


def _rms(x: np.ndarray, scale: np.ndarray) -> np.ndarray:
    return x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-6) * scale


def _attention(block: dict[str, np.ndarray], shape: ModelShape, x: np.ndarray) -> np.ndarray:
    count, half = len(x), shape.head_dim // 2
    q, k, v = (part.reshape(count, shape.heads, -1) for part in np.split(x @ block["qkv"].T, 3, axis=-1))
    angles = np.arange(count)[:, None] * shape.rope_theta ** (-np.arange(half) / half)
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]

    def rope(y: np.ndarray) -> np.ndarray:
        return np.concatenate(
            [y[..., :half] * cos - y[..., half:] * sin, y[..., half:] * cos + y[..., :half] * sin], -1
        )

    q, k = rope(_rms(q, block["q_norm"])), rope(_rms(k, block["k_norm"]))
    scores = np.einsum("qhd,khd->hqk", q, k) / np.sqrt(shape.head_dim)
    scores[:, np.triu(np.ones((count, count), bool), 1)] = -np.inf
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    return np.einsum("hqk,khd->qhd", weights, v).reshape(count, -1) @ block["out"].T
