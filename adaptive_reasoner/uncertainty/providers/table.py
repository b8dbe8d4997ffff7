"""The readers, in the order in which they are asked. To read one more format: one file, and one line here."""

from adaptive_reasoner.uncertainty.providers import (
    anthropic,
    bare,
    bedrock,
    gemini,
    langchain,
    llama_cpp,
    ollama,
    openai_chat,
    openai_responses,
)
from adaptive_reasoner.uncertainty.providers.reader import Json, Reader

READERS: tuple[Reader, ...] = (
    openai_chat.READER,
    openai_responses.READER,
    gemini.READER,
    llama_cpp.READER,
    ollama.READER,
    bedrock.CONVERSE,
    bedrock.IMPORTED,
    bedrock.COHERE,
    anthropic.READER,
    langchain.READER,
    bare.CHOICE,
    bare.ENTRIES,
)


def reader_of(raw: Json) -> Reader | None:
    """The first reader that recognises the format of `raw`, or None."""
    return next((reader for reader in READERS if reader.recognises(raw)), None)
