"""Ollama: `reasoning=True`, `False`, or a level for gpt-oss, which never stops.

Asking a model that does not think for thoughts is an error there, so only known ones are asked, and those whose
owner set `reasoning`. Source: docs.ollama.com/capabilities/thinking.
"""

from langchain_core.language_models import BaseChatModel
from typing_extensions import override

from adaptive_reasoner.thinking.facts import is_named, package_of
from adaptive_reasoner.thinking.families.efforts import effort_ways
from adaptive_reasoner.thinking.families.templates import is_single_mode
from adaptive_reasoner.thinking.ways import ChatKwargs, Family, Ways

_THINKS = r"qwen-?3|qwq|deepseek-(r1|v3\.[12]|v4)|magistral|glm-(4\.[5-9]|5)|gemma-?4|kimi-k2-thinking"
_SETTINGS = {
    "max_tokens": "num_predict",
    **{name: name for name in ("num_predict", "temperature", "seed", "top_k", "top_p")},
}
_LEVELED = r"gpt-oss"


class Ollama(Family):
    """Ollama's own API in ChatOllama."""

    name = "Ollama"
    source = "docs.ollama.com/capabilities/thinking"

    @override
    def claims(self, model: BaseChatModel) -> bool:
        return package_of(model) == "langchain_ollama"

    @override
    def ways(self, model: BaseChatModel) -> Ways | None:
        if is_named(model, _LEVELED):
            levels = ["low", "medium", "high"]
            return effort_ways(levels, {level: {"reasoning": level} for level in levels})
        own = getattr(model, "reasoning", None)
        is_known = is_named(model, _THINKS) and not is_single_mode(model)
        if own is None and not is_known:
            return None
        return Ways(off={"reasoning": False}, on={"reasoning": own or True})

    @override
    def settle(self, model: BaseChatModel, kwargs: ChatKwargs) -> tuple[BaseChatModel, ChatKwargs]:
        """Settings of one call become the model's own: as arguments, ChatOllama would send them in the wrong place."""
        own = {_SETTINGS[name]: value for name, value in kwargs.items() if name in _SETTINGS}
        if not own:
            return model, kwargs
        rest = {name: value for name, value in kwargs.items() if name not in _SETTINGS}
        return model.model_copy(update=own), rest
