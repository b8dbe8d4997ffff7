"""How many tokens a text is, with the best counter that can be had here, and which one that was.

Order: the embedded model's own encoding; tiktoken for OpenAI's models where its file is cached or can be
fetched; otherwise LangChain's approximation of four characters a token. Never an exception.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import tiktoken
from langchain_core.messages import BaseMessage
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


def count_tokens(messages: Sequence[BaseMessage], model_name: str) -> TokenCount:
    """Count the tokens of `messages` for the model of that name."""
    encoding = _encoding_for(model_name)
    if encoding is None:
        return TokenCount(count_tokens_approximately(messages), exact=False, counter="approximation")
    texts = (str(message.text) for message in messages)
    tokens = sum(len(encoding.encode_ordinary(text)) + _TOKENS_PER_MESSAGE for text in texts)
    return TokenCount(tokens, exact=True, counter=encoding.name)


@cache
def _encoding_for(model_name: str) -> tiktoken.Encoding | None:
    """The model's encoding; a failure is remembered, so that a missing network is asked only once."""
    try:
        if model_name.startswith(EMBEDDED_MODEL_NAME):
            return tiktoken.get_encoding("adaptive_reasoner")
        return tiktoken.encoding_for_model(model_name)
    except (KeyError, ValueError, OSError):
        return None  # unknown name, corrupt file, or no network (requests' errors are OSErrors)
