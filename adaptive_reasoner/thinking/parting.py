"""Answers as they leave the model's call: thoughts and rationale beside the text, as the policy wants them.

The same for a whole message and for a stream, so that no stream shows what the message will not hold.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk

from adaptive_reasoner.thinking.facts import is_named
from adaptive_reasoner.thinking.policy import KEEP, THOUGHT_FIELDS, ThoughtPolicy, is_thought
from adaptive_reasoner.thinking.thought_stream import Part, ThoughtStream
from adaptive_reasoner.thinking.thought_tokens import visible_tokens
from adaptive_reasoner.thinking.thoughts import thought_text, with_thoughts_beside
from adaptive_reasoner.uncertainty.rationale_text import RATIONALE, split_rationale

# Chat templates that open the thought themselves, so that the text holds its end only.
_OPENED = r"qwq|qwen-?3.*thinking|deepseek-?r1"
_FIELD_OF: dict[Part, str] = {"thought": "reasoning_content", "rationale": RATIONALE}


@dataclass(frozen=True, slots=True)
class Parting:
    """How the answers of one call are taken apart.

    Attributes:
        policy: what becomes of thoughts and rationale.
        has_rationale: the model was asked for one after its answer.
        is_opened: the prompt may have opened the thought.
    """

    policy: ThoughtPolicy = KEEP
    has_rationale: bool = False
    is_opened: bool = False

    def whole(self, generation: ChatGeneration) -> ChatGeneration:
        """A finished answer."""
        given = cast("AIMessage", generation.message)
        message = with_thoughts_beside(given, is_opened=self.is_opened)
        thoughts = thought_text(message) if self.policy.words else ""
        rationale = ""
        if self.has_rationale:
            message, rationale = _with_rationale_beside(message)
        shown = self.policy.applied(message)
        info = generation.generation_info or {}
        seen: dict[str, Any] = {"text": str(shown.text), "rationale": rationale, "thoughts": thoughts}
        metadata = visible_tokens(shown.response_metadata, policy=self.policy, **seen)
        clean = visible_tokens(info, policy=self.policy, **seen)
        if shown is given and metadata is shown.response_metadata and clean is info:
            return generation
        shown = shown.model_copy(update={"response_metadata": metadata})
        return ChatGeneration(message=shown, generation_info=clean or None)

    def stream(self) -> "PartedStream":
        """For an answer that comes in chunks."""
        return PartedStream(self)


class PartedStream:
    """Takes a stream's chunks, gives them with every part in its place.

    Under a policy that hides thoughts they are collected, and what may be seen of them comes at the end: a signed
    thought can be judged only when it is whole.
    """

    def __init__(self, parting: Parting) -> None:
        self._parting = parting
        self._hides = parting.policy.words is not None
        self._parts = ThoughtStream(has_rationale=parting.has_rationale, is_opened=parting.is_opened)
        self._has_begun = False
        self._text_block: dict[str, Any] | None = None  # the newest, where content comes in blocks
        self._hidden: AIMessageChunk | None = None
        self._calls_tools = False
        self._seen: dict[Part, str] = {"thought": "", "answer": "", "rationale": ""}

    def feed(self, chunk: ChatGenerationChunk) -> ChatGenerationChunk:
        """The chunk as it may be shown; its text may come with a later one."""
        message = cast("AIMessageChunk", chunk.message)
        self._calls_tools = self._calls_tools or bool(message.tool_call_chunks)
        message = self._parted(message)
        if self._hides:
            message = self._hiding(message)
        if message is chunk.message:
            return chunk
        return ChatGenerationChunk(message=message, generation_info=chunk.generation_info)

    def rest(self) -> Iterator[ChatGenerationChunk]:
        """What was held back."""
        empty: Any = [] if self._text_block else ""
        held = self._placed(list(self._parts.finish()), AIMessageChunk(content=empty))
        if held.content or held.additional_kwargs:
            yield ChatGenerationChunk(message=self._hiding(held) if self._hides else held)
        if self._hidden is None:
            return
        shown = self._parting.policy.applied(self._hidden, is_open=self._calls_tools)
        if shown.content or shown.additional_kwargs:
            yield ChatGenerationChunk(message=cast("AIMessageChunk", shown))

    def visible(self, metadata: dict[str, Any]) -> dict[str, Any]:
        """The last chunk's metadata, without the log probabilities of what is not shown."""
        return visible_tokens(
            metadata,
            text=self._seen["answer"],
            rationale=self._seen["rationale"].strip(),
            thoughts=self._seen["thought"],
            policy=self._parting.policy,
        )

    def _parted(self, message: AIMessageChunk) -> AIMessageChunk:
        """Text goes through the parts; thoughts that come beside it show that it holds none itself."""
        content = message.content
        if self._notes_thoughts(message) and not self._has_begun:
            self._parts = ThoughtStream(has_rationale=self._parting.has_rationale)
        if not isinstance(content, str) and not self._parting.has_rationale:
            self._seen["answer"] += str(message.text)
            return message
        text = str(message.text)
        if not text:
            return message
        self._has_begun = True
        pieces = list(self._parts.add(text))
        if pieces == [("answer", text)]:
            self._seen["answer"] += text
            return message
        return self._placed(pieces, message)

    def _placed(self, pieces: list[tuple[Part, str]], message: AIMessageChunk) -> AIMessageChunk:
        """The chunk with each piece where it belongs."""
        fields, answer = dict(message.additional_kwargs), ""
        for part, piece in pieces:
            self._seen[part] += piece
            if part == "answer":
                answer += piece
            else:
                fields[_FIELD_OF[part]] = fields.get(_FIELD_OF[part], "") + piece
        content = answer if isinstance(message.content, str) else self._in_blocks(message.content, answer)
        return message.model_copy(update={"content": content, "additional_kwargs": fields})

    def _in_blocks(self, content: list[Any], answer: str) -> list[Any]:
        """The blocks that are no text, and the answer's piece in a block like the text's own."""
        others = [block for block in content if not _is_text(block)]
        self._text_block = next((block for block in content if _is_text(block)), self._text_block)
        return [*others, {**(self._text_block or {"type": "text"}), "text": answer}] if answer else others

    def _notes_thoughts(self, message: AIMessageChunk) -> bool:
        """True if thoughts came beside the text; kept in mind where a policy must find their tokens."""
        content: list[Any] = [] if isinstance(message.content, str) else message.content
        has_any = any(name in message.additional_kwargs for name in THOUGHT_FIELDS) or any(
            map(is_thought, content)
        )
        if has_any and self._hides:
            self._seen["thought"] += thought_text(message)
        return has_any

    def _hiding(self, message: AIMessageChunk) -> AIMessageChunk:
        """The chunk without its thoughts, which are kept back."""
        fields = message.additional_kwargs
        hidden = {name: fields[name] for name in THOUGHT_FIELDS if name in fields}
        content: list[Any] = [] if isinstance(message.content, str) else message.content
        blocks = [block for block in content if is_thought(block)]
        if not hidden and not blocks:
            return message
        mine = AIMessageChunk(content=blocks or "", additional_kwargs=hidden)
        self._hidden = mine if self._hidden is None else self._hidden + mine
        shown = {name: value for name, value in fields.items() if name not in hidden}
        others = [block for block in content if not is_thought(block)]
        update: dict[str, Any] = {"additional_kwargs": shown}
        if not isinstance(message.content, str):
            update["content"] = others
        return message.model_copy(update=update)


