"""From a checked request to what the graph is given beside the messages.

Which settings a model takes is known of OpenAI's integration, and read off every other model's class; what neither
model behind a name takes is left out and told to the client.
"""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.language_models import BaseChatModel

from adaptive_reasoner.nodes.responses_logprobs import goes_to_responses_api
from adaptive_reasoner.openai_shapes import Json
from adaptive_reasoner.server.errors import InvalidRequestError
from adaptive_reasoner.server.wire.requests import (
    ChatCompletionRequest,
    JsonSchemaFormat,
    NamedTool,
    ResponseFormat,
    TextFormat,
)
from adaptive_reasoner.thinking.facts import package_of

_SETTINGS = (
    "temperature", "top_p", "seed", "presence_penalty", "frequency_penalty", "logit_bias", "verbosity",
    "service_tier", "parallel_tool_calls",
)  # fmt: skip
# Known to OpenAI; leaving them out changes no answer.
_HARMLESS = frozenset({
    "store", "prediction", "safety_identifier", "prompt_cache_key", "prompt_cache_retention",
    "prompt_cache_options", "moderation",
})  # fmt: skip
_REFUSED = {
    "functions": 'it is out of date; use "tools"',
    "function_call": 'it is out of date; use "tool_choice"',
    "audio": "no answers are spoken here",
    "web_search_options": "nothing is searched here; give a tool",
}


@dataclass(frozen=True, slots=True)
class CallOptions:
    """What goes with the messages.

    Attributes:
        model_kwargs: call-time arguments for the models.
        tool_names: the tools that may be called.
        must_call: a tool has to be called, so the call is the answer.
        ignored: fields that came and are not used.
    """

    model_kwargs: Json
    tool_names: tuple[str, ...]
    must_call: bool
    ignored: tuple[str, ...]


def read_options(request: ChatCompletionRequest, models: Sequence[BaseChatModel]) -> CallOptions:
    """Read the settings of `request` for `models`, all of which may be called.

    Raises:
        InvalidRequestError: something is asked for that cannot be done.
    """
    _check(request)
    kwargs = {name: value for name in _SETTINGS if (value := getattr(request, name)) is not None}
    known = {name: value for name, value in kwargs.items() if all(_takes(model, name) for model in models)}
    if not request.tools:
        known.pop("parallel_tool_calls", None)
    dropped = (kwargs.keys() - known.keys()) | (set(request.model_extra or ()) - _HARMLESS)
    most = request.max_completion_tokens or request.max_tokens
    if most is not None:
        known["max_tokens"] = most
    if request.stop:
        known["stop"] = [request.stop] if isinstance(request.stop, str) else list(request.stop)
    names = _add_tools(request, known)
    known |= _format_arguments(request.response_format, models)
    must_call = bool(names) and (
        request.tool_choice == "required" or isinstance(request.tool_choice, NamedTool)
    )
    return CallOptions(known, names, must_call, tuple(sorted(dropped)))


def _check(request: ChatCompletionRequest) -> None:
    for name in request.model_extra or ():
        if name in _REFUSED:
            raise InvalidRequestError(f"'{name}' is not taken: {_REFUSED[name]}.", param=name)
    if request.top_logprobs is not None and not request.logprobs:
        raise InvalidRequestError("'top_logprobs' needs 'logprobs' to be true.", param="top_logprobs")
    if request.stream_options is not None and not request.stream:
        raise InvalidRequestError("'stream_options' needs 'stream' to be true.", param="stream_options")
    if request.tool_choice not in (None, "none") and not request.tools:
        raise InvalidRequestError("'tool_choice' needs 'tools'.", param="tool_choice")
    offered = {tool.function.name for tool in request.tools or ()}
    if isinstance(request.tool_choice, NamedTool) and request.tool_choice.function.name not in offered:
        raise InvalidRequestError(
            "'tool_choice' names a function that is not in 'tools'.", param="tool_choice"
        )
    budget = request.wishes.budget
    if budget is not None and not budget.model_dump(exclude_none=True):
        raise InvalidRequestError("The budget limits nothing.", param="adaptive_reasoning.budget")


def _add_tools(request: ChatCompletionRequest, kwargs: Json) -> tuple[str, ...]:
    if not request.tools or request.tool_choice == "none":
        kwargs.pop("parallel_tool_calls", None)
        return ()
    kwargs["tools"] = [tool.model_dump(exclude_none=True) for tool in request.tools]
    match request.tool_choice:
        case NamedTool(function=function):
            kwargs["tool_choice"] = function.name
        case "required":
            kwargs["tool_choice"] = "any"  # as LangChain's integrations spell it
        case "auto":
            kwargs["tool_choice"] = "auto"
        case _:
            pass
    return tuple(tool.function.name for tool in request.tools)


def _format_arguments(wanted: ResponseFormat | None, models: Sequence[BaseChatModel]) -> Json:
    if wanted is None or isinstance(wanted, TextFormat):
        return {}
    plain = wanted.model_dump(exclude_none=True, by_alias=True)
    bodies: list[Json] = [
        getattr(model, "extra_body", None) or {} for model in models if _is_plain_openai(model)
    ]
    if len(bodies) == len(models) and all(body == bodies[0] for body in bodies):
        # As a plain field: OpenAI's client would parse the answer itself, and raise where it was cut off.
        return {"extra_body": {**bodies[0], "response_format": plain}}
    if all(_takes(model, "response_format") for model in models):
        return {"response_format": plain}
    if any(_lacks_formats(model) for model in models):
        raise InvalidRequestError(
            "The model behind this name cannot be held to a response format; ask in words, or for text.",
            param="response_format",
        )
    if isinstance(wanted, JsonSchemaFormat):
        schema = {"title": wanted.json_schema.name, **(wanted.json_schema.schema_ or {})}
        how: Json = {"method": "json_schema", "strict": wanted.json_schema.strict}
        return {"structured_output": {"schema": schema, **how}}
    return {"structured_output": {"schema": {"title": "answer", "type": "object"}, "method": "json_mode"}}


def _lacks_formats(model: BaseChatModel) -> bool:
    return type(model).with_structured_output is BaseChatModel.with_structured_output


def _is_openai(model: BaseChatModel) -> bool:
    return package_of(model) == "langchain_openai"


def _is_plain_openai(model: BaseChatModel) -> bool:
    return _is_openai(model) and not goes_to_responses_api(model, {})


def _takes(model: BaseChatModel, name: str) -> bool:
    """True if a call of `model` takes this setting."""
    if _is_openai(model):
        return True
    fields = type(model).model_fields
    aliases = {field.alias for field in fields.values()}
    return name in fields or name in aliases or name in inspect.signature(model.bind_tools).parameters
