"""One local model with its tokenizer, loaded from a folder or the hub."""

from dataclasses import dataclass
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer

from adaptive_reasoner.decoding.local_folder import looks_like_folder
from adaptive_reasoner.decoding.local_options import LocalOptions
from adaptive_reasoner.errors import ConfigurationError

# transformers' loaders are typed loosely.
_Models: Any = AutoModelForCausalLM
_Tokenizers: Any = AutoTokenizer


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A transformers causal language model, in evaluation mode, and its tokenizer."""

    model: Any
    tokenizer: Any

    @property
    def end_ids(self) -> frozenset[int]:
        """Tokens that end an answer."""
        given: Any = getattr(self.model.generation_config, "eos_token_id", None)
        several: Any = given if hasattr(given, "__iter__") else (given, self.tokenizer.eos_token_id)
        return frozenset(int(token) for token in several if token is not None)

    @property
    def context(self) -> int | None:
        """Tokens that the model can read, prompt and answer together; None where its settings don't say."""
        return getattr(self.model.config, "max_position_embeddings", None)


def check_device(device: str) -> None:
    """Refuses a device that torch does not know or that is not there.

    Raises:
        ConfigurationError: the message names what is there.
    """
    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise ConfigurationError(f'device is {device!r}; use "cpu", "cuda" or "cuda:N".') from error
    if kind == "cuda" and not torch.cuda.is_available():
        raise ConfigurationError(f'device is {device!r}, and torch sees no CUDA here; use device="cpu".')


def load_local_model(name: str, options: LocalOptions) -> LocalModel:
    """Loads a folder, or a name on the hub where there is a network or a cache.

    Raises:
        ConfigurationError: it cannot be loaded; the message says why.
    """
    shared = {"trust_remote_code": options.trust_remote_code, "local_files_only": looks_like_folder(name)}
    try:
        tokenizer = _Tokenizers.from_pretrained(name, **shared)
        model = _Models.from_pretrained(name, dtype=options.dtype, **shared)
    except (OSError, ValueError, KeyError, ImportError, SafetensorError) as error:
        raise ConfigurationError(f"The model {name!r} cannot be loaded: {_first_line(error)}") from error
    return LocalModel(model.to(options.device).eval(), tokenizer)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
