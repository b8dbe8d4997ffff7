"""Anthropic: a budget of tokens up to Claude 4.5, adaptive thinking with an effort since, and some never stop.

Source: platform.claude.com/docs, "Extended thinking" and the migration guides of Opus 5.5, Sonnet 5.5 and Haiku 5.5.
"""

import re
from collections.abc import Mapping
from typing import Any, cast

from langchain_core.language_models import BaseChatModel
from typing_extensions import override

from adaptive_reasoner.thinking.facts import levels_of, model_name_of, package_of
from adaptive_reasoner.thinking.ways import ChatKwargs, Family, Ways

Version = tuple[int, int]

LEAST_BUDGET = 1024  # tokens; the API refuses less
_ON_BUDGET = 8192  # tokens, where neither the caller nor the model's owner chose
_ADAPTIVE: ChatKwargs = {"type": "adaptive", "display": "summarized"}
_NAME = re.compile(r"claude-(?:(?P<line>[a-z]+)-)?(?P<major>\d)(?:[-.](?P<minor>\d{1,2})(?!\d))?")
_FIRST_THINKING, _FIRST_ADAPTIVE = (3, 7), (4, 6)
_LAST_DISPLAYED = (4, 6)  # later models leave the thoughts out unless they are asked for


class Anthropic(Family):
    """Claude in ChatAnthropic."""

    name = "Anthropic"
    shows = "summaries, signed"
    source = "platform.claude.com/docs/en/build-with-claude/extended-thinking"
    fixes_temperature = True

    @override
    def claims(self, model: BaseChatModel) -> bool:
        return package_of(model) == "langchain_anthropic"

    @override
    def ways(self, model: BaseChatModel) -> Ways | None:
        known = _line_and_version(model)
        if known is None or known[1] < _FIRST_THINKING:
            return None
        line, version = known
        return _budgeted(model) if version < _FIRST_ADAPTIVE else _adaptive(model, line, version)

    @override
    def settle(self, model: BaseChatModel, kwargs: ChatKwargs) -> tuple[BaseChatModel, ChatKwargs]:
        """The call's `thinking` instead of the model's own, which would win, its budget below `max_tokens`.

        A tool that must be called cannot be thought about: the API refuses both at once.
        """
        if "thinking" not in kwargs:
            return model, kwargs
        ways = self.ways(model)
        if _forces_a_tool(kwargs) and ways is not None and ways.can_stop:
            kwargs = {**kwargs, **ways.off}
        if getattr(model, "thinking", None) is not None:
            model = model.model_copy(update={"thinking": None})
        most = kwargs.get("max_tokens") or getattr(model, "max_tokens", None)
        return model, {**kwargs, "thinking": _within(kwargs["thinking"], most)}


def _budgeted(model: BaseChatModel) -> Ways:
    own = _own_thinking(model)
    tokens = int(own.get("budget_tokens") or _ON_BUDGET)
    return Ways(
        off={"thinking": {"type": "disabled"}},
        on={"thinking": _budget(tokens), **_sampling(model)},
        budget=lambda asked: _bounded(model, asked),
    )


def _adaptive(model: BaseChatModel, line: str, version: Version) -> Ways:
    thinking = {"type": "adaptive"} if version <= _LAST_DISPLAYED else _ADAPTIVE
    on: ChatKwargs = {"thinking": {**thinking, **_own_display(model)}, **_sampling(model)}
    levels = {
        level: {**on, "reasoning_effort": level} for level in levels_of(model) or ["low", "medium", "high"]
    }
    can_stop = _can_stop(line, version)
    return Ways(
        off=_off(model, line, version) if can_stop else next(iter(levels.values())),
        on=on,
        levels=levels,
        can_stop=can_stop,
    )


def _can_stop(line: str, version: Version) -> bool:
    """Opus 5.5, Fable and Mythos always think; of models still to come the same is assumed."""
    if line in ("fable", "mythos"):
        return False
    return version < (5, 5) or (line in ("sonnet", "haiku") and version == (5, 5))


def _off(model: BaseChatModel, line: str, version: Version) -> ChatKwargs:
    if (line, version) == ("sonnet", (5, 5)):
        return {"thinking": {"type": "between_tools"}}  # no thinking before the answer; "disabled" is refused
    off: ChatKwargs = {"thinking": {"type": "disabled"}}
    # Opus 5 refuses to stop above "high".
    return {**off, "reasoning_effort": "high"} if _own_effort(model) in ("xhigh", "max") else off


def _bounded(model: BaseChatModel, tokens: int) -> ChatKwargs:
    """At most `tokens`: below the API's least there is no thinking at all."""
    if tokens < LEAST_BUDGET:
        return {"thinking": {"type": "disabled"}}
    return {"thinking": _budget(tokens), **_sampling(model)}


def _budget(tokens: int) -> ChatKwargs:
    return {"type": "enabled", "budget_tokens": max(tokens, LEAST_BUDGET)}


def _forces_a_tool(kwargs: ChatKwargs) -> bool:
    choice = kwargs.get("tool_choice")
    return isinstance(choice, Mapping) and cast("ChatKwargs", choice).get("type") in ("any", "tool")


def _within(thinking: Any, max_tokens: Any) -> Any:
    """A budget that leaves a quarter of `max_tokens` for the answer; disabled where that is below the least."""
    if not isinstance(thinking, Mapping) or not isinstance(max_tokens, int):
        return cast("Any", thinking)
    asked = cast("dict[str, Any]", thinking)
    tokens, most = asked.get("budget_tokens"), max_tokens - max_tokens // 4
    if tokens is None or tokens <= most:
        return asked
    return {**asked, "budget_tokens": most} if most >= LEAST_BUDGET else {"type": "disabled"}


def _sampling(model: BaseChatModel) -> ChatKwargs:
    """Thinking allows neither another temperature than 1 nor `top_k`."""
    is_own = getattr(model, "temperature", None) not in (None, 1)
    unset: ChatKwargs = {} if getattr(model, "top_k", None) is None else {"top_k": None}
    return {"temperature": 1, **unset} if is_own else unset


def _own_thinking(model: BaseChatModel) -> ChatKwargs:
    return getattr(model, "thinking", None) or {}


def _own_display(model: BaseChatModel) -> ChatKwargs:
    own = _own_thinking(model)
    return {"display": own["display"]} if "display" in own else {}


def _own_effort(model: BaseChatModel) -> str | None:
    own: ChatKwargs = getattr(model, "output_config", None) or {}
    return getattr(model, "reasoning_effort", None) or own.get("effort")


def _line_and_version(model: BaseChatModel) -> tuple[str, Version] | None:
    found = _NAME.search(model_name_of(model).lower())
    if found is None:
        return None
    return found["line"] or "", (int(found["major"]), int(found["minor"] or 0))
