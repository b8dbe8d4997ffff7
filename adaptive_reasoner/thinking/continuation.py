"""What a thought that was cut off leaves to continue, and the answer that comes of both calls."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, UsageMetadata
from langchain_core.messages.ai import add_usage
from langchain_core.outputs import ChatGeneration

from adaptive_reasoner.thinking.written import split_thoughts

# The sentence that Qwen3 learnt to answer after, whatever the thought had come to.
CLOSING = "Considering the limited time by the user, I have to give the solution based on the thinking directly now."

# Where a server cannot go on from the middle of an answer, the thought is handed over in the conversation.
HANDED_OVER = "Stop thinking here: time is up. Give the final answer now, directly, from the thinking above."


@dataclass(frozen=True, slots=True)
class Continuation:
    """A first call that was cut off.

    Attributes:
        thoughts: as far as they came.
        answer: what was answered already, "" if the cut fell into the thoughts.
        was_closed: True if the thoughts had ended by themselves.
        usage: of the first call; None where the server reports none.
        logprobs: of the first call's tokens; empty where there are none.
    """

    thoughts: str
    answer: str
    was_closed: bool
    usage: UsageMetadata | None
    logprobs: list[Any]

    @property
    def prefix(self) -> AIMessage:
        """The message that the second call continues."""
        thoughts = self.thoughts.strip("\n")
        closed = thoughts if self.was_closed else f"{thoughts}\n\n{CLOSING}"
        return AIMessage(f"<think>\n{closed}\n</think>\n\n{self.answer}")

    def handed_over(self) -> "Continuation":
        """The same without what was answered: the second call answers anew, from the thoughts."""
        return replace(self, answer="", was_closed=False)

    @property
    def request(self) -> list[BaseMessage]:
        """The messages that hand the thoughts over."""
        return [AIMessage(self.thoughts.strip()), HumanMessage(HANDED_OVER)]

    @property
    def used_tokens(self) -> int:
        """Output tokens of the first call, 0 where that is unknown."""
        return self.usage["output_tokens"] if self.usage else 0

    def beginning(self) -> AIMessage:
        """The first call's part of the answer: thoughts, what was answered, what it took."""
        entries = self.logprobs if self.was_closed else []
        return AIMessage(
            self.answer,
            additional_kwargs={"reasoning_content": self.thoughts},
            usage_metadata=self._counted(),
            response_metadata={"logprobs": {"content": entries}} if entries else {},
        )

    def _counted(self) -> UsageMetadata | None:
        """All that was generated before the cut was thought, where the server does not count it itself."""
        if (
            self.usage is None
            or self.was_closed
            or (self.usage.get("output_token_details") or {}).get("reasoning")
        ):
            return self.usage
        return {**self.usage, "output_token_details": {"reasoning": self.usage["output_tokens"]}}


def continuation_of(first: ChatGeneration) -> Continuation | None:
    """What is left to do after the first call; None: it came to its end."""
    message, said = cast("AIMessage", first.message), said_of(first)
    if said.get("finish_reason") != "length" or message.tool_calls:
        return None
    text = str(message.text)
    kept = str(message.additional_kwargs.get("reasoning_content") or "")
    thoughts, answer = (kept, text) if kept else split_thoughts(text, is_open=True)
    return Continuation(
        thoughts=thoughts,
        answer=answer or "",
        was_closed=bool(answer) if kept else answer is not None,
        usage=message.usage_metadata,
        logprobs=_entries(said),
    )


def joined(first: Continuation, generation: ChatGeneration) -> AIMessage:
    """The whole answer; a server that repeats what it continues, or takes an answer for a thought, is understood."""
    beginning, second = first.beginning(), cast("AIMessage", generation.message)
    text = str(second.text) or str(second.additional_kwargs.get("reasoning_content") or "")
    text = text.removeprefix(str(first.prefix.text))
    metadata = said_of(generation)
    if entries := [*_entries(beginning.response_metadata), *_entries(metadata)]:
        metadata["logprobs"] = {**(metadata.get("logprobs") or {}), "content": entries}
    usage = None
    if beginning.usage_metadata and second.usage_metadata:
        usage = add_usage(beginning.usage_metadata, second.usage_metadata)
    changed = {
        "content": first.answer + text,
        "additional_kwargs": {**second.additional_kwargs, **beginning.additional_kwargs},
        "response_metadata": metadata,
        "usage_metadata": usage,
    }
    return second.model_copy(update=changed)


def said_of(generation: ChatGeneration) -> dict[str, Any]:
    """What a call said beside its message, which LangChain adds to the message only afterwards."""
    return {**(generation.generation_info or {}), **generation.message.response_metadata}


def _entries(metadata: Mapping[str, Any]) -> list[Any]:
    logprobs: Any = metadata.get("logprobs")
    return list(logprobs.get("content") or []) if isinstance(logprobs, dict) else []  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
