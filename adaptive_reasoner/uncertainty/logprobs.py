"""The only parser: a provider's response, its stream, or a LangChain message -> TokenLogprobs.

What arrives but cannot be trusted comes back with `trusted=False` and the reason; only something that is no
response at all raises. To read a new provider, add a reader that gives a `Reply`: everything after is shared.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk

from adaptive_reasoner.errors import LogprobsError
from adaptive_reasoner.uncertainty.alignment import align_arguments, align_text, joined_text
from adaptive_reasoner.uncertainty.entries import read_entries
from adaptive_reasoner.uncertainty.reply import Reply, merge
from adaptive_reasoner.uncertainty.shapes import as_list, as_mapping
from adaptive_reasoner.uncertainty.tokens import TokenLogprob, TokenLogprobs, find_fault, normalize

NO_LOGPROBS = "no log probabilities arrived with the answer"


def parse_response(raw: object) -> TokenLogprobs:
    """Read the log probabilities of the first answer in a response.

    Args:
        raw: a provider's JSON (parsed, or as text), a list of stream chunks (JSON or messages), the text of a
            server-sent event stream, a list of token entries, or an AIMessage.

    Returns:
        The tokens of the visible text, or of the tool calls' arguments, trusted or with the reason why not.

    Raises:
        LogprobsError: `raw` is no response.
    """
    return settle(_read(raw))


def trust(tokens: Sequence[TokenLogprob]) -> TokenLogprobs:
    """Check and normalise bare tokens; their text is taken to be the answer."""
    return settle(Reply(tokens=list(tokens)))


def settle(reply: Reply) -> TokenLogprobs:
    """Match a reply's tokens with what it shows, then check their numbers."""
    text = reply.text or ""
    if reply.fault or not reply.tokens:
        return TokenLogprobs(reply.tokens, text, trusted=False, reason=reply.fault or NO_LOGPROBS)
    if fault := _without_answer(reply):
        return TokenLogprobs(reply.tokens, text, trusted=False, reason=fault)
    aligned = _align(reply)
    if aligned is None or not aligned[0]:
        return TokenLogprobs(reply.tokens, text, trusted=False, reason=_mismatch(reply))
    tokens, text = aligned
    fault = find_fault(tokens)
    kept = tokens if fault else [normalize(token) for token in tokens]
    return TokenLogprobs(kept, text, trusted=fault is None, reason=fault, is_tool_call=bool(reply.arguments))


def _without_answer(reply: Reply) -> str | None:
    if reply.arguments or reply.text is None:
        return None
    if not reply.text.strip():
        return "the answer has no text"
    if reply.text.lstrip().startswith("<think>") and "</think>" not in reply.text:
        return "the answer ends inside its thoughts"
    return None


def _align(reply: Reply) -> tuple[list[TokenLogprob], str] | None:
    if reply.arguments:
        return align_arguments(reply.tokens, list(reply.arguments.values()))
    if reply.text is not None:
        return align_text(reply.tokens, reply.text)
    if (
        reply.visible_tokens is not None and len(reply.tokens) < reply.visible_tokens - 1
    ):  # an end mark is uncounted
        return None
    return align_text(reply.tokens, joined_text(reply.tokens))


def _mismatch(reply: Reply) -> str:
    shown = "the tool call's arguments" if reply.arguments else "the answer's text"
    said = f" (the provider counted {reply.visible_tokens})" if reply.visible_tokens else ""
    return f"the log probabilities of {len(reply.tokens)} token(s){said} do not add up to {shown}"


def _read(raw: object) -> Reply:
    if isinstance(raw, AIMessage):
        return _read_message(raw)
    if isinstance(raw, bytes):
        return _read_text(raw.decode("utf-8", "replace"))
    if isinstance(raw, str):
        return _read_text(raw)
    if isinstance(raw, Mapping):
        return _readas_mapping(cast("Mapping[str, Any]", raw))
    if isinstance(raw, Sequence):
        return _read_sequence(cast("Sequence[object]", raw))
    raise LogprobsError(
        f"A {type(raw).__name__} is no model response; give its JSON, its stream or an AIMessage."
    )


