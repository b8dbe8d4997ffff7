"""How each model switches thinking on and off, and whether log probabilities will arrive."""

from adaptive_reasoner.thinking.switch import (
    has_thinking_switch,
    is_embedded,
    logprob_kwargs,
    model_name_of,
    thinking_kwargs,
)

__all__ = ["has_thinking_switch", "is_embedded", "logprob_kwargs", "model_name_of", "thinking_kwargs"]
