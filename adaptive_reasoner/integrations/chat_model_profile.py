"""What two models can do together, and what tells one pair from another."""

# LangChain names a model by what is private in its base class.
# ruff: noqa: SLF001
# pyright: reportPrivateUsage=false

import hashlib
from typing import Any, cast

from langchain_core.language_models import BaseChatModel, ModelProfile

from adaptive_reasoner.config import ReasonerConfig


def profile_of_both(fast: BaseChatModel, deep: BaseChatModel | None) -> ModelProfile | None:
    """The fast model's profile, cut down to what the deep one can do as well: either may have to answer.

    None where a profile is unknown: nothing may be promised then.
    """
    if deep is None or fast.profile is None or deep.profile is None:
        return None if deep is not None else fast.profile
    one, other = cast("dict[str, Any]", fast.profile), cast("dict[str, Any]", deep.profile)
    both: dict[str, Any] = {}
    for key, value in one.items():
        if isinstance(value, bool):
            both[key] = value and bool(other.get(key))
        elif key.startswith("max_") and isinstance(other.get(key), int):
            both[key] = min(value, other[key])
        else:
            both[key] = value
    if other.get("reasoning_output"):
        both["reasoning_output"] = True
    return cast("ModelProfile", both)


def identity_of(fast: BaseChatModel, deep: BaseChatModel | None, config: ReasonerConfig) -> dict[str, Any]:
    """What a cache tells models apart by: a digest of the settings, which may hold passwords and are not shown."""
    both = {"fast": fast, "deep": deep or fast}
    models = {name: [model._llm_type, dict(model._identifying_params)] for name, model in both.items()}
    digest = hashlib.sha256(repr(config).encode()).hexdigest()[:16]
    return {**models, "thinks_by_itself": deep is None, "config": digest}
