"""Passes a stream's chunks on as they come, and keeps their log probabilities for the last one.

It also watches them, where a rule is given: a stream that is bound to be escalated is cut (`gate.early_cut`).
"""

from collections.abc import Callable, Iterator
from typing import Any

from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk

from adaptive_reasoner.gate.early_cut import StreamWatch
from adaptive_reasoner.state import Cut
from adaptive_reasoner.thinking.parting import PartedStream
from adaptive_reasoner.uncertainty.entries import read_entries

Metadata = dict[str, Any]

# Under which the last chunk of a stream that was cut says so.
EARLY_CUT = "early_cut"
# What a chunk may say without being held back: providers say it on every chunk.
_ON_EVERY_CHUNK = frozenset({"model_provider", "output_version"})


class StreamCollector:
    """Holds back only what may be the last chunk, so that the first token reaches the user at once.

    Args:
        complete: adds to the last chunk what LangChain left out.
        parts: puts thoughts and rationale in their place.
        watch: looks at the log probabilities; None: nobody does.
    """

    def __init__(
        self,
        complete: Callable[[BaseMessage], None],
        parts: PartedStream,
        watch: StreamWatch | None = None,
    ) -> None:
        self._complete = complete
        self._parts = parts
        self._watch = watch
        self._held: ChatGenerationChunk | None = None
        self._has_any = self._has_blocks = False
        self._content: list[Metadata] = []
        self._extra: Metadata = {}
        self._cut: Cut | None = None

    def take(self, chunk: ChatGenerationChunk) -> Iterator[ChatGenerationChunk]:
        """What can be passed on, now that `chunk` has come."""
        self._collect(chunk.generation_info)
        self._collect(chunk.message.response_metadata)
        self._has_any, self._has_blocks = True, isinstance(chunk.message.content, list)
        if self._held is not None:
            yield self._held
        parted, self._held = self._parts.feed(chunk), None
        if _is_plain(parted):
            yield parted
        else:
            self._held = parted

    def cut_due(self) -> int | None:
        """After how many tokens the stream should be cut now; None: go on."""
        return self._cut["after_tokens"] if self._cut else None

    def let_go_on(self) -> None:
        """Nothing could follow a cut: the stream comes to its end, whatever it says."""
        self._cut = self._watch = None

    def last(self, model_name: str = "") -> Iterator[ChatGenerationChunk]:
        """The last chunk, with everything that was collected.

        Args:
            model_name: what a stream that was cut could not say itself any more.
        """
        if not self._has_any:
            return
        nothing: Any = [] if self._has_blocks else ""
        last = self._held or ChatGenerationChunk(message=AIMessageChunk(content=nothing))
        for chunk in self._parts.rest():
            last += chunk
        if self._content or self._extra:
            last.message.response_metadata["logprobs"] = {**self._extra, "content": self._content or None}
        self._complete(last.message)
        metadata = last.message.response_metadata
        metadata.update(self._parts.visible(metadata))
        if self._cut is not None:
            metadata[EARLY_CUT] = dict(self._cut)
            metadata.setdefault("model_name", model_name)
        if self._held or metadata or last.message.content or last.message.additional_kwargs:
            yield last

    def _collect(self, metadata: Metadata | None) -> None:
        logprobs = metadata.pop("logprobs", None) if metadata else None
        if isinstance(logprobs, dict):
            self._content += logprobs.get("content") or []  # pyright: ignore[reportUnknownMemberType]
            self._extra |= {key: value for key, value in logprobs.items() if key != "content"}  # pyright: ignore[reportUnknownVariableType]
            if self._watch is not None and self._cut is None:
                self._cut = self._watch.sees(read_entries(logprobs)[0])


def _is_plain(chunk: ChatGenerationChunk) -> bool:
    """True if a chunk says nothing that only the last one should say: v3 events keep the last one's metadata."""
    message = chunk.message
    if not isinstance(message, AIMessageChunk) or message.chunk_position or message.usage_metadata:
        return False
    return not chunk.generation_info and _ON_EVERY_CHUNK.issuperset(message.response_metadata)
