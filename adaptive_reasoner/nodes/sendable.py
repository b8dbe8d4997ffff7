"""The thread as a model may see it.

A turn that was cut short leaves its traces in the thread: a blank question that was refused, or a call of tools
whose process was killed before they ran. Providers refuse both, which would end the conversation for good.
"""

from collections.abc import Sequence

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage


def sendable(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """`messages` without blank questions and without tool calls that were never answered in full."""
    answered = {message.tool_call_id for message in messages if isinstance(message, ToolMessage)}
    dropped = {
        call["id"]
        for message in messages
        if isinstance(message, AIMessage) and not _ids(message) <= answered
        for call in message.tool_calls
    }
    return [message for message in messages if not _is_blank(message) and not _ids(message) & dropped]


def _ids(message: BaseMessage) -> set[str | None]:
    """The tool calls that the message makes or answers."""
    if isinstance(message, AIMessage):
        return {call["id"] for call in message.tool_calls}
    return {message.tool_call_id} if isinstance(message, ToolMessage) else set()


def _is_blank(message: BaseMessage) -> bool:
    content = message.content
    return isinstance(message, HumanMessage) and isinstance(content, str) and not content.strip()
