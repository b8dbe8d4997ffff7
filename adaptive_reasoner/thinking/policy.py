"""What becomes of thoughts and rationales: kept, redacted or dropped, at the one place where answers come in.

A thought that its provider signed or encrypted is refused there if it was altered, so it is kept whole or dropped
whole. While a call of tools waits for its result, the provider wants it back, and it stays.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from langchain_core.messages import AIMessage

from adaptive_reasoner.config import Thoughts
from adaptive_reasoner.uncertainty.rationale_text import RATIONALE

REDACTED = "[redacted]"
THOUGHT_FIELDS = ("reasoning_content", "reasoning", "reasoning_details", RATIONALE)  # of additional_kwargs
_THOUGHT_BLOCKS = frozenset({"thinking", "redacted_thinking", "reasoning", "reasoning_content"})
_SEALS = ("signature", "thought_signature", "encrypted_content", "data")
_TEXTS = ("thinking", "reasoning", "text", "reasoning_content", "summary", "content")

Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ThoughtPolicy:
    """How the words of a thought are changed.

    Attributes:
        name: stands in traces and in cache keys.
        words: from what was thought to what may be seen of it, "" for nothing; None: all of it.
        drops_sealed: thoughts that cannot be read are dropped as well.
    """

    name: str
    words: Callable[[str], str] | None = None
    drops_sealed: bool = False

    def applied(self, message: AIMessage, *, is_open: bool | None = None) -> AIMessage:
        """`message` with its thoughts and its rationale as the policy wants them; the same where nothing changes.

        Args:
            message: thoughts in its text were moved beside it already.
            is_open: its call of tools waits for the result; None: as it does where it calls any.
        """
        if self.words is None:
            return message
        is_open = bool(message.tool_calls) if is_open is None else is_open
        given: list[Any] = [] if isinstance(message.content, str) else message.content
        content = [kept for block in given if (kept := self._block(block, is_open=is_open)) is not None]
        fields: dict[str, Any] = {}
        for name, value in message.additional_kwargs.items():
            kept = self._value(value, is_open=is_open) if name in THOUGHT_FIELDS else value
            if kept or name not in THOUGHT_FIELDS:
                fields[name] = kept
        changed: dict[str, Any] = {"additional_kwargs": fields}
        if not isinstance(message.content, str):
            changed["content"] = content
        return message.model_copy(update=changed)

    def _block(self, block: Any, *, is_open: bool) -> Any:
        """The block as it may stay, None if it goes."""
        return self._value(block, is_open=is_open) or None if is_thought(block) else block

    def _value(self, value: Any, *, is_open: bool) -> Any:
        """A thought in any of the shapes that providers use; empty if it goes."""
        if isinstance(value, str):
            return self._read(value)
        if isinstance(value, list):
            parts = [self._value(part, is_open=is_open) for part in cast("list[Any]", value)]
            return [part for part in parts if part]
        if not isinstance(value, dict):
            return None
        block = cast("Block", value)
        if not _is_sealed(block):
            return self._changed(block, is_open=is_open)
        if is_open:
            return block
        is_legible = any(block.get(name) for name in _TEXTS)
        same = self._changed(block, is_open=is_open) == block if is_legible else not self.drops_sealed
        return block if same else None

    def _changed(self, block: Block, *, is_open: bool) -> Block | None:
        """An unsigned block with other words; None where nothing of them is left."""
        named = [name for name in _TEXTS if name in block]
        texts = {name: self._value(block[name], is_open=is_open) for name in named}
        return {**block, **texts} if any(texts.values()) else None

    def _read(self, text: str) -> str:
        return self.words(text) if self.words and text else text


KEEP = ThoughtPolicy("keep")


def policy_of(setting: Thoughts) -> ThoughtPolicy:
    """The policy that `ReasonerConfig.thoughts` stands for."""
    if setting == "keep":
        return KEEP
    if setting == "drop":
        return ThoughtPolicy("drop", lambda _text: "", drops_sealed=True)
    if setting == "redact":
        return ThoughtPolicy("redact", lambda _text: REDACTED)
    if callable(setting):
        return ThoughtPolicy(f"custom {id(setting):x}", setting)
    patterns = [re.compile(pattern) for pattern in setting]
    return ThoughtPolicy(f"redact {json.dumps(setting)}", partial(_redacted, patterns))


def is_thought(block: Any) -> bool:
    """True for a content block that holds a thought, in LangChain's shape or a provider's."""
    return isinstance(block, dict) and cast("Block", block).get("type") in _THOUGHT_BLOCKS


def thoughts_first(message: AIMessage) -> AIMessage:
    """`message` with thoughts that came last in a stream where providers want them back: before all else."""
    content: Any = message.content
    if isinstance(content, str):
        return message
    blocks = cast("list[Any]", content)
    in_order = sorted(blocks, key=lambda block: not is_thought(block))
    return message if in_order == blocks else message.model_copy(update={"content": in_order})


def _redacted(patterns: Sequence[re.Pattern[str]], text: str) -> str:
    for pattern in patterns:
        text = pattern.sub(REDACTED, text)
    return text


def _is_sealed(block: Mapping[str, Any]) -> bool:
    inner = [block, block.get("extras"), block.get("reasoning_content")]
    maps = [cast("Mapping[str, Any]", one) for one in inner if isinstance(one, Mapping)]
    return any(one.get(seal) for one in maps for seal in _SEALS)
