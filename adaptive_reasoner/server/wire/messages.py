"""OpenAI's messages as LangChain's, and back."""

import json
from collections.abc import Sequence
from typing import Any, cast

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.messages.content import InvalidToolCall
from langchain_core.messages.tool import ToolCall, invalid_tool_call, tool_call

from adaptive_reasoner.openai_shapes import Json, message_of
from adaptive_reasoner.server.errors import InvalidRequestError
from adaptive_reasoner.server.wire import requests
from adaptive_reasoner.server.wire.plain_json import problem_of
from adaptive_reasoner.thinking import thought_text

# LangChain's integrations write a system message with this mark under the newer name.
_DEVELOPER = {"__openai_role__": "developer"}


def read_messages(messages: Sequence[requests.Message]) -> list[BaseMessage]:
    """The conversation as LangChain's messages, content parts untouched.

    Raises:
        InvalidRequestError: a part, or the arguments of a call, cannot be kept.
    """
    return [_read(message) for message in messages]


def _read(message: requests.Message) -> BaseMessage:
    match message:
        case requests.InstructionMessage():
            mark = _DEVELOPER if message.role == "developer" else {}
            return SystemMessage(_content(message.content), name=message.name, additional_kwargs=dict(mark))
        case requests.UserMessage():
            return HumanMessage(_content(message.content), name=message.name)
        case requests.ToolMessage():
            return ToolMessage(_content(message.content), tool_call_id=message.tool_call_id)
        case requests.AssistantMessage():
            return _read_answer(message)


def _read_answer(message: requests.AssistantMessage) -> AIMessage:
    calls: list[ToolCall] = []
    broken: list[InvalidToolCall] = []
    for call in message.tool_calls or ():
        name, text = call.function.name, call.function.arguments
        arguments = _decoded(text)
        if arguments is None:
            broken.append(invalid_tool_call(name=name, args=text, id=call.id, error="no JSON object"))
        else:
            calls.append(tool_call(name=name, args=arguments, id=call.id))
    return AIMessage(
        _content(message.content or message.refusal or ""),
        name=message.name,
        tool_calls=calls,
        invalid_tool_calls=broken,
    )


def _decoded(text: str) -> dict[str, Any] | None:
    try:
        arguments = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return None
    _check(arguments)
    return cast("dict[str, Any]", arguments) if isinstance(arguments, dict) else None


def _content(content: str | list[Json]) -> Any:
    if isinstance(content, str):
        return content
    _check(content)
    return [dict(part) for part in content]


def _check(value: Any) -> None:
    if problem := problem_of(value):
        raise InvalidRequestError(f"A message {problem}.", param="messages")


def write_message(message: BaseMessage, *, with_thoughts: bool = False) -> Json:
    """A kept message in OpenAI's shape; an answer carries its report."""
    match message:
        case AIMessage():
            report = message.response_metadata.get("adaptive_reasoning")
            shown = message_of(plain(message, with_thoughts=with_thoughts))
            return {**shown, **({"adaptive_reasoning": report} if report else {})}
        case ToolMessage():
            return {"role": "tool", "tool_call_id": message.tool_call_id, "content": message.content}
        case SystemMessage():
            role = message.additional_kwargs.get("__openai_role__", "system")
            return {"role": role, "content": message.content}
        case _:
            return {"role": "user", "content": message.content}


def plain(message: AIMessage, *, with_thoughts: bool) -> AIMessage:
    """An answer whose content is its text, with its thoughts before it where they are wanted."""
    text = str(message.text)
    thought = thought_text(message) if with_thoughts else ""
    blocks: Any = [{"type": "reasoning", "reasoning": thought}, {"type": "text", "text": text}]
    return message.model_copy(update={"content": blocks if thought else text})
