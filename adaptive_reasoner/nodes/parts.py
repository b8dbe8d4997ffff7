"""What the nodes are built from: the callers, the bound tools, the gates and the purse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.tools import BaseTool

from adaptive_reasoner.config import Gate, ReasonerConfig
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.gate.shipped import profile_for
from adaptive_reasoner.models import ModelSpec, resolve_model
from adaptive_reasoner.nodes.model_call import ModelCaller
from adaptive_reasoner.nodes.purse import Purse
from adaptive_reasoner.thinking import model_name_of
from adaptive_reasoner.thinking.policy import policy_of

Arguments = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that is decided once, when the graph is built.

    Attributes:
        config: the graph's settings.
        fast, deep: the callers; the same model twice where no deep model was given.
        thinks_by_prompt: ask for written thinking where the deep model has no switch (it is the fast one).
        fast_tools, deep_tools: call-time arguments that bind the tools, empty without tools.
        fast_gate, deep_gate: what judges the answers of each model, refined or not.
        purse: asks the budgets.
    """

    config: ReasonerConfig
    fast: ModelCaller
    deep: ModelCaller
    thinks_by_prompt: bool
    fast_tools: Mapping[str, Any]
    deep_tools: Mapping[str, Any]
    fast_gate: Gate
    deep_gate: Gate
    purse: Purse


def assemble(
    fast: ModelSpec, deep: ModelSpec | None, tools: Sequence[BaseTool], config: ReasonerConfig
) -> Parts:
    """Resolve the models and pair each with its gate, tools and limits."""
    fast_model = resolve_model(fast)
    deep_model = fast_model if deep is None else resolve_model(deep)
    purse = Purse(config, fast_model, deep_model)

    def caller(model: BaseChatModel) -> ModelCaller:
        price, thoughts = purse.price_of(model), policy_of(config.thoughts)
        return ModelCaller(model, config.model_timeout_seconds, price=price, thoughts=thoughts)

    return Parts(
        config=config,
        fast=caller(fast_model),
        deep=caller(deep_model),
        thinks_by_prompt=deep is None,
        fast_tools=bound_arguments(fast_model, tools, {}),
        deep_tools=bound_arguments(deep_model, tools, {}),
        fast_gate=config.gate or profile_for(model_name_of(fast_model)),
        deep_gate=config.gate or profile_for(model_name_of(deep_model)),
        purse=purse,
    )


def bound_arguments(model: BaseChatModel, tools: Sequence[Any], others: Mapping[str, Any]) -> Arguments:
    """The keyword arguments that `bind_tools` would bind, so that one wrapper serves every call.

    Raises:
        ConfigurationError: the model has no `bind_tools`, or one that gives no binding.
    """
    if not tools:
        return dict(others)
    try:
        bound: Any = model.bind_tools(tools, **others)
    except NotImplementedError as error:
        raise ConfigurationError(
            f"{type(model).__name__} cannot call tools; leave tools= out or take a model with bind_tools()."
        ) from error
    kwargs = getattr(bound, "kwargs", None)
    if not isinstance(kwargs, dict):
        raise ConfigurationError(
            f"{type(model).__name__}.bind_tools() gives no binding; wrap the model in one that supports tools."
        )
    return dict(cast("Arguments", kwargs))
