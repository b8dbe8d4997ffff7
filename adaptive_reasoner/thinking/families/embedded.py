"""The shipped model, in this process or behind an OpenAI-compatible endpoint, and classes built like it."""

from langchain_core.language_models import BaseChatModel
from typing_extensions import override

from adaptive_reasoner.thinking.facts import is_embedded, package_of
from adaptive_reasoner.thinking.ways import ChatKwargs, Family, Ways


class InProcess(Family):
    """Classes with a field `thinking` of this package's own meaning: the embedded model and its stand-ins."""

    name = "embedded, in this process"

    @override
    def claims(self, model: BaseChatModel) -> bool:
        return "thinking" in type(model).model_fields and not package_of(model)

    @override
    def ways(self, model: BaseChatModel) -> Ways:
        return Ways(
            off={"thinking": "off"},
            on={"thinking": "on"},
            budget=lambda tokens: {"thinking": {"budget_tokens": tokens}},
            answer_first={"thinking": "answer_first"},
            is_obeyed=is_embedded(model) or bool(getattr(model, "obeys_thinking", False)),
        )


class Served(Family):
    """The embedded model behind an endpoint, known by its name."""

    name = "embedded, served"

    @override
    def claims(self, model: BaseChatModel) -> bool:
        return is_embedded(model)

    @override
    def ways(self, model: BaseChatModel) -> Ways:
        levels = {level: {"reasoning_effort": level} for level in ("none", "high")}
        return Ways(off=levels["none"], on=levels["high"], levels=levels, budget=_effort)


def _effort(tokens: int) -> ChatKwargs:
    """Its server maps low and medium to thinking budgets of 48 and 96 tokens."""
    return {"reasoning_effort": "low" if tokens <= 48 else "medium" if tokens <= 96 else "high"}
