"""What a call brings beside its messages (tools, stop, response_format, …), in the words of the model that is called.

Fast and deep may come from different providers, so the run's context holds what the caller gave, as plain data, and
each model puts it into its own words: tools by `bind_tools`, a schema by `with_structured_output`.
"""

from collections.abc import Mapping
from typing import Any, cast

from langchain_core.language_models import BaseChatModel

from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.nodes.call_settings import CallSettings
from adaptive_reasoner.nodes.model_call import ModelCaller
from adaptive_reasoner.nodes.parts import Arguments, Parts, bound_arguments


def call_arguments(parts: Parts, caller: ModelCaller, settings: CallSettings) -> Arguments:
    """The call's own arguments for `caller`; a new dictionary, empty where the call brings none.

    Raises:
        ConfigurationError: the model cannot do what is asked, or both the graph and the call bring tools.
    """
    if settings.model_kwargs.get("tools") and parts.fast_tools:
        raise ConfigurationError(
            "The graph was built with tools and the call brings others; give them in one of the two places."
        )
    return arguments_for(caller.model, settings.model_kwargs)


def arguments_for(model: BaseChatModel, given: Mapping[str, Any]) -> Arguments:
    """`given` as `model` takes it.

    Args:
        model: who is called.
        given: call-time arguments; "tools" in OpenAI's shape, and "structured_output" as
            {"schema": JSON schema, "method": "json_schema" | "json_mode", "strict": bool | None}.

    Raises:
        ConfigurationError: the model cannot call tools, or cannot be held to a schema in this way.
    """
    arguments = dict(given)
    structured = arguments.pop("structured_output", None)
    tools = arguments.pop("tools", None)
    arguments = bound_arguments(model, tools or (), arguments)
    return {**arguments, **_schema_arguments(model, structured)} if structured else arguments


def knows_methods(model: BaseChatModel) -> bool:
    """False where LangChain's own `with_structured_output` would call a tool, whatever method it is given."""
    return type(model).with_structured_output is not BaseChatModel.with_structured_output


def _schema_arguments(model: BaseChatModel, structured: Mapping[str, Any]) -> Arguments:
    """What the provider's own `with_structured_output` would send with the call."""
    method = structured["method"]
    options = {"method": method}
    if structured.get("strict") is not None:
        options["strict"] = structured["strict"]
    refusal = ConfigurationError(
        f'{type(model).__name__} cannot be held to a schema by {method!r}; use method="function_calling".'
    )
    if not knows_methods(model):
        raise refusal
    try:
        runnable: Any = model.with_structured_output(structured["schema"], include_raw=True, **options)
    except (NotImplementedError, TypeError, ValueError) as error:
        raise refusal from error
    # RunnableMap(raw=the bound model) | the parsers, in LangChain and in its integrations.
    raw = getattr(getattr(runnable, "first", None), "steps__", {}).get("raw")
    kwargs: Any = getattr(raw, "kwargs", None)
    if not isinstance(kwargs, dict) or "tools" in kwargs:
        raise refusal
    return {key: kwargs[key] for key in cast("Arguments", kwargs) if not key.startswith("ls_")}
