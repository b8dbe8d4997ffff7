"""`choices`: OpenAI Chat and legacy completions, and the many servers that speak them.

Azure, vLLM, Groq, Together, OpenRouter, llama.cpp's and Ollama's compatible endpoints, Bedrock's OpenAI-style
models. `prompt_logprobs` and log probabilities of a reasoning text or a refusal are not read: they are no answer.
"""

from collections.abc import Mapping
from typing import Any

from adaptive_reasoner.uncertainty.entries import Entries, guarded, read_entries, to_number
from adaptive_reasoner.uncertainty.providers.reader import Json, Reader
from adaptive_reasoner.uncertainty.reply import Reply
from adaptive_reasoner.uncertainty.shapes import as_count, as_list, as_mapping, text_of
from adaptive_reasoner.uncertainty.tokens import TokenLogprob


def _recognises(raw: Json) -> bool:
    return as_list(raw.get("choices")) is not None


def _read(raw: Json) -> Reply:
    choices = [as_mapping(choice) for choice in as_list(raw["choices"]) or ()]
    first = next((choice for choice in choices if choice.get("index", 0) in (0, None)), None)
    reply = Reply() if first is None else read_choice(first)
    usage = as_mapping(raw.get("usage"))
    output = as_count(usage.get("completion_tokens"))
    if output is not None:
        thought = as_count(as_mapping(usage.get("completion_tokens_details")).get("reasoning_tokens"))
        reply.visible_tokens = output - (thought or 0)
    return reply


def read_choice(choice: Json) -> Reply:
    """Read one element of `choices`: whole (`message`, `text`) or a piece of a stream (`delta`, `text`)."""
    is_whole = isinstance(choice.get("message"), (dict, Mapping))
    message = as_mapping(choice.get("message") or choice.get("delta"))
    text = text_of(message.get("content", choice.get("text")))
    tokens, fault = _entries(choice.get("logprobs"), None if is_whole else text or "")
    if text is None and is_whole:
        text = ""  # a whole message without content shows nothing; a chunk without content adds nothing
    arguments = read_tool_calls(message.get("tool_calls"))
    return Reply(tokens, text, arguments, None, fault, is_snapshot=is_whole)


def read_tool_calls(calls: Any) -> dict[int, Any]:
    """The arguments of tool calls, as JSON text or parsed, by their index."""
    arguments: dict[int, Any] = {}
    for position, call in enumerate(as_list(calls) or ()):
        index = as_mapping(call).get("index")
        given = as_mapping(as_mapping(call).get("function")).get("arguments")
        arguments[index if isinstance(index, int) else position] = "" if given is None else given
    return arguments


def _entries(logprobs: Any, piece: str | None) -> Entries:
    """The entries; Together streams one bare number beside each `piece` of text, which is one token."""
    if isinstance(logprobs, int | float) and not isinstance(logprobs, bool) and piece is not None:
        return guarded(lambda number: [TokenLogprob(piece, to_number(number))] if piece else [], logprobs)
    return read_entries(logprobs)


READER = Reader("OpenAI Chat and completions", _recognises, _read)
