"""What a Chat Completions request asks for: checked, and turned into a call of a chat model."""

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard, cast

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import BaseMessage, convert_to_messages

from adaptive_reasoner.testing.errors import BadRequestError

MOST_CHOICES = 128

# Settings that reach every model that takes any call argument at all.
COMMON = ("temperature", "top_p", "seed", "max_tokens", "logprobs", "top_logprobs")
# Settings that reach a model whose class declares them: most providers refuse what they do not know.
DECLARED = (
    "presence_penalty",
    "frequency_penalty",
    "logprobs_in_chunks",
    "reasoning_effort",
    "thinking",
    "response_format",
)


def _is_whole(value: Any, low: int, high: int | None = None) -> bool:
    is_int = isinstance(value, int) and not isinstance(value, bool)
    return is_int and value >= low and (high is None or value <= high)


def _is_number(value: Any, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _is_stop(value: Any) -> bool:
    sequences = [value] if isinstance(value, str) else value
    return (
        _is_list(sequences) and len(sequences) <= 4 and all(isinstance(one, str) and one for one in sequences)
    )


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "messages": (lambda value: _is_list(value) and bool(value), "a non-empty list of messages"),
    "model": (lambda value: isinstance(value, str), "a string"),
    "stream": (lambda value: isinstance(value, bool), "true or false"),
    "stream_options": (lambda value: isinstance(value, dict), "an object"),
    "logprobs": (lambda value: isinstance(value, bool), "true or false"),
    "top_logprobs": (lambda value: _is_whole(value, 0, 20), "a whole number from 0 to 20"),
    "n": (lambda value: _is_whole(value, 1, MOST_CHOICES), f"a whole number from 1 to {MOST_CHOICES}"),
    "temperature": (lambda value: _is_number(value, 0, 2), "a number from 0 to 2"),
    "top_p": (lambda value: _is_number(value, 0, 1), "a number from 0 to 1"),
    "seed": (lambda value: isinstance(value, int), "a whole number"),
    "max_tokens": (lambda value: _is_whole(value, 1), "a whole number of at least 1"),
    "max_completion_tokens": (lambda value: _is_whole(value, 1), "a whole number of at least 1"),
    "stop": (_is_stop, "a string or up to 4 strings"),
    "tools": (lambda value: isinstance(value, list), "a list of tools"),
    "tool_choice": (lambda value: isinstance(value, str | dict), "a string or an object"),
    "reasoning_effort": (lambda value: isinstance(value, str), "a string"),
    "response_format": (lambda value: isinstance(value, dict), "an object"),
}


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """A checked request.

    Attributes:
        messages: the conversation as LangChain messages.
        settings: the body's other fields, without those that are null.
    """

    messages: Sequence[BaseMessage]
    settings: Mapping[str, Any]

    @property
    def wants_logprobs(self) -> bool:
        """Whether log probabilities go into the answer."""
        return bool(self.settings.get("logprobs"))

    @property
    def wants_usage_event(self) -> bool:
        """Whether a stream ends with an event that holds its usage."""
        return bool(self.settings.get("stream_options", {}).get("include_usage"))

    @property
    def choices(self) -> int:
        """How many answers are asked for."""
        return self.settings.get("n", 1)

    @property
    def tools(self) -> list[dict[str, Any]]:
        """Tools in OpenAI's shape that the model may call."""
        return [] if self.settings.get("tool_choice") == "none" else self.settings.get("tools", [])

    def call_arguments(self, model: BaseChatModel, choice: int) -> dict[str, Any]:
        """Give the keyword arguments of the model call for the `choice`-th answer, counted from 0.

        Settings that the model does not know (see `known_settings`) are left out. A seed is moved on by one an
        answer. Models that can choose where streamed log probabilities go (`logprobs_in_chunks`) send them as
        OpenAI does.
        """
        settings = dict(self.settings)
        if "max_completion_tokens" in settings:
            settings["max_tokens"] = settings["max_completion_tokens"]
        if "seed" in settings:
            settings["seed"] += choice
        if self.wants_logprobs and settings.get("stream"):
            settings["logprobs_in_chunks"] = True
        arguments = {name: settings[name] for name in known_settings(model) if name in settings}
        stop = settings.get("stop")
        return arguments if stop is None else {**arguments, "stop": [stop] if isinstance(stop, str) else stop}


def known_settings(model: BaseChatModel) -> list[str]:
    """Settings that `model` takes as call arguments.

    Those of its fields, of their aliases and of `_generate`'s parameters; the `COMMON` ones also where `_generate`
    takes any keyword argument, as LangChain's do.
    """
    fields = type(model).model_fields
    aliases = {field.alias for field in fields.values() if field.alias}
    parameters = inspect.signature(model._generate).parameters  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    declared = {*fields, *aliases, *parameters, *(COMMON if takes_any else ())}
    return [name for name in (*COMMON, *DECLARED) if name in declared]


def read_request(raw: bytes) -> dict[str, Any]:
    """Decode a request's body.

    Raises:
        BadRequestError: it is not a JSON object.
    """
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise BadRequestError(f"We could not parse the JSON body of your request: {error}.") from error
    if not isinstance(body, dict):
        raise BadRequestError("The JSON body of your request must be an object.")
    return cast("dict[str, Any]", body)


def check_request(body: Mapping[str, Any]) -> CompletionRequest:
    """Check the fields of a request and convert its messages.

    Raises:
        BadRequestError: a field is missing or wrong; the message names it.
    """
    settings = {name: value for name, value in body.items() if value is not None}
    for name in ("messages", "model"):
        if name not in settings:
            raise BadRequestError(f"You must provide a '{name}' parameter.")
    for name, (is_valid, allowed) in _RULES.items():
        if name in settings and not is_valid(settings[name]):
            raise BadRequestError(f"Invalid value for '{name}': it must be {allowed}.")
    if "top_logprobs" in settings and not settings.get("logprobs"):
        raise BadRequestError("'top_logprobs' needs 'logprobs' to be true.")
    return CompletionRequest(_convert(settings.pop("messages")), settings)


def _convert(messages: list[Any]) -> list[BaseMessage]:
    if not all(isinstance(message, Mapping) for message in messages):
        raise BadRequestError("Invalid value for 'messages': every message must be an object.")
    try:
        return convert_to_messages(messages)
    except (ValueError, TypeError, KeyError, AttributeError, NotImplementedError) as error:
        raise BadRequestError(f"Invalid value for 'messages': {error}") from error
