"""Models that take `reasoning_effort`: OpenAI's own, and any whose LangChain profile lists levels."""

from langchain_core.language_models import BaseChatModel
from typing_extensions import override

from adaptive_reasoner.thinking.facts import is_named, is_reasoning_model, levels_of, package_of
from adaptive_reasoner.thinking.ways import ALWAYS_ON, NO_THINKING, ChatKwargs, Family, Ways, high_of

# Their profiles list no levels.
_O_SERIES = r"^o[134](?!-(mini-2024-09|preview))(?:-|$)"
_O1_MINI = r"^o1-(mini|preview)"
# Since gpt-5.4, Chat Completions refuses tools beside an effort; from gpt-6 on LangChain changes over by itself.
_TOOLS_NEED_RESPONSES = r"^gpt-5\.[4-9]"


def effort_ways(levels: list[str], of_level: dict[str, ChatKwargs]) -> Ways:
    """Ways of a model whose only switch is a level; "none" stops it, the least level is the nearest to that."""
    return Ways(
        off=of_level[levels[0]],
        on=of_level[high_of(levels)],
        levels={level: of_level[level] for level in levels},
        can_stop=levels[0] == NO_THINKING,
    )


class OpenAI(Family):
    """OpenAI's models: `reasoning_effort`, which LangChain writes as `reasoning.effort` for the Responses API."""

    name = "OpenAI"
    shows = "never; summaries on the Responses API, if you ask"
    source = "platform.openai.com/docs/guides/reasoning"
    fixes_temperature = True
    hides_logprobs = True

    @override
    def claims(self, model: BaseChatModel) -> bool:
        return package_of(model) == "langchain_openai"

    @override
    def ways(self, model: BaseChatModel) -> Ways | None:
        levels = levels_of(model) or (["low", "medium", "high"] if _is_o_series(model) else [])
        if not levels:  # it may think all the same, at a depth of its own
            return ALWAYS_ON if is_reasoning_model(model) else None
        return effort_ways(levels, {level: _effort(model, level) for level in levels})

    @override
    def settle(self, model: BaseChatModel, kwargs: ChatKwargs) -> tuple[BaseChatModel, ChatKwargs]:
        """What OpenAI's own API refuses beside an effort is taken out; other servers may know better."""
        reasoning: ChatKwargs = kwargs.get("reasoning") or {}
        effort = kwargs.get("reasoning_effort") or reasoning.get("effort")
        if effort in (None, NO_THINKING) or getattr(model, "openai_api_base", None) is not None:
            return model, kwargs
        kwargs = {**_unset_while_thinking(model), **kwargs}
        if not (kwargs.get("tools") and "reasoning_effort" in kwargs and _must_change_over(model)):
            return model, kwargs
        rest = {name: value for name, value in kwargs.items() if name != "reasoning_effort"}
        return model, {**rest, "reasoning": {"effort": effort}}


class Standard(Family):
    """Any other class whose profile lists levels: LangChain's own convention is `reasoning_effort`."""

    name = "LangChain profile"
    shows = "as the provider sends them"
    source = "docs.langchain.com/oss/python/langchain/models"
    fixes_temperature = True
    hides_logprobs = True

    @override
    def claims(self, model: BaseChatModel) -> bool:
        return bool(levels_of(model))

    @override
    def ways(self, model: BaseChatModel) -> Ways:
        levels = levels_of(model)
        return effort_ways(levels, {level: {"reasoning_effort": level} for level in levels})


def _effort(model: BaseChatModel, level: str) -> ChatKwargs:
    """`reasoning` as the model's owner set it, which would hide `reasoning_effort`, with the level in it."""
    own = getattr(model, "reasoning", None)
    return {"reasoning": {**own, "effort": level}} if own else {"reasoning_effort": level}


def _is_o_series(model: BaseChatModel) -> bool:
    return is_named(model, _O_SERIES) and not is_named(model, _O1_MINI)


def _must_change_over(model: BaseChatModel) -> bool:
    is_left_to_langchain = getattr(model, "use_responses_api", None) is None
    return is_left_to_langchain and is_named(model, _TOOLS_NEED_RESPONSES)


def _unset_while_thinking(model: BaseChatModel) -> ChatKwargs:
    """What the model's owner set for its fast answers, and OpenAI refuses while it thinks."""
    unset: ChatKwargs = {}
    if getattr(model, "temperature", None) not in (None, 1):
        unset["temperature"] = 1
    if getattr(model, "logprobs", None):
        unset |= {"logprobs": None, "top_logprobs": None}
    return unset
