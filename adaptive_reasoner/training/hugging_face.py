"""The embedded model as a Hugging Face directory and back: its architecture is Qwen3's.

Both apply RMSNorm before attention and SwiGLU and to every head's queries and keys, rotate halves, and keep the
head apart from the embedding; only names and the stacking of q, k, v and of gate and up differ.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adaptive_reasoner.errors import ProfileError
from adaptive_reasoner.training.embedded.export import write_arrays
from adaptive_reasoner.training.embedded.model import EPSILON, ModelConfig

Arrays = dict[str, NDArray[Any]]

_WHOLE = {"embed": "model.embed_tokens", "final_norm": "model.norm", "head": "lm_head"}
_LAYER = {
    "attention_norm": "input_layernorm",
    "q_norm": "self_attn.q_norm",
    "k_norm": "self_attn.k_norm",
    "out": "self_attn.o_proj",
    "mlp_norm": "post_attention_layernorm",
    "down": "mlp.down_proj",
}
_STACKED = {
    "qkv": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "gate_up": ("mlp.gate_proj", "mlp.up_proj"),
}


def to_hugging_face(weights: Path, directory: Path) -> None:
    """Write exported weights as a `Qwen3ForCausalLM` directory, in float32.

    Args:
        weights: folder with model.npz and model.json.
        directory: receives config.json and model.safetensors.
    """
    import torch
    from transformers import Qwen3ForCausalLM

    about = json.loads((weights / "model.json").read_text(encoding="utf-8"))
    config = ModelConfig(**{name: about[name] for name in ModelConfig().to_dict()})
    with np.load(weights / "model.npz", allow_pickle=False) as archive:
        arrays = {name: archive[name].astype(np.float32) for name in archive.files}
    model: Any = Qwen3ForCausalLM(_qwen3_config(config))
    state = {name: torch.tensor(array) for name, array in _to_qwen3(arrays, config).items()}
    model.load_state_dict(state)
    model.save_pretrained(directory)


def from_hugging_face(directory: Path, weights: Path, provenance: Mapping[str, object]) -> None:
    """Write a `Qwen3ForCausalLM` directory of the embedded model's shape as model.npz and model.json.

    Raises:
        ProfileError: the directory holds a model that the runtime cannot run.
    """
    from transformers import Qwen3ForCausalLM

    architecture: Any = Qwen3ForCausalLM
    model = architecture.from_pretrained(directory)
    config = _embedded_config(model.config)
    state = {name: tensor.detach().float().cpu().numpy() for name, tensor in model.state_dict().items()}
    write_arrays(_from_qwen3(state, config), config, weights, dict(provenance))


def _qwen3_config(config: ModelConfig) -> Any:
    from transformers import Qwen3Config

    return Qwen3Config(
        hidden_size=config.d_model,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        num_key_value_heads=config.heads,
        head_dim=config.d_model // config.heads,
        intermediate_size=config.ff,
        vocab_size=config.vocab_size,
        max_position_embeddings=config.context,
        rms_norm_eps=EPSILON,
        rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
        tie_word_embeddings=False,
        attention_bias=False,
    )


def _embedded_config(config: Any) -> ModelConfig:
    if config.num_key_value_heads != config.num_attention_heads or config.tie_word_embeddings:
        raise ProfileError(
            "This model shares keys between heads or its head with its embedding; the embedded runtime runs "
            "only what `to_hugging_face` wrote."
        )
    return ModelConfig(
        d_model=config.hidden_size,
        layers=config.num_hidden_layers,
        heads=config.num_attention_heads,
        ff=config.intermediate_size,
        vocab_size=config.vocab_size,
        context=config.max_position_embeddings,
        rope_theta=float(config.rope_parameters["rope_theta"]),
    )


def _to_qwen3(arrays: Arrays, config: ModelConfig) -> Arrays:
    found = {f"{theirs}.weight": arrays[ours] for ours, theirs in _WHOLE.items()}
    for index in range(config.layers):
        block, layer = f"blocks.{index}.", f"model.layers.{index}."
        found |= {f"{layer}{theirs}.weight": arrays[block + ours] for ours, theirs in _LAYER.items()}
        for ours, parts in _STACKED.items():
            pieces = np.split(arrays[block + ours], len(parts))
            found |= {f"{layer}{name}.weight": piece for name, piece in zip(parts, pieces, strict=True)}
    return found


def _from_qwen3(state: Arrays, config: ModelConfig) -> Arrays:
    found = {ours: state[f"{theirs}.weight"] for ours, theirs in _WHOLE.items()}
    for index in range(config.layers):
        block, layer = f"blocks.{index}.", f"model.layers.{index}."
        found |= {block + ours: state[f"{layer}{theirs}.weight"] for ours, theirs in _LAYER.items()}
        for ours, parts in _STACKED.items():
            found[block + ours] = np.concatenate([state[f"{layer}{name}.weight"] for name in parts])
    return found
