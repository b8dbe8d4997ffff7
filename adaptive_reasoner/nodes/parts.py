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
from adaptive_reasoner.nodes.spending import Purse
from adaptive_reasoner.state import AnsweringNode, Mode
from adaptive_reasoner.thinking import is_embedded, model_name_of


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that is decided once, when the graph is built.

    Attributes:
        config: the graph's settings.
        fast, deep: the callers; the same model twice where no deep model was given.
        thinks_by_prompt: ask for written thinking where the deep model has no switch (it is the fast one).
        fast_tools, deep_tools: call-time arguments that bind the tools, empty without tools.
        gates: what judges the answers of each mode.
        purse: asks the budgets.
    """

    config: ReasonerConfig
    fast: ModelCaller
    deep: ModelCaller
    thinks_by_prompt: bool
    fast_tools: Mapping[str, Any]
    deep_tools: Mapping[str, Any]
    gates: Mapping[Mode, Gate]
    purse: Purse


def assemble(
    fast: ModelSpec, deep: ModelSpec | None, tools: Sequence[BaseTool], config: ReasonerConfig
) -> Parts:
    """Resolve the models and pair each with its gate, tools and limits."""
    fast_model = resolve_model(fast)
    deep_model = fast_model if deep is None else resolve_model(deep)
    names: dict[AnsweringNode, str] = {
        "fast_answer": model_name_of(fast_model),
        "refine": model_name_of(fast_model),
        "deep_think": model_name_of(deep_model),
    }
    return Parts(
        config=config,
        fast=ModelCaller(fast_model, config.model_timeout_seconds),
        deep=ModelCaller(deep_model, config.model_timeout_seconds),
        thinks_by_prompt=deep is None,
        fast_tools=_bound(fast_model, tools),
        deep_tools=_bound(deep_model, tools),
        gates={
            "fast": config.gate or profile_for(names["fast_answer"]),
            "refine": config.gate or profile_for(names["refine"]),
            "deep": config.gate or profile_for(names["deep_think"]),
        },
        purse=Purse(config, names, free=is_embedded(fast_model) and is_embedded(deep_model)),
    )


def _bound(model: BaseChatModel, tools: Sequence[BaseTool]) -> Mapping[str, Any]:
    """The keyword arguments that `bind_tools` would bind, so that one wrapper serves every call."""
    if not tools:
        return {}
    bound: Any = model.bind_tools(tools)
    kwargs = getattr(bound, "kwargs", None)
    if not isinstance(kwargs, dict):
        raise ConfigurationError(
            f"{type(model).__name__}.bind_tools() gives no binding; wrap the model in one that supports tools."
        )
    return cast("dict[str, Any]", kwargs)
