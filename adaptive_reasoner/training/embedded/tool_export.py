"""Writes the trained change of the tool mode as the NumPy runtime reads it: float16, no pickle."""

import hashlib
import json
from pathlib import Path

import numpy as np

from adaptive_reasoner.embedded.tool_weights import ABOUT_FILE, ARRAYS_FILE, DOWN, HEAD_ROWS, MARK_ROWS, UP
from adaptive_reasoner.training.embedded.tool_adapter import ToolAdapter


def export_tools(adapter: ToolAdapter, folder: Path, provenance: dict[str, object]) -> None:
    """Write tools.npz and tools.json, each replaced in one move.

    Args:
        adapter: the trained factors.
        folder: beside the model's own weights, or anywhere.
        provenance: how it came about, and under "base" the fingerprint of the weights that it changes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {MARK_ROWS: adapter.marks.detach().numpy(), HEAD_ROWS: adapter.written.detach().numpy()}
    for name in adapter.names:
        down, up = adapter.factors_of(name)
        arrays |= {name + DOWN: down.detach().numpy(), name + UP: up.detach().numpy()}
    draft = folder / "tools.tmp.npz"
    np.savez_compressed(
        draft, allow_pickle=False, **{k: array.astype(np.float16) for k, array in arrays.items()}
    )
    digest = hashlib.sha256(draft.read_bytes()).hexdigest()[:12]
    draft.replace(folder / ARRAYS_FILE)
    about = {
        "rank": adapter.rank,
        "base": provenance["base"],
        "sha256": digest,
        "provenance": provenance,
    }
    draft = folder / "tools.tmp.json"
    draft.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    draft.replace(folder / ABOUT_FILE)
