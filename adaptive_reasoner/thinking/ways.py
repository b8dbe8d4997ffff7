"""The contract: what a family of providers says about one model, in call-time arguments."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from langchain_core.language_models import BaseChatModel

ChatKwargs = dict[str, Any]
# {"budget_tokens": n} with n >= 1, or {"effort": level} in the model's own words.
Thinking = Literal["off", "on", "answer_first"] | dict[str, Any]

NO_THINKING = "none"  # the level that stops thinking, where levels have one
# Least first. Levels with other names keep the order in which the model lists them.
LEVELS = (NO_THINKING, "minimal", "low", "medium", "high", "xhigh", "max")
# The thinking budgets, in tokens, that Google gives for its levels; nobody else says what theirs stand for.
# Source: ai.google.dev/gemini-api/docs/openai, "Thinking".
BUDGET_OF_LEVEL = {"minimal": 0, "low": 1024, "medium": 8192, "high": 24576}


@dataclass(frozen=True, slots=True)
class Ways:
    """How one model's thinking is switched.

    Attributes:
        off: arguments that stop thinking, or leave as little of it as the model allows.
        on: arguments that let it think, at the depth that the provider or the model's owner chose.
        levels: arguments of each level, by the model's own word for it, least first.
        budget: arguments for a budget of n tokens; None: the level nearest below is taken.
        answer_first: arguments for an answer before its rationale; None: the same as `off`.
        can_stop: False if `off` does not stop it.
        is_obeyed: False if the arguments are taken but nothing is known of what they do.
    """

    off: ChatKwargs
    on: ChatKwargs
    levels: Mapping[str, ChatKwargs] = field(default_factory=dict[str, ChatKwargs])
    budget: Callable[[int], ChatKwargs] | None = None
    answer_first: ChatKwargs | None = None
    can_stop: bool = True
    is_obeyed: bool = True

    def kwargs(self, thinking: Thinking) -> ChatKwargs:
        """Arguments for one call; a new dictionary."""
        if isinstance(thinking, dict):
            return dict(self._bounded(thinking))
        if thinking == "answer_first" and self.answer_first is not None:
            return dict(self.answer_first)
        return dict(self.on if thinking == "on" else self.off)

    def _bounded(self, thinking: dict[str, Any]) -> ChatKwargs:
        if "effort" in thinking:
            return self.levels.get(thinking["effort"], self.on)
        tokens = int(thinking.get("budget_tokens", 0))
        if self.budget is not None:
            return self.budget(tokens)
        level = level_within(tuple(self.levels), tokens)
        return self.on if level is None else self.levels[level]


# One mode: it always thinks, and nothing is sent.
ALWAYS_ON = Ways(off={}, on={}, can_stop=False)


class Family(ABC):
    """One provider, or one kind of model that many servers offer.

    Attributes:
        name: of the family, for the tables in `docs/thinking.md` and `docs/providers.md`.
        shows: what of its thoughts can be seen, in words.
        source: where its provider says so, an address without "https://".
        hides_logprobs: True if a request for log probabilities is refused, or useless, while a model thinks.
        fixes_temperature: True if models that can think refuse any temperature but their own.
    """

    name: ClassVar[str]
    shows: ClassVar[str] = "in full"
    source: ClassVar[str] = ""
    hides_logprobs: ClassVar[bool] = False
    fixes_temperature: ClassVar[bool] = False

    @abstractmethod
    def claims(self, model: BaseChatModel) -> bool:
        """True if this family answers for `model`; no later one is asked then."""

    @abstractmethod
    def ways(self, model: BaseChatModel) -> Ways | None:
        """The ways of a model that the family claims; None: it does not think, or has no known switch."""

    def settle(self, model: BaseChatModel, kwargs: ChatKwargs) -> tuple[BaseChatModel, ChatKwargs]:
        """The model and the arguments as they can be sent, once all arguments of the call are known."""
        return model, kwargs


def merged(given: ChatKwargs, switch: ChatKwargs) -> ChatKwargs:
    """A call's own arguments with the switch's; their bodies are joined, and the switch wins."""
    both = {**given, **switch}
    if "extra_body" in given and "extra_body" in switch:
        both["extra_body"] = _joined(given["extra_body"], switch["extra_body"])
    return both


def _joined(one: ChatKwargs, other: ChatKwargs) -> ChatKwargs:
    name = "chat_template_kwargs"
    inner = {name: {**one[name], **other[name]}} if name in one and name in other else {}
    return {**one, **other, **inner}


def in_order(levels: list[str]) -> list[str]:
    """`levels`, least first."""
    known = [level for level in LEVELS if level in levels]
    return known if len(known) == len(levels) else levels


def level_within(levels: tuple[str, ...], tokens: int) -> str | None:
    """The deepest level whose budget is at most `tokens`, else the least that thinks; None without levels."""
    thinking = [level for level in levels if level != NO_THINKING]
    within = [level for level in thinking if BUDGET_OF_LEVEL.get(level, tokens + 1) <= tokens]
    return within[-1] if within else next(iter(thinking), None)


def high_of(levels: list[str]) -> str:
    """The level for `on`: "high", else the deepest."""
    return "high" if "high" in levels else levels[-1]
