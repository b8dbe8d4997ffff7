"""What can be read off a chat model: who made its class, its name, and what its LangChain profile says."""

import re
from functools import cache
from typing import Any, cast

from langchain_core.language_models import BaseChatModel

from adaptive_reasoner.thinking.ways import ChatKwargs, in_order

EMBEDDED_MODEL_NAME = "adaptive-reasoner-embedded"


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


def is_named(model: BaseChatModel, pattern: str) -> bool:
    """True if `pattern` occurs in the model's name, whatever its case."""
    return re.search(pattern, model_name_of(model).lower()) is not None


def package_of(model: BaseChatModel) -> str:
    """The integration package that the model's class comes from or extends, "" if from none."""
    return _package_of(type(model))


@cache
def _package_of(kind: type[BaseChatModel]) -> str:
    packages = (base.__module__.partition(".")[0] for base in kind.__mro__)
    own = (package for package in packages if package.startswith("langchain_"))
    return next((package for package in own if package != "langchain_core"), "")


def levels_of(model: BaseChatModel) -> list[str]:
    """The reasoning efforts that the model's profile lists, least first."""
    return in_order(list(_profile(model).get("reasoning_effort_levels") or []))


def is_reasoning_model(model: BaseChatModel) -> bool:
    """True if the model's profile says that it reasons."""
    return bool(_profile(model).get("reasoning_output"))


def in_body(model: BaseChatModel, **fields: Any) -> ChatKwargs:
    """`extra_body` with `fields` beside the model's own, which a call-time `extra_body` would replace."""
    own: ChatKwargs = getattr(model, "extra_body", None) or {}
    return {"extra_body": {**own, **fields}}


def in_template(model: BaseChatModel, **fields: Any) -> ChatKwargs:
    """`extra_body` with `fields` for the chat template, beside the model's own."""
    own: ChatKwargs = getattr(model, "extra_body", None) or {}
    return in_body(model, chat_template_kwargs={**(own.get("chat_template_kwargs") or {}), **fields})


def _profile(model: BaseChatModel) -> dict[str, Any]:
    return cast("dict[str, Any]", model.profile or {})
