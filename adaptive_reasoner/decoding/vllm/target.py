"""The engine's own model: what guidance must know of it."""

from typing import Any

from transformers import AutoTokenizer

from adaptive_reasoner.errors import ConfigurationError


def target_tokenizer(vllm_config: Any) -> Any:
    """The tokenizer that the engine writes with.

    Raises:
        ConfigurationError: speculative decoding is on, or the tokenizer cannot be loaded.
    """
    if getattr(vllm_config, "speculative_config", None) is not None:
        raise ConfigurationError(
            "Guidance and speculative decoding do not go together; start vLLM without the latter."
        )
    loader: Any = AutoTokenizer
    name = vllm_config.model_config.tokenizer
    try:
        return loader.from_pretrained(name)
    except (OSError, ValueError) as error:
        first = str(error).strip().partition("\n")[0]
        raise ConfigurationError(f"The target's tokenizer {name!r} cannot be loaded: {first}") from error
