"""The graph's run as one chat model's stream: drafts as thoughts while they come, then the answer.

Whoever joins the pieces of a stream keeps thoughts apart from text, so that a draft never stands before the answer.
"""

import asyncio
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping
from contextlib import aclosing, closing
from functools import partial
from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk

from adaptive_reasoner.integrations.chat_model_answer import chunks_of
from adaptive_reasoner.integrations.chat_model_call import RunManager, inside
from adaptive_reasoner.state import MODE_OF_NODE
from adaptive_reasoner.thinking import sent_thoughts

Part = Mapping[str, Any]

# How the graph is asked to stream.
_STREAMING: dict[str, Any] = {"stream_mode": ["messages", "custom", "values"], "version": "v2"}
# What holds thoughts beside the content.
_THOUGHT_FIELDS = ("reasoning_content", "reasoning")
# Between a draft that was taken back and what follows it.
_RESTART = "\n\n"


class DraftsAsThoughts:
    """One run as a stream: first drafts and thoughts as they come, then the answer in `output`.

    Args:
        graph: the compiled graph; LangGraph's types are too wide to write down.
        given: the messages.
        call: config and context of the run.
    """

    def __init__(self, graph: Any, given: list[BaseMessage], call: dict[str, Any]) -> None:
        self._start = partial(graph.stream, {"messages": given}, **call, **_STREAMING)
        self._astart = partial(graph.astream, {"messages": given}, **call, **_STREAMING)
        self.output: Mapping[str, Any] = {}

    def chunks(self, run_manager: RunManager | None) -> Generator[ChatGenerationChunk]:
        """Drafts and thoughts."""
        with inside(run_manager) as context, closing(context.run(self._start)) as parts:
            while (part := context.run(next, parts, None)) is not None:
                if chunk := self._chunk_of(part):
                    yield ChatGenerationChunk(message=chunk)

    async def achunks(self, run_manager: RunManager | None) -> AsyncGenerator[ChatGenerationChunk]:
        """The same without blocking the event loop."""

        async def next_part() -> Part | None:
            return await anext(parts, None)

        with inside(run_manager) as context:
            async with aclosing(context.run(self._astart)) as parts:
                while (part := await asyncio.create_task(next_part(), context=context)) is not None:
                    if chunk := self._chunk_of(part):
                        yield ChatGenerationChunk(message=chunk)

    def _chunk_of(self, part: Part) -> AIMessageChunk | None:
        """What to show of one part: a piece of a draft or of a thought, or nothing."""
        kind, data = part["type"], part["data"]
        if kind == "values":
            self.output = data
        elif kind == "custom" and isinstance(data, dict):
            event = cast("dict[str, Any]", data).get("event")
            return _thought(_RESTART) if event == "restart" else None
        elif kind == "messages":
            return _piece(*data)
        return None


def answer_chunks(answer: AIMessage) -> Iterator[ChatGenerationChunk]:
    """The answer in pieces that come after its thoughts, which were shown as they came.

    A thought that its provider signed stays in its place all the same: the provider wants it back.
    """
    content: Any = answer.content
    given = [{"type": "text", "text": content}] if isinstance(content, str) and content else content
    kept = [block for block in given if not _was_shown(block)]
    blocks = [{**one, "index": place + 1} if isinstance(one, dict) else one for place, one in enumerate(kept)]
    fields = {name: value for name, value in answer.additional_kwargs.items() if name not in _THOUGHT_FIELDS}
    answer = answer.model_copy(update={"content": blocks, "additional_kwargs": fields})
    return (ChatGenerationChunk(message=chunk) for chunk in chunks_of(answer))


def _piece(message: Any, metadata: Mapping[str, Any]) -> AIMessageChunk | None:
    if metadata.get("langgraph_node") not in MODE_OF_NODE or not isinstance(message, AIMessageChunk):
        return None
    thoughts = "".join(block.get("reasoning", "") for block in sent_thoughts(message))
    return _thought(thoughts + str(message.text))


def _thought(words: str) -> AIMessageChunk | None:
    if not words:
        return None
    return AIMessageChunk(content=[{"type": "reasoning", "reasoning": words, "index": 0}])


def _was_shown(block: Any) -> bool:
    return (
        isinstance(block, dict)
        and block.keys() <= {"type", "reasoning", "index", "id"}
        and "reasoning" in block
    )
