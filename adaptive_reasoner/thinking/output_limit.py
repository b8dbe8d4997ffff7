"""How a call's output is capped: each integration has its own word for it.

The graph says `max_tokens`; `settle_call` puts it in the integration's words.
"""

from typing import Any

from langchain_core.language_models import BaseChatModel

# Fields of the chat models' classes: most, Gemini's, Ollama's.
_NAMES = ("max_tokens", "max_output_tokens", "num_predict")


def takes_max_tokens(model: BaseChatModel) -> bool:
    """True if a call's output can be capped."""
    return any(name in type(model).model_fields for name in _NAMES)


def own_limit(model: BaseChatModel) -> int | None:
    """The cap that the model's owner set, in tokens; None: none, or as many as it takes."""
    own: list[Any] = [getattr(model, name, None) for name in _NAMES]
    return next((limit for limit in own if isinstance(limit, int) and limit > 0), None)
