"""How many tokens a text is, with the best counter that can be had here, and which one that was.

Order: the embedded model's own encoding; tiktoken for OpenAI's models where its file is cached or can be
fetched; otherwise LangChain's approximation of four characters a token. Never an exception.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import tiktoken
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.utils import count_tokens_approximately

from adaptive_reasoner.thinking.switch import EMBEDDED_MODEL_NAME

# Role markers and separators around one message, as OpenAI's cookbook counts them.
_TOKENS_PER_MESSAGE = 4


@dataclass(frozen=True, slots=True)
class TokenCount:
    """A number of tokens.

    Attributes:
        tokens: the count.
        exact: False where it is four characters a token.
        counter: the encoding's name, or "approximation".
    """

    tokens: int
    exact: bool
    counter: str


def count_tokens(
    messages: Sequence[BaseMessage], model_name: str, tools: Sequence[Mapping[str, Any]] = ()
) -> TokenCount:
    """Count the tokens of `messages`, and of the schemas of `tools`, for the model of that name."""
    encoding = None if _holds_media(messages) else _encoding_for(model_name)
    if encoding is None:
        return TokenCount(_approximate(messages, tools), exact=False, counter="approximation")
    tokens = sum(len(encoding.encode_ordinary(text)) for text in _texts(messages, tools))
    return TokenCount(tokens + _TOKENS_PER_MESSAGE * len(messages), exact=True, counter=encoding.name)


def _approximate(messages: Sequence[BaseMessage], tools: Sequence[Mapping[str, Any]]) -> int:
    """Four characters a token, but a token for each character that is not ASCII, as in Japanese or Thai."""
    others = sum(not character.isascii() for text in _texts(messages, ()) for character in text)
    return (
        count_tokens_approximately(messages) + len(json.dumps(tools, default=str)) // 4 * bool(tools) + others
    )


def _texts(messages: Sequence[BaseMessage], tools: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for message in messages:
        yield str(message.text)
        if isinstance(message, AIMessage) and message.tool_calls:
            yield json.dumps(message.tool_calls, default=str)
    for tool in tools:
        yield json.dumps(tool, default=str)


def _holds_media(messages: Sequence[BaseMessage]) -> bool:
    """Images and the like cost tokens that no text encoding can count."""
    plain = ("text", "text-plain", "reasoning", "tool_call")
    return any(
        isinstance(message.content, list)
        and any(block["type"] not in plain for block in message.content_blocks)
        for message in messages
    )


@cache
def _encoding_for(model_name: str) -> tiktoken.Encoding | None:
    """The model's encoding; a failure is remembered, so that a missing network is asked only once."""
    try:
        if model_name.startswith(EMBEDDED_MODEL_NAME):
            return tiktoken.get_encoding("adaptive_reasoner")
        return tiktoken.encoding_for_model(model_name)
    except (KeyError, ValueError, OSError):
        return None  # unknown name, corrupt file, or no network (requests' errors are OSErrors)