def _read_message(message: AIMessage) -> Reply:
    metadata = cast("dict[str, Any]", message.response_metadata)
    tokens, fault = read_entries(metadata.get("logprobs"))
    usage = message.usage_metadata
    visible = None
    if usage:
        visible = usage["output_tokens"] - usage.get("output_token_details", {}).get("reasoning", 0)
    if isinstance(message, AIMessageChunk) and message.tool_call_chunks:
        arguments = {call["index"] or 0: call["args"] or "" for call in message.tool_call_chunks}
    else:
        calls = [*message.tool_calls, *message.invalid_tool_calls]
        arguments = {index: call["args"] for index, call in enumerate(calls)}
    return Reply(tokens, str(message.text), cast("dict[int, Any]", arguments), visible, fault)


def _read_text(raw: str) -> Reply:
    if raw.lstrip().startswith(("{", "[")):
        return _read(_json(raw))
    events = [line[5:].strip() for line in raw.splitlines() if line.startswith("data:")]
    chunks = [_json(event) for event in events if event and event != "[DONE]"]
    if not chunks:
        raise LogprobsError("The text is neither JSON nor a server-sent event stream of a model's answer.")
    return _read_sequence(chunks)


def _read_sequence(raw: Sequence[object]) -> Reply:
    if raw and all(isinstance(item, Mapping) and "token" in item for item in raw):
        tokens, fault = read_entries(raw)
        return Reply(tokens, fault=fault)
    if any(isinstance(item, str | bytes) or not isinstance(item, Mapping | AIMessage) for item in raw):
        raise LogprobsError("A stream must be a list of JSON chunks or of message chunks.")
    return merge([_read(item) for item in raw])


def _readas_mapping(raw: Mapping[str, Any]) -> Reply:
    if as_list(raw.get("choices")) is not None:
        return _read_choices(raw)
    if "logprobs" in raw or isinstance(raw.get("message"), Mapping):
        return _read_choice(raw)
    if "content" in raw or "token_logprobs" in raw:
        tokens, fault = read_entries(raw)
        return Reply(tokens, fault=fault)
    raise LogprobsError("The JSON has neither `choices` nor `logprobs`: it is no chat completion.")


def _read_choices(raw: Mapping[str, Any]) -> Reply:
    choices = [as_mapping(choice) for choice in as_list(raw["choices"]) or ()]
    first = next((choice for choice in choices if choice.get("index", 0) in (0, None)), None)
    reply = Reply() if first is None else _read_choice(first)
    usage = as_mapping(raw.get("usage"))
    output = usage.get("completion_tokens")
    if isinstance(output, int):
        thought = as_mapping(usage.get("completion_tokens_details")).get("reasoning_tokens")
        reply.visible_tokens = output - (thought if isinstance(thought, int) else 0)
    return reply


def _read_choice(choice: Mapping[str, Any]) -> Reply:
    tokens, fault = read_entries(choice.get("logprobs"))
    message = as_mapping(choice.get("message") or choice.get("delta"))
    content = message.get("content", choice.get("text"))
    if (parts := as_list(content)) is not None:
        content = "".join(str(as_mapping(part).get("text") or "") for part in parts)
    text = content if isinstance(content, str) else None
    if text is None and isinstance(choice.get("message"), Mapping):
        text = ""  # a whole message without content shows nothing; a chunk without content adds nothing
    return Reply(tokens, text, _read_tool_calls(message.get("tool_calls")), None, fault)


def _read_tool_calls(calls: Any) -> dict[int, Any]:
    arguments: dict[int, Any] = {}
    for position, call in enumerate(as_list(calls) or ()):
        index = as_mapping(call).get("index")
        given = as_mapping(as_mapping(call).get("function")).get("arguments")
        arguments[index if isinstance(index, int) else position] = given or ""
    return arguments


def _json(raw: str) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise LogprobsError(f"The response is not JSON: {error}.") from error
