"""Requests of OpenAI's Responses API, turned into those of Chat Completions, which one body answers."""

from collections.abc import Mapping
from typing import Any, TypeGuard

from adaptive_reasoner.testing.errors import BadRequestError

Json = dict[str, Any]

LOGPROBS = "message.output_text.logprobs"

# What Chat Completions has and the Responses API refuses by name.
_UNKNOWN = ("logprobs", "messages", "n", "stop", "response_format", "reasoning_effort", "max_tokens")
_SAME = ("model", "stream", "temperature", "top_p", "seed", "tool_choice")
_TEXT_PARTS = {"input_text", "output_text", "text"}


def as_completion_body(body: Mapping[str, Any]) -> Json:
    """The body of the Chat Completions request that asks for the same.

    Raises:
        BadRequestError: a field is missing, wrong, or not one of the Responses API's.
    """
    for name in _UNKNOWN:
        if name in body:
            raise BadRequestError(f"Unknown parameter: '{name}'.")
    if "input" not in body:
        raise BadRequestError("You must provide an 'input' parameter.")
    wants_logprobs = LOGPROBS in (body.get("include") or ())
    return {
        **{name: body[name] for name in _SAME if name in body},
        "messages": [*_instructions(body), *_messages(body["input"])],
        "max_completion_tokens": body.get("max_output_tokens"),
        "reasoning_effort": _field(body, "reasoning", "effort"),
        "response_format": _response_format(_field(body, "text", "format")),
        "tools": [_tool(tool) for tool in body.get("tools") or ()] or None,
        "tool_choice": _tool_choice(body.get("tool_choice")),
        "logprobs": True if wants_logprobs else None,
        "top_logprobs": body.get("top_logprobs") if wants_logprobs else None,
    }


def _instructions(body: Mapping[str, Any]) -> list[Json]:
    given = body.get("instructions")
    return [{"role": "system", "content": given}] if given else []


def _messages(given: Any) -> list[Json]:
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    if not _is_list(given) or not all(_is_object(item) for item in given):
        raise BadRequestError("Invalid value for 'input': it must be a string or a list of items.")
    messages: list[Json] = []
    for item in given:
        _add(messages, item)
    return messages


def _add(messages: list[Json], item: Json) -> None:
    """Calls of one turn are items of their own here, and parts of one message in Chat Completions."""
    match item.get("type", "message"):
        case "message":
            messages.append({"role": item.get("role"), "content": _text(item.get("content"))})
        case "function_call":
            if not messages or messages[-1]["role"] != "assistant":
                messages.append({"role": "assistant", "content": ""})
            function = {"name": item.get("name"), "arguments": item.get("arguments")}
            call = {"id": item.get("call_id"), "type": "function", "function": function}
            messages[-1].setdefault("tool_calls", []).append(call)
        case "function_call_output":
            result = {"tool_call_id": item.get("call_id"), "content": _text(item.get("output"))}
            messages.append({"role": "tool", **result})
        case "reasoning":
            pass
        case unknown:
            raise BadRequestError(f"Invalid value for 'input': items of type {unknown!r} are not known.")


def _text(content: Any) -> Any:
    """Parts of text joined; everything else stays as it is, for the common checks to judge."""
    if not _is_list(content) or not all(
        _is_object(part) and part.get("type") in _TEXT_PARTS for part in content
    ):
        return content
    return "".join(str(part.get("text", "")) for part in content)


def _field(body: Mapping[str, Any], name: str, inner: str) -> Any:
    value: Any = body.get(name)
    if value is None:
        return None
    if not _is_object(value):
        raise BadRequestError(f"Invalid value for '{name}': it must be an object.")
    return value.get(inner)


def _response_format(given: Any) -> Any:
    if not _is_object(given) or given.get("type") != "json_schema":
        return given
    return {"type": "json_schema", "json_schema": {key: given[key] for key in given if key != "type"}}


def _tool(tool: Any) -> Json:
    if not _is_object(tool) or tool.get("type") != "function" or "name" not in tool:
        raise BadRequestError("Invalid value for 'tools': only function tools with a name are known.")
    return {"type": "function", "function": {key: tool[key] for key in tool if key != "type"}}


def _tool_choice(choice: Any) -> Any:
    if _is_object(choice) and choice.get("type") == "function":
        return {"type": "function", "function": {"name": choice.get("name")}}
    return choice


def _is_object(value: Any) -> TypeGuard[Json]:
    return isinstance(value, dict)


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
