"""The tool mode's weights: a low-rank change of the shipped ones, kept in a file of its own.

Every other mode goes on using the shipped weights as they are. The change is read and merged at the first tool
call, once a process: about 10 MB, a few hundredths of a second.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adaptive_reasoner.embedded.runtime import Runtime
from adaptive_reasoner.embedded.tokenizer import special
from adaptive_reasoner.embedded.tool_format import RESULT_MARK, TOOL_MARK, newly_written
from adaptive_reasoner.embedded.weights import ModelWeights, fold_weights, load_weights, read_arrays
from adaptive_reasoner.errors import ConfigurationError

ARRAYS_FILE = "tools.npz"
ABOUT_FILE = "tools.json"
MARK_ROWS = "marks"  # (2, d): embeddings of the two marks
HEAD_ROWS = "written"  # (3, d): rows of the head for what only this mode writes
DOWN, UP = ".down", ".up"  # after a matrix's name: (rank, inputs) and (outputs, rank)


def tool_runtime(base: Runtime) -> Runtime:
    """The runtime that writes calls after what `base` has read.

    Raises:
        ConfigurationError: `base` has other weights than the shipped ones, which the change was trained on.
    """
    if not has_tools(base):
        raise ConfigurationError(
            "These weights have no tool mode: it was trained on the shipped ones. Leave `runtime` out to call tools."
        )
    return Runtime(load_tool_weights())


def has_tools(base: Runtime) -> bool:
    """True for the shipped weights."""
    return base.weights is load_weights() or base.weights.fingerprint == load_weights().fingerprint


@lru_cache(maxsize=1)
def load_tool_weights() -> ModelWeights:
    """Read the shipped change and merge it, once a process."""
    folder = files("adaptive_reasoner.embedded") / "weights"
    arrays, shape = read_arrays(folder)
    return fold_weights(merge(arrays, read_change(folder)), shape)


def about_shipped_change() -> dict[str, Any]:
    """What is known of the shipped change."""
    return about_change(files("adaptive_reasoner.embedded") / "weights")


def about_change(folder: Traversable) -> dict[str, Any]:
    """What `tools.json` says: rank, the base weights' fingerprint, the arrays' SHA-256, provenance."""
    about: dict[str, Any] = json.loads((folder / ABOUT_FILE).read_text(encoding="utf-8"))
    return about


def read_change(folder: Traversable) -> dict[str, NDArray[Any]]:
    """The arrays of the change, as training exports them.

    Raises:
        FileNotFoundError: `folder` holds none.
    """
    with (folder / ARRAYS_FILE).open("rb") as file, np.load(file, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def merge(
    base: Mapping[str, NDArray[Any]], change: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[np.float32]]:
    """The weights with the change added: matrix + up @ down, and rows of their own at both ends.

    Args:
        base: the exported arrays of the model.
        change: those of the tool mode.

    Raises:
        KeyError: the change is one of another model's matrices.
    """
    merged: dict[str, NDArray[np.float32]] = {
        name: np.asarray(array, dtype=np.float32) for name, array in base.items()
    }
    for name in (name.removesuffix(DOWN) for name in change if name.endswith(DOWN)):
        up, down = (np.asarray(change[name + part], dtype=np.float32) for part in (UP, DOWN))
        merged[name] = np.add(merged[name], up @ down, dtype=np.float32)
    embed, head = merged["embed"].copy(), merged["head"].copy()
    head[newly_written()] = change[HEAD_ROWS]
    embed[[special(TOOL_MARK), special(RESULT_MARK)]] = change[MARK_ROWS]
    return merged | {"embed": embed, "head": head}
