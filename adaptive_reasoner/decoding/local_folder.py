"""What a model folder holds, looked at before anything is loaded."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from adaptive_reasoner.decoding.local_options import BYTES_PER_VALUE, LocalOptions
from adaptive_reasoner.errors import ConfigurationError

_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_GIB = 2**30


def check_folders(names: Sequence[str], options: LocalOptions) -> None:
    """Refuses what cannot be loaded: folders that are no models, and models that memory cannot hold together.

    Args:
        names: folders, or names on the Hugging Face hub, of which nothing is known before they are fetched.
        options: device and precision.

    Raises:
        ConfigurationError: a folder lacks its settings or weights, the device is not there, or memory is too small.
    """
    folders = [Path(name) for name in names if looks_like_folder(name)]
    for folder in folders:
        _check_folder(folder)
    if options.check_memory:
        _check_memory(folders, options)


def looks_like_folder(name: str) -> bool:
    """True for a path; False for a name on the hub: "name" or "owner/name", with no such folder here."""
    return Path(name).exists() or name.startswith(("/", ".", "~")) or name.count("/") > 1


def weight_bytes(folder: Path, options: LocalOptions) -> int:
    """Bytes that the folder's weights take in memory."""
    stored = sum(path.stat().st_size for path in _weights(folder))
    wanted = BYTES_PER_VALUE.get(options.dtype)
    kept = BYTES_PER_VALUE.get(_stored_dtype(folder))
    return stored if wanted is None or kept is None else stored * wanted // kept


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise ConfigurationError(
            f"There is no model folder {folder}; give a folder with config.json and weights."
        )
    if not (folder / "config.json").is_file():
        raise ConfigurationError(
            f"{folder} is no model folder: it holds no config.json. Save one by `model.save_pretrained(folder)`."
        )
    if not _weights(folder):
        raise ConfigurationError(f"{folder} holds no weights: neither *.safetensors nor pytorch_model*.bin.")


def _weights(folder: Path) -> list[Path]:
    """The first kind of weights that is there: a folder may hold the same ones twice."""
    found = (sorted(folder.glob(pattern)) for pattern in _WEIGHTS)
    return next((paths for paths in found if paths), list[Path]())


def _stored_dtype(folder: Path) -> str:
    try:
        settings: Any = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigurationError(f"{folder / 'config.json'} is no JSON: {error}.") from error
    if not isinstance(settings, dict):
        raise ConfigurationError(f"{folder / 'config.json'} must hold a JSON object.")
    known = cast("dict[str, Any]", settings)
    return str(known.get("dtype") or known.get("torch_dtype") or "")


def _check_memory(folders: Sequence[Path], options: LocalOptions) -> None:
    need = sum(weight_bytes(folder, options) for folder in folders)
    free = _free_bytes(options.device)
    if need > free:
        shown = ", ".join(f"{folder.name} {weight_bytes(folder, options) / _GIB:.1f}" for folder in folders)
        raise ConfigurationError(
            f"The weights take {need / _GIB:.1f} GiB ({shown}), and {free / _GIB:.1f} GiB are free on "
            f'{options.device}: take smaller models, or dtype="bfloat16".'
        )


def _free_bytes(device: str) -> int:
    import torch

    kind = torch.device(device).type
    if kind == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    import psutil

    return int(psutil.virtual_memory().available)
