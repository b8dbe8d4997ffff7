"""Gemini: a budget of tokens up to 2.5, a level since; both at once are refused, so the other one is taken out.

Source: ai.google.dev/gemini-api/docs/thinking.
"""

from typing import Any

from langchain_core.language_models import BaseChatModel
from typing_extensions import override

from adaptive_reasoner.thinking.facts import is_named, is_reasoning_model, levels_of, package_of
from adaptive_reasoner.thinking.families.efforts import effort_ways
from adaptive_reasoner.thinking.ways import ChatKwargs, Family, Ways

DYNAMIC = -1  # the model decides how much it thinks
_THOUGHTS: ChatKwargs = {"include_thoughts": True}
# Least and most tokens of a budget, and whether 0 stops thinking; the first name that fits counts.
_BUDGETS = {
    r"2\.5-pro": (128, 32768, False),
    r"2\.5-flash-lite": (512, 24576, True),
    r"2\.5": (1, 24576, True),
}


class Gemini(Family):
    """Gemini in ChatGoogleGenerativeAI."""

    name = "Gemini"
    shows = "summaries"
    source = "ai.google.dev/gemini-api/docs/thinking"

    @override
    def claims(self, model: BaseChatModel) -> bool:
        return package_of(model) == "langchain_google_genai"

    @override
    def ways(self, model: BaseChatModel) -> Ways | None:
        for pattern, (least, most, can_stop) in _BUDGETS.items():
            if is_named(model, pattern):
                thinks = model.profile is None or is_reasoning_model(model)
                return _budgeted(model, least, most, can_stop=can_stop) if thinks else None
        is_leveled = is_named(model, r"gemini-([3-9]|flash|pro)")
        levels = levels_of(model) or (["low", "medium", "high"] if is_leveled else [])
        return (
            effort_ways(levels, {level: _level(model, level, levels) for level in levels}) if levels else None
        )

    @override
    def settle(self, model: BaseChatModel, kwargs: ChatKwargs) -> tuple[BaseChatModel, ChatKwargs]:
        """The output's limit in Gemini's word for it; the other one is silently ignored."""
        if "max_tokens" not in kwargs:
            return model, kwargs
        rest = {name: value for name, value in kwargs.items() if name != "max_tokens"}
        return model, {"max_output_tokens": kwargs["max_tokens"], **rest}


def _budgeted(model: BaseChatModel, least: int, most: int, *, can_stop: bool) -> Ways:
    stopped = 0 if can_stop else least

    def budget(tokens: int) -> ChatKwargs:
        within = min(tokens, most) if tokens >= least else stopped
        return _tokens(model, within)

    return Ways(off=budget(0), on=_tokens(model, DYNAMIC), budget=budget, can_stop=can_stop)


def _tokens(model: BaseChatModel, tokens: int) -> ChatKwargs:
    shown = _THOUGHTS if tokens else {}
    return {"thinking_budget": tokens, **shown, **_without(model, "thinking_level", "reasoning_effort")}


def _level(model: BaseChatModel, level: str, levels: list[str]) -> ChatKwargs:
    shown = {} if level == levels[0] else _THOUGHTS
    return {"thinking_level": level, **shown, **_without(model, "thinking_budget", "thinking_budget")}


def _without(model: BaseChatModel, argument: str, field: str) -> ChatKwargs:
    """Arguments that take out what the model's owner set in the other unit."""
    raw: Any = getattr(model, "thinking_config", None) or {}
    unset: ChatKwargs = {} if getattr(model, field, None) is None else {argument: None}
    if argument in raw:
        unset["thinking_config"] = {name: value for name, value in raw.items() if name != argument}
    return unset