def parting_for(model: BaseChatModel, policy: ThoughtPolicy, *, has_rationale: bool = False) -> Parting:
    """How the answers of `model` are taken apart."""
    return Parting(policy, has_rationale, is_opened=is_named(model, _OPENED))


def _with_rationale_beside(message: AIMessage) -> tuple[AIMessage, str]:
    """The rationale out of the text; and what it says."""
    content = message.content
    blocks = cast("list[Any]", content)
    texts = [content] if isinstance(content, str) else [b["text"] if _is_text(b) else "" for b in blocks]
    answers, rationale = list[str](), ""
    for text in texts:
        answer, found = ("", text) if rationale else split_rationale(text)
        answers.append(answer)
        rationale = f"{rationale}{found}" if found else rationale
    if not rationale:
        return message, ""
    update: dict[str, Any] = {"additional_kwargs": {**message.additional_kwargs, RATIONALE: rationale}}
    pairs = zip(blocks, answers, strict=False)
    update["content"] = (
        answers[0]
        if isinstance(content, str)
        else [{**block, "text": answer} if _is_text(block) else block for block, answer in pairs]
    )
    return message.model_copy(update=update), rationale


def _is_text(block: Any) -> bool:
    return isinstance(block, dict) and cast("dict[str, Any]", block).get("type") == "text"
