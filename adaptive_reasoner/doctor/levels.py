"""At which thinking levels a model can be called, in its own words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel

from adaptive_reasoner.doctor.diagnosis import Api
from adaptive_reasoner.nodes.responses_logprobs import goes_to_responses_api
from adaptive_reasoner.thinking import is_embedded, logprob_kwargs, ways_of
from adaptive_reasoner.thinking.switch import Thinking

ChatKwargs = dict[str, Any]

NOT_SWITCHED = "not switched"
LOGPROB_FIELDS = {"logprobs", "top_logprobs"}


@dataclass(frozen=True, slots=True)
class Level:
    """One thinking level.

    Attributes:
        name: in the model's own word.
        kwargs: call-time arguments that choose it.
        thinking: what the graph calls it.
    """

    name: str
    kwargs: ChatKwargs
    thinking: Thinking

    @property
    def is_fast(self) -> bool:
        """True for the level of the graph's fast answers."""
        return self.thinking == "off"

    def graph_kwargs(self, model: BaseChatModel, top_logprobs: int) -> ChatKwargs:
        """The arguments of the graph's own call."""
        return {**self.kwargs, **logprob_kwargs(model, self.thinking, top_logprobs)}

    def asking_kwargs(self, model: BaseChatModel, top_logprobs: int) -> ChatKwargs:
        """Arguments that ask for log probabilities wherever the model's class knows the question."""
        return {**self.kwargs, **(asked(top_logprobs) if has_logprob_fields(model) else {})}


def levels_of(model: BaseChatModel, efforts: Sequence[str] = ()) -> tuple[Level, ...]:
    """The levels of `model`, the fast one first.

    Args:
        model: a chat model.
        efforts: values of `reasoning_effort` to try instead, the fast one first; for models that LangChain has no
            profile of.
    """
    if efforts:
        return tuple(_effort_level(effort, is_fast=place == 0) for place, effort in enumerate(efforts))
    if "thinking" in type(model).model_fields and is_embedded(model):
        return (Level("off", {"thinking": "off"}, "off"), Level("on", {"thinking": "on"}, "on"))
    ways = ways_of(model)
    if ways is None or not ways.is_obeyed or ways.off == ways.on:
        return (Level(NOT_SWITCHED, {}, "off"),)
    fast = next((name for name, kwargs in ways.levels.items() if kwargs == ways.off), "off")
    others = {name: kwargs for name, kwargs in ways.levels.items() if name != fast} or {"on": ways.on}
    return (Level(fast, ways.off, "off"), *(Level(name, kwargs, "on") for name, kwargs in others.items()))


def api_of(model: BaseChatModel) -> Api:
    """Where calls of `model` go; other providers' own APIs count as chat completions."""
    if "thinking" in type(model).model_fields and is_embedded(model):
        return "in process"
    return "responses" if goes_to_responses_api(model, {}) else "chat completions"


def has_logprob_fields(model: BaseChatModel) -> bool:
    """True if the model's class can ask for log probabilities."""
    return set(type(model).model_fields) >= LOGPROB_FIELDS


def asked(top_logprobs: int) -> ChatKwargs:
    """The question for log probabilities."""
    return {"logprobs": True, "top_logprobs": top_logprobs}


def _effort_level(effort: str, *, is_fast: bool) -> Level:
    return Level(effort, {"reasoning_effort": effort}, "off" if is_fast else "on")
