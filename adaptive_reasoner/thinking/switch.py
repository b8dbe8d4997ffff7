"""Call-time keyword arguments that switch thinking and ask for log probabilities.

Three kinds of model are told apart:

- the embedded model, in this process (`thinking=`) or behind an endpoint (`reasoning_effort=`, by its name);
- models whose LangChain profile lists reasoning efforts (`reasoning_effort=`);
- all others: nothing is sent, and the graph asks for written thinking in the prompt.

Log probabilities are asked for where the model's class has the fields for it. OpenAI's reasoning models give
them only at effort "none" (Chat Completions), so none are asked for while such a model thinks.
"""

from typing import Any, Literal, cast

from langchain_core.language_models import BaseChatModel

EMBEDDED_MODEL_NAME = "adaptive-reasoner-embedded"

Thinking = Literal["off", "on", "answer_first"] | dict[str, int]
ChatKwargs = dict[str, Any]


def model_name_of(model: BaseChatModel) -> str:
    """The name that profiles and prices are kept under; the class name where a model has none."""
    for attribute in ("model_name", "model", "model_id"):
        name = getattr(model, attribute, None)
        if isinstance(name, str) and name:
            return name
    return type(model).__name__


def is_embedded(model: BaseChatModel) -> bool:
    """True for the shipped model, in this process or behind an endpoint."""
    return model_name_of(model).startswith(EMBEDDED_MODEL_NAME)


def has_thinking_switch(model: BaseChatModel) -> bool:
    """True if thinking can be switched by a call-time argument."""
    return is_embedded(model) or bool(_effort_levels(model))


def thinking_kwargs(model: BaseChatModel, thinking: Thinking) -> ChatKwargs:
    """Arguments for one call of `model` with `thinking` off, on, or to `{"budget_tokens": n}`."""
    if "thinking" in type(model).model_fields:
        return {"thinking": thinking}
    if is_embedded(model):
        return {"reasoning_effort": _embedded_effort(thinking)}
    levels = _effort_levels(model)
    return {"reasoning_effort": _effort(levels, thinking)} if levels else {}


def logprob_kwargs(model: BaseChatModel, thinking: Thinking, top_logprobs: int) -> ChatKwargs:
    """Arguments that ask for `top_logprobs` alternatives a token, empty where the model refuses them."""
    fields = type(model).model_fields
    if not {"logprobs", "top_logprobs"} <= set(fields):
        return {}
    if _refuses_logprobs(model, thinking):
        return {}
    return {"logprobs": True, "top_logprobs": top_logprobs}


def _refuses_logprobs(model: BaseChatModel, thinking: Thinking) -> bool:
    """True for OpenAI's reasoning models unless their thinking is really off; some of them cannot stop."""
    if is_embedded(model):
        return False
    levels = _effort_levels(model)
    if levels:
        return _effort(levels, thinking) != "none"
    profile = cast("dict[str, Any]", model.profile or {})
    is_openai = type(model).__module__.startswith("langchain_openai")
    return is_openai and bool(profile.get("reasoning_output"))


def _effort_levels(model: BaseChatModel) -> list[str]:
    profile = cast("dict[str, Any]", model.profile or {})
    return list(profile.get("reasoning_effort_levels") or [])


def _embedded_effort(thinking: Thinking) -> str:
    """The embedded model's server maps low and medium to thinking budgets of 48 and 96 tokens."""
    if isinstance(thinking, dict):
        tokens = thinking.get("budget_tokens", 0)
        return "low" if tokens <= 48 else "medium" if tokens <= 96 else "high"
    return "none" if thinking == "off" else "high"


def _effort(levels: list[str], thinking: Thinking) -> str:
    """The level nearest to the wish; "off" takes the least that the model offers."""
    order = [level for level in ("none", "minimal", "low", "medium", "high") if level in levels] or levels
    if thinking == "off":
        return order[0]
    if isinstance(thinking, dict) and thinking.get("budget_tokens", 0) < 2048:
        return "low" if "low" in levels else order[0]
    return "high" if "high" in levels else order[-1]
