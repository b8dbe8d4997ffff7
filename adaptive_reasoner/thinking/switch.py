"""Call-time keyword arguments that switch thinking and ask for log probabilities.

How thinking is switched is written down in one table (`thinking.table`); where no family knows a switch, nothing is
sent and the graph asks for written thinking in the prompt.

Log probabilities are asked for where the model's class has the fields for it. OpenAI's reasoning models give
them only at effort "none" (Chat Completions), DeepSeek's API gives none while a model thinks, so none are asked
for then.
"""

from langchain_core.language_models import BaseChatModel

from adaptive_reasoner.thinking.facts import (
    EMBEDDED_MODEL_NAME,
    is_embedded,
    is_reasoning_model,
    model_name_of,
)
from adaptive_reasoner.thinking.table import family_of, ways_of
from adaptive_reasoner.thinking.ways import ChatKwargs, Thinking

__all__ = [
    "EMBEDDED_MODEL_NAME",
    "ChatKwargs",
    "Thinking",
    "has_answer_first",
    "has_thinking_switch",
    "is_embedded",
    "logprob_kwargs",
    "model_name_of",
    "takes_temperature",
    "thinking_kwargs",
]


def has_thinking_switch(model: BaseChatModel) -> bool:
    """True if thinking is switched by call-time arguments, or always on; False: a prompt must ask for it."""
    ways = ways_of(model)
    return ways is not None and ways.is_obeyed


def has_answer_first(model: BaseChatModel) -> bool:
    """True if the model has a mode of its own that answers first; False: a prompt must ask for it."""
    ways = ways_of(model)
    return ways is not None and ways.is_obeyed and ways.answer_first is not None


def thinking_kwargs(model: BaseChatModel, thinking: Thinking) -> ChatKwargs:
    """Arguments for one call of `model`.

    They are made for the graph's calls, which put them through `settle_call` together with all others.

    Args:
        model: who is called.
        thinking: "off", "on", `{"budget_tokens": n}` or `{"effort": level}`; where the model cannot do it, what
            comes nearest: the least thinking for "off", the deepest level within the budget.
    """
    ways = ways_of(model)
    return ways.kwargs(thinking) if ways else {}


def takes_temperature(model: BaseChatModel) -> bool:
    """False for models that think and refuse any temperature but their own."""
    family = family_of(model)
    return family is None or not family.fixes_temperature or family.ways(model) is None


def logprob_kwargs(model: BaseChatModel, thinking: Thinking, top_logprobs: int) -> ChatKwargs:
    """Arguments that ask for `top_logprobs` alternatives a token, empty where the model refuses them."""
    fields = type(model).model_fields
    if not {"logprobs", "top_logprobs"} <= set(fields):
        return {}
    if _refuses_logprobs(model, thinking):
        return {}
    return {"logprobs": True, "top_logprobs": top_logprobs}


def _refuses_logprobs(model: BaseChatModel, thinking: Thinking) -> bool:
    """True where a model's API gives none while it thinks, unless its thinking is really off."""
    family = family_of(model)
    if family is None or not family.hides_logprobs:
        return False
    ways = family.ways(model)
    if ways is None:
        return is_reasoning_model(model)
    return not ways.can_stop or thinking not in ("off", "answer_first")
