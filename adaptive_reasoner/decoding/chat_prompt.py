"""A conversation as a local model's prompt."""

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import BaseMessage, convert_to_openai_messages

from adaptive_reasoner.decoding.local_model import LocalModel
from adaptive_reasoner.errors import ConfigurationError, ContextWindowExceededError, InvalidInputError


def prompt_ids(local: LocalModel, messages: Sequence[BaseMessage], *, is_thinking: bool) -> list[int]:
    """Token ids of `messages`, ready for the answer.

    Args:
        local: whose chat template is used; models without one read the messages' texts, a blank line between two.
        messages: the conversation, in text.
        is_thinking: given to the template as `enable_thinking` and `thinking`, the names that templates know.

    Raises:
        ConfigurationError: the template refuses the conversation.
        ContextWindowExceededError: it is longer than the model can read.
        InvalidInputError: it holds something else than text, or nothing.
    """
    turns = [{"role": _role(message), "content": _text(message)} for message in messages]
    if getattr(local.tokenizer, "chat_template", None):
        ids = _templated(local.tokenizer, turns, is_thinking=is_thinking)
    else:
        ids = local.tokenizer("\n\n".join(turn["content"] for turn in turns))["input_ids"]
    if not ids:
        raise InvalidInputError("There is nothing to answer: the prompt is empty.")
    if local.context is not None and len(ids) >= local.context:
        raise ContextWindowExceededError(
            f"The prompt has {len(ids)} tokens, and the model reads {local.context} with its answer; shorten it."
        )
    return list(ids)


def _templated(tokenizer: Any, turns: list[dict[str, str]], *, is_thinking: bool) -> list[int]:
    from jinja2 import TemplateError

    try:
        text = tokenizer.apply_chat_template(
            turns,
            tokenize=False,
            add_generation_prompt=True,
            enable_thinking=is_thinking,
            thinking=is_thinking,
        )
    except TemplateError as error:
        raise ConfigurationError(f"The model's chat template refuses this conversation: {error}") from error
    # A template writes its own beginning mark.
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def _role(message: BaseMessage) -> str:
    converted: Any = convert_to_openai_messages(message)
    return str(converted["role"])


def _text(message: BaseMessage) -> str:
    if not isinstance(message.content, str) and any(
        not isinstance(block, str) and block.get("type") not in {"text", "reasoning"}
        for block in message.content
    ):
        raise InvalidInputError("Local models read text only; leave images, sound and files out.")
    return str(message.text)
