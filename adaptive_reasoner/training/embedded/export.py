"""Writes the trained weights as the NumPy runtime reads them: float16, no pickle."""

import hashlib
import json
from pathlib import Path

import numpy as np
import torch

from adaptive_reasoner.embedded.tokenizer import encoding_arguments
from adaptive_reasoner.training.embedded.model import Decoder, ModelConfig


def encoding_sha256() -> str:
    """A fingerprint of the vocabulary: pieces in the order of their ids, then special tokens."""
    arguments = encoding_arguments()
    pieces = [*arguments["mergeable_ranks"], *(s.encode() for s in arguments["special_tokens"])]
    return hashlib.sha256(b"\0".join(pieces)).hexdigest()


def export(model: Decoder, folder: Path, provenance: dict[str, object]) -> None:
    """Write model.npz and model.json, each replaced in one move."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {
        name.removesuffix(".weight"): parameter.detach().numpy().astype(np.float16)
        for name, parameter in model.named_parameters()
    }
    draft = folder / "model.tmp.npz"
    np.savez(draft, allow_pickle=False, **arrays)
    draft.replace(folder / "model.npz")
    about = {
        **model.config.to_dict(),
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
