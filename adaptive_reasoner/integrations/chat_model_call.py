"""One call of `AdaptiveChatModel` before the graph runs: what its caller set, and what the run is given."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from contextvars import Context
from typing import Any, cast
from uuid import uuid4

from langchain_core.callbacks import (
    AsyncCallbackManager,
    AsyncCallbackManagerForLLMRun,
    BaseCallbackManager,
    CallbackManager,
    CallbackManagerForLLMRun,
)
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import ensure_config, set_config_context
from langchain_core.tracers.base import BaseTracer
from langgraph.constants import CONFIG_KEY_CHECKPOINTER
from langgraph.runtime import get_runtime

from adaptive_reasoner.config import ReasonerConfig
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.nodes.call_settings import CALL_SETTINGS
from adaptive_reasoner.state import ReasoningContext

Kwargs = dict[str, Any]
RunManager = CallbackManagerForLLMRun | AsyncCallbackManagerForLLMRun

# The loop asks for log probabilities itself, and LangChain decides by "stream" how it calls us.
_ASKED_ANYWAY = ("logprobs", "top_logprobs", "stream")
# What would be meant for one model and reach both, or would take a decision from the loop.
_REFUSED = {
    "model": "two models are called; build another AdaptiveChatModel with fast= and deep=",
    "n": "one answer is given a call; use batch() for several",
    "reasoning": 'the loop decides what thinks; use thinking="off", "on" or {"budget_tokens": n}',
    "reasoning_effort": 'the loop decides what thinks; use thinking="off", "on" or {"budget_tokens": n}',
}
# A round takes up to four steps; the graph has hard limits of its own, a parent's may be too low for it.
_STEPS_A_CALL, _STEPS_AROUND = 4, 8
# LangGraph's name for what a graph around the call was run with, `durability="sync"` say.
_DURABILITY = "__pregel_durability"


def settings_of(config: RunnableConfig | None) -> Kwargs:
    """Thinking, importance, budget and tenant, as the graph around us, or the caller's config, sets them."""
    configurable = ensure_config(config).get("configurable") or {}
    both = {**configurable, **_context_around()}
    return {name: both[name] for name in CALL_SETTINGS if name in both}


def context_of(kwargs: Mapping[str, Any], stop: Sequence[str] | None) -> ReasoningContext:
    """The run's context: the call's settings, and everything else for the models, as one plain mapping.

    Raises:
        ConfigurationError: an argument makes no sense for two models under one gate.
    """
    for name, why in _REFUSED.items():
        if kwargs.get(name) is not None and not (name == "n" and kwargs[name] == 1):
            raise ConfigurationError(f"{name}= is not taken: {why}.")
    own = (*CALL_SETTINGS, "answer_tools")
    context: Kwargs = {name: kwargs[name] for name in own if name in kwargs}
    skipped = {*own, *_ASKED_ANYWAY, *_REFUSED}
    arguments = {name: value for name, value in kwargs.items() if name not in skipped}
    if stop:
        arguments["stop"] = list(stop)
    return cast("ReasoningContext", {**context, "model_kwargs": arguments})


def run_config_of(config: ReasonerConfig) -> RunnableConfig:
    """How the graph is run, beside what is around the call."""
    steps = _STEPS_A_CALL * config.max_model_calls + _STEPS_AROUND
    run: RunnableConfig = {"recursion_limit": steps, "run_name": "adaptive_reasoner"}
    if config.review == "never":  # no checkpoints are kept, and LangGraph fails where it is to wait for one
        run["configurable"] = {_DURABILITY: "async"}
    return run


def inside(run_manager: RunManager | None) -> AbstractContextManager[Context]:
    """Where the graph is run: tracers see what happens in it, every other handler sees one call of one model.

    A handler that prints or counts tokens would otherwise get drafts beside the answer, and everything twice. The
    graph adds the handlers around it to those that it is given, so those around it are replaced.
    """
    around: RunnableConfig = {**ensure_config(), "callbacks": _tracers_of(run_manager)}
    return set_config_context(around)


def _tracers_of(run_manager: RunManager | None) -> BaseCallbackManager | None:
    if run_manager is None:
        return None
    is_async = isinstance(run_manager, AsyncCallbackManagerForLLMRun)
    kind = AsyncCallbackManager if is_async else CallbackManager
    child = kind(handlers=[], parent_run_id=run_manager.run_id)
    child.set_handlers([one for one in run_manager.inheritable_handlers if isinstance(one, BaseTracer)])
    child.add_tags(run_manager.inheritable_tags)
    child.add_metadata(run_manager.inheritable_metadata)
    return child


def check_review(config: ReasonerConfig) -> None:
    """A person can be waited for only where the run is kept.

    Raises:
        ConfigurationError: reviews are wanted, and no graph with a checkpointer is around the call.
    """
    if config.review == "never":
        return
    if not (ensure_config().get("configurable") or {}).get(CONFIG_KEY_CHECKPOINTER):
        raise ConfigurationError(
            'review="low_confidence" interrupts for a person, so the chat model must be called within a graph or '
            'an agent that has a checkpointer; add one, or set ReasonerConfig(review="never").'
        )


def as_input(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """Copies under ids of their own: the graph's state keeps one message an id, a caller may give one twice."""
    seen: set[str | None] = {None}
    copies: list[BaseMessage] = []
    for message in messages:
        name = str(uuid4()) if message.id in seen else message.id
        seen.add(name)
        copies.append(message.model_copy(update={"id": name}))
    return copies


def _context_around() -> Mapping[str, Any]:
    """The context of the graph that the call is made in, where it is a mapping."""
    context: Any = None
    with suppress(RuntimeError):  # no graph is around
        context = getattr(get_runtime(), "context", None)
    return cast("Mapping[str, Any]", context) if isinstance(context, Mapping) else {}
