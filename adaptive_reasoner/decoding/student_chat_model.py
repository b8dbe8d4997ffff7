"""`StudentChatModel`: a student that `train distill` taught both orders, as a LangChain chat model."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from langchain_core.messages import BaseMessage, HumanMessage
from pydantic import PrivateAttr
from typing_extensions import override

from adaptive_reasoner.decoding.call_wishes import CALL_FIELDS, resolve_wishes
from adaptive_reasoner.decoding.chat_prompt import prompt_ids
from adaptive_reasoner.decoding.local_chat_model import LocalChatModel, MessageContent
from adaptive_reasoner.decoding.local_model import LocalModel
from adaptive_reasoner.decoding.order_texts import Order, tag_ids
from adaptive_reasoner.decoding.parted_thought import LabelledToken, Part, part_thought
from adaptive_reasoner.decoding.student_perception import OrderChooser, StudentDescription
from adaptive_reasoner.decoding.token_entries import choice_logprobs
from adaptive_reasoner.decoding.writing import Writing
from adaptive_reasoner.decoding.written_text import WrittenToken
from adaptive_reasoner.errors import InvalidInputError

_PARTS: tuple[Part, ...] = ("reasoning", "text")
StudentThinking = Literal["auto", "off", "on", "answer_first"] | dict[str, int]


class StudentChatModel(LocalChatModel):
    """Answers first where its perception says that this is good enough, and thinks first elsewhere.

    Thoughts come as `reasoning` content blocks before a `text` block, their log probabilities under
    `response_metadata["reasoning_logprobs"]`; `response_metadata["order"]` tells the order.

    Attributes:
        model: the folder that `adaptive-reasoner train distill --model …` wrote.
        thinking: "auto", by perception; "on", think first; "off", the answer alone; "answer_first", the answer and
            then its rationale; {"budget_tokens": n} closes a thought.

    Raises:
        ConfigurationError: as `LocalChatModel`; the folder holds no student.
    """

    thinking: StudentThinking = "auto"  # pyright: ignore[reportIncompatibleVariableOverride]

    _about: StudentDescription | None = PrivateAttr(default=None)
    _chooser: OrderChooser | None = PrivateAttr(default=None)

    @property
    @override
    def obeys_thinking(self) -> bool:
        """True: both orders were learned as modes."""
        return True

    @override
    def _check(self) -> None:
        super()._check()
        self._about = StudentDescription.read(Path(self.model))

    def describe(self) -> StudentDescription:
        """What the folder says of the student."""
        return self._about or StudentDescription.read(Path(self.model))

    @override
    def load(self) -> LocalModel:
        """The model, its tokenizer and its perception, loaded once."""
        with self._lock:
            local = super().load()
            if self._chooser is None:
                self._chooser = OrderChooser(local.model, local.tokenizer, self.describe(), Path(self.model))
            return local

    @override
    def _writing(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
    ) -> Writing:
        local, about = self.load(), self.describe()
        prompt = _prompt_ids(local, messages)
        asked, told = self._asked(prompt, kwargs)
        wishes = resolve_wishes({name: getattr(self, name) for name in CALL_FIELDS} | asked, stop, told)
        order: Order = "think_first" if wishes.is_thinking else "answer_first"
        if len(about.orders) == 1:
            order = about.orders[0]
        whole = [*prompt, *tag_ids(local.tokenizer, about.texts, order)]
        options = wishes.writing(local.context, len(whole))
        if order == "answer_first" and self._wish(kwargs) != "answer_first":
            options = replace(options, stop=(*options.stop, about.texts.because))
        return Writing(local, None, whole, options)

    def _wish(self, kwargs: Mapping[str, Any]) -> Any:
        return self.thinking if kwargs.get("thinking") is None else kwargs["thinking"]

    def _asked(
        self, prompt: Sequence[int], kwargs: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Field and arguments in which "auto" is replaced by what perception chose."""
        told = dict(kwargs)
        has_effort = told.get("reasoning_effort") is not None and told.get("thinking") is None
        if self._wish(kwargs) != "auto" or has_effort:
            return ({"thinking": "off"} if self.thinking == "auto" else {}), told
        told.pop("thinking", None)
        order = self._choose(prompt)[0]
        return {"thinking": "on" if order == "think_first" else "off"}, told

    def _choose(self, prompt: Sequence[int]) -> tuple[Order, float | None]:
        return self._chooser.choose(prompt) if self._chooser else ("think_first", None)

    def _thinks(self, writing: Writing) -> bool:
        mark = tag_ids(writing.target.tokenizer, self.describe().texts, "think_first")
        return writing.prompt[-len(mark) :] == mark

    @override
    def _parts(self, writing: Writing) -> Iterator[LabelledToken]:
        if not self._thinks(writing):
            return super()._parts(writing)
        return part_thought(writing.tokens(), self.describe().texts.think_end)

    @override
    def _content(self, writing: Writing, parts: Sequence[LabelledToken]) -> MessageContent:
        """A thinking answer's parts as blocks; that of the text stands even where there is none."""
        if not self._thinks(writing):
            return super()._content(writing, parts)
        texts = {kind: "".join(token.text for part, token in parts if part == kind) for kind in _PARTS}
        return [{"type": kind, kind: text} for kind, text in texts.items() if text or kind == "text"]

    @override
    def _piece(self, writing: Writing, kind: Part, token: WrittenToken) -> MessageContent:
        if not self._thinks(writing):
            return super()._piece(writing, kind, token)
        return [{"type": kind, kind: token.text, "index": _PARTS.index(kind)}]

    @override
    def _metadata(self, writing: Writing, parts: Sequence[LabelledToken]) -> dict[str, Any]:
        told = super()._metadata(writing, parts)
        thought = [token for kind, token in parts if kind == "reasoning"]
        if thought and "logprobs" in told:
            told["reasoning_logprobs"] = choice_logprobs(thought)
        return {**told, "order": "think_first" if self._thinks(writing) else "answer_first"}


def _prompt_ids(local: LocalModel, messages: Sequence[BaseMessage]) -> list[int]:
    """The whole conversation where the student has a template, else the newest question: as it was trained.

    A template gets no switch for thinking, as in training: some write an empty thought where it is off.

    Raises:
        InvalidInputError: nobody asked anything.
    """
    newest = next((message for message in reversed(messages) if isinstance(message, HumanMessage)), None)
    if newest is None:
        raise InvalidInputError("There is no question to answer: give a human message.")
    if not getattr(local.tokenizer, "chat_template", None):
        return prompt_ids(local, [HumanMessage(f"{newest.text}\n")], is_thinking=False)
    prompt_ids(local, messages, is_thinking=False)  # refuses what the student cannot read
    turns = [
        {"role": "assistant" if message.type == "ai" else message.type.replace("human", "user"),
         "content": str(message.text)}
        for message in messages
    ]  # fmt: skip
    text = local.tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
    return list(local.tokenizer.encode(text, add_special_tokens=False))
