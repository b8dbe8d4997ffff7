"""From LangChain messages to the short dialogue that the embedded model was trained on.

It reads the newest question and at most one exchange before it; system and tool messages are left out,
because it never saw any and would only be confused.
"""

from collections.abc import Sequence
from typing import Any, cast

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from adaptive_reasoner.embedded.dialogue import ANSWER_PREFIX, REFINE_REQUEST_ENDING, Turn, render_prompt
from adaptive_reasoner.embedded.generation import MIN_NEW_TOKENS
from adaptive_reasoner.embedded.plain_writing import as_learned
from adaptive_reasoner.errors import ContextWindowExceededError, InvalidInputError

_LONGEST_TOKEN = 16  # bytes; a text beyond context * this cannot fit and need not be tokenised
_UNREADABLE = ("image", "image_url", "audio", "input_audio", "video", "file")


def read_prompt(messages: Sequence[BaseMessage], context: int) -> tuple[list[int], bool]:
    """Render a conversation.

    Args:
        messages: what the caller gave.
        context: tokens that the model can read.

    Returns:
        Prompt ids without a mode token, and whether the newest turn asks to refine the answer before it.

    Raises:
        ContextWindowExceededError: the newest turn is too long by itself.
        InvalidInputError: the newest turn holds something other than text.
    """
    turns = _merge_neighbours([_turn(message) for message in messages if _is_readable(message)])
    if not turns or turns[-1][0] != "user":
        turns.append(("user", ""))
    is_refine = len(turns) > 1 and _is_refine_request(turns[-1][1])
    kept = _refine_turns(turns) if is_refine else turns[-3:]
    room = context - MIN_NEW_TOKENS - 1  # the mode token
    while True:
        prompt = _render_within(kept, room)
        if prompt is not None:
            return prompt, is_refine and len(kept) > 1
        if len(kept) == 1:
            raise ContextWindowExceededError(
                f"The question is longer than the {room} tokens that the embedded model reads. "
                "Shorten it, or use a model with a longer context."
            )
        kept = kept[-1:]


def _render_within(turns: Sequence[Turn], room: int) -> list[int] | None:
    if sum(len(text) for _, text in turns) > room * _LONGEST_TOKEN:
        return None
    prompt = render_prompt(turns)
    return prompt if len(prompt) <= room else None


def _is_readable(message: BaseMessage) -> bool:
    return isinstance(message, HumanMessage) or (
        isinstance(message, AIMessage) and bool(message.text.strip())
    )


def _turn(message: BaseMessage) -> Turn:
    if isinstance(message, HumanMessage):
        _refuse_unreadable(message)
        return ("user", as_learned(message.text))
    text = message.text
    answer = text.find(ANSWER_PREFIX)
    # Of an answer with its rationale, only the answer is in the format of earlier turns.
    return ("assistant", text[answer:].split("\n", 1)[0] if answer >= 0 else text)


def _refuse_unreadable(message: HumanMessage) -> None:
    if isinstance(message.content, str):
        return
    kinds = {
        str(cast("dict[str, Any]", block).get("type")) for block in message.content if isinstance(block, dict)
    }
    found = sorted(kinds.intersection(_UNREADABLE))
    if found:
        raise InvalidInputError(
            f"The embedded model reads text only, but the message holds: {', '.join(found)}. "
            "Send the question as text, or use a model that accepts these."
        )


def _merge_neighbours(turns: Sequence[Turn]) -> list[Turn]:
    merged: list[Turn] = []
    for role, text in turns:
        if merged and merged[-1][0] == role:
            merged[-1] = (role, f"{merged[-1][1]} {text}".strip())
        else:
            merged.append((role, text))
    return merged


def _is_refine_request(text: str) -> bool:
    return text.rstrip().endswith(REFINE_REQUEST_ENDING)


def _refine_turns(turns: Sequence[Turn]) -> list[Turn]:
    """The question, the newest answer to it and the request, without earlier rounds of refining."""
    questions = [turn for turn in turns if turn[0] == "user" and not _is_refine_request(turn[1])]
    return [*questions[-1:], turns[-2], ("user", _bare_request(turns[-1][1]))]


def _bare_request(text: str) -> str:
    """The request as trained; what larger models are told before it is cut off."""
    start = text.rfind("Unsure:")
    return text[start:] if start >= 0 else REFINE_REQUEST_ENDING
