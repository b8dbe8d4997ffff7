"""What a model thought, wherever its provider puts it, as LangChain's standard reasoning blocks."""

from collections.abc import Mapping
from typing import Any, cast

from langchain_core.messages import AIMessage
from langchain_core.messages.content import ReasoningContentBlock, create_reasoning_block

from adaptive_reasoner.thinking.written import holds_own_thoughts, split_thoughts

_FIELDS = ("reasoning_content", "reasoning")  # vLLM renamed the first into the second


def thoughts_of(message: AIMessage) -> list[ReasoningContentBlock]:
    """The thoughts in `message`, in order; empty where none are shown.

    They are looked for in the content blocks, then in `additional_kwargs` (DeepSeek, Ollama, and vLLM through
    `keep_thoughts`), then in the text itself (`<think>`, `[THINK]`, Granite's words, gpt-oss's channels). The first
    place that has any counts. Encrypted and redacted thoughts cannot be read and are left out.
    """
    return sent_thoughts(message) or _as_blocks(split_thoughts(str(message.text))[0])


def sent_thoughts(message: AIMessage) -> list[ReasoningContentBlock]:
    """The thoughts that the provider sent beside the text; good for the chunks of a stream, too."""
    return _in_blocks(message) or _in_fields(message)


def thought_text(message: AIMessage) -> str:
    """All thoughts in `message` as one text, "" where none are shown."""
    return "\n".join(block.get("reasoning", "") for block in thoughts_of(message))


def with_thoughts_apart(message: AIMessage) -> AIMessage:
    """`message` with its thoughts as reasoning blocks before its text, which no longer holds them.

    A message whose content is blocks already stays as it is: its provider wants them back unchanged.
    """
    thoughts = thoughts_of(message)
    if not thoughts or not isinstance(message.content, str):
        return message
    _, answer = split_thoughts(message.content)
    texts = [{"type": "text", "text": answer}] if answer else []
    kept = {name: value for name, value in message.additional_kwargs.items() if name not in _FIELDS}
    return message.model_copy(update={"content": [*thoughts, *texts], "additional_kwargs": kept})


def with_thoughts_beside(message: AIMessage, *, is_opened: bool = False) -> AIMessage:
    """`message` with thoughts that its text began with in `additional_kwargs`, where every provider ignores them.

    Only spellings that models use of their own accord count: `<reasoning>` may be a form that the caller asked for.
    Of a text that ends inside its thoughts nothing is left: there is no answer.

    Args:
        message: an answer.
        is_opened: the prompt may have opened the thoughts, so that any closing mark ends them.
    """
    text = message.content
    if not isinstance(text, str):
        return message
    ends_only = is_opened and "</think>" in text and not sent_thoughts(message)
    if not ends_only and not holds_own_thoughts(text):
        return message
    thoughts, answer = split_thoughts(text, is_open=ends_only)
    kept = {_FIELDS[0]: thoughts} if thoughts else {}
    changed = {"content": answer or "", "additional_kwargs": {**message.additional_kwargs, **kept}}
    return message.model_copy(update=changed)


def _in_blocks(message: AIMessage) -> list[ReasoningContentBlock]:
    if isinstance(message.content, str):
        return []
    found: list[ReasoningContentBlock] = []
    for block in message.content_blocks:
        if block["type"] == "reasoning" and block.get("reasoning"):
            found.append(block)
        elif block["type"] == "non_standard":  # of a provider whose package is not installed
            found += _as_blocks(_raw_thought(block["value"]))
    return found


def _raw_thought(block: Mapping[str, Any]) -> str:
    """Anthropic and Gemini write a thought as text, Mistral as a list of texts."""
    thought = block.get("thinking") if block.get("type") == "thinking" else None
    if isinstance(thought, list):
        parts = cast("list[dict[str, Any]]", thought)
        return "".join(str(part.get("text", "")) for part in parts)
    return thought if isinstance(thought, str) else ""


def _in_fields(message: AIMessage) -> list[ReasoningContentBlock]:
    for name in _FIELDS:
        thought = message.additional_kwargs.get(name)
        if isinstance(thought, str) and thought:
            return _as_blocks(thought)
    return []


def _as_blocks(thought: str) -> list[ReasoningContentBlock]:
    return [create_reasoning_block(reasoning=thought)] if thought else []
