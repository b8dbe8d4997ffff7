"""A whole message as the one chunk of a stream."""

from langchain_core.messages import AIMessage, AIMessageChunk


def as_chunk(message: AIMessage) -> AIMessageChunk:
    """Turn a whole message, which models without streaming yield, into a chunk."""
    return AIMessageChunk(
        content=message.content,
        additional_kwargs=message.additional_kwargs,
        response_metadata=message.response_metadata,
        usage_metadata=message.usage_metadata,
        tool_calls=message.tool_calls,
    )
