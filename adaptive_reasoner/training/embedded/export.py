"""Writes the trained weights as the NumPy runtime reads them: float16, no pickle."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from adaptive_reasoner.embedded.tokenizer import encoding_arguments
from adaptive_reasoner.training.embedded.model import Decoder, ModelConfig


def encoding_sha256() -> str:
    """A fingerprint of the vocabulary: pieces in the order of their ids, then special tokens."""
    arguments = encoding_arguments()
    pieces = [*arguments["mergeable_ranks"], *(s.encode() for s in arguments["special_tokens"])]
    return hashlib.sha256(b"\0".join(pieces)).hexdigest()


def export(model: Decoder, folder: Path, provenance: dict[str, object]) -> None:
    """Write model.npz and model.json, each replaced in one move."""
    arrays = {
        name.removesuffix(".weight"): parameter.detach().numpy()
        for name, parameter in model.named_parameters()
    }
    write_arrays(arrays, model.config, folder, provenance)


def write_arrays(
    arrays: Mapping[str, NDArray[Any]], config: ModelConfig, folder: Path, provenance: dict[str, object]
) -> None:
    """Write model.npz and model.json from arrays under the names of the exported weights."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / "model.tmp.npz"
    np.savez(draft, allow_pickle=False, **{name: array.astype(np.float16) for name, array in arrays.items()})
    draft.replace(folder / "model.npz")
    about = {
        **config.to_dict(),
        "encoding_sha256": encoding_sha256(),
        "provenance": provenance,
    }
    text = json.dumps(about, indent=2) + "\n"
    draft = folder / "model.tmp.json"
    draft.write_text(text, encoding="utf-8")
    draft.replace(folder / "model.json")


def load_exported(folder: Path) -> Decoder:
    """Read exported weights back into the PyTorch model, in float32."""
    about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    model = Decoder(ModelConfig(**{name: about[name] for name in ModelConfig().to_dict()}))
    with np.load(folder / "model.npz", allow_pickle=False) as arrays, torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.tensor(arrays[name.removesuffix(".weight")]))
    return model


def provenance_of(folder: Path) -> dict[str, object]:
    """How exported weights came about, as `model.json` tells it."""
    about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    return dict(about.get("provenance", {}))
