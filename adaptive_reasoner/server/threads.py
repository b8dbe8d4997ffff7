"""Conversations that the server keeps: LangGraph's checkpointer, one step a turn.

What is kept is a state of the loop's own graph, so any program with the same checkpointer and graph reads it.
"""

# LangGraph leaves the type arguments of its savers open.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

import uuid
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from langchain_core.messages import AIMessage, BaseMessage, SystemMessage
from langchain_core.runnables import RunnableConfig

from adaptive_reasoner.graph import build_reasoning_graph
from adaptive_reasoner.models import ModelSpec
from adaptive_reasoner.server.checkpointers import Checkpointer
from adaptive_reasoner.server.errors import ThreadBusyError, ThreadStoreError
from adaptive_reasoner.server.questions import Answer

_LOGPROBS = ("logprobs", "reasoning_logprobs")
_TURN_KEY = "turn_key"


class ThreadLocks(Protocol):
    """One turn of a thread at a time."""

    def hold(self, key: str) -> Any:
        """An async context in which nobody else holds `key`; `ThreadBusyError` where somebody does."""
        ...


class LocksInMemory:
    """Locks of one process."""

    def __init__(self) -> None:
        self._held: set[str] = set()

    @asynccontextmanager
    async def hold(self, key: str) -> AsyncGenerator[None]:
        """See `ThreadLocks`."""
        if key in self._held:
            raise busy()
        self._held.add(key)
        try:
            yield
        finally:
            self._held.discard(key)


@dataclass(frozen=True, slots=True)
class Kept:
    """A thread as it was read.

    Attributes:
        messages: all of them.
        version: changes with every turn, None where there is no thread.
    """

    messages: list[BaseMessage]
    version: str | None


@dataclass(frozen=True, slots=True)
class Turn:
    """What is added to a thread.

    Attributes:
        asked: the new messages.
        answer: the answer to them.
        turn_key: by which `answered_before` finds it, None: it cannot be found.
    """

    asked: Sequence[BaseMessage]
    answer: Answer
    turn_key: str | None = None


class ThreadStore:
    """Reads threads and adds turns to them.

    Args:
        checkpointer: where they are kept.
        model: a model of the graph whose state is kept; it is never called here.
        locks: keep two requests from adding to one thread at once.
    """

    def __init__(
        self, checkpointer: Checkpointer, model: ModelSpec, locks: ThreadLocks | None = None
    ) -> None:
        self._saver, self._errors = checkpointer.saver, checkpointer.errors
        self._writing = checkpointer.writing or _alone
        self.locks = locks or LocksInMemory()
        # LangGraph's types are too wide for pyright to see through.
        self._graph: Any = build_reasoning_graph(model, checkpointer=self._saver)

    async def read(self, key: str) -> "Kept":
        """The thread as it is now, without messages where there is no such thread."""
        with self.reaching():
            state = await self._graph.aget_state(_config(key))
        version = (state.config.get("configurable") or {}).get("checkpoint_id")
        return Kept(list(state.values.get("messages", ())), version)

    async def messages(self, key: str) -> list[BaseMessage]:
        """The thread's messages, none where there is no such thread."""
        return (await self.read(key)).messages

    async def add(self, key: str, turn: "Turn", version: str | None) -> None:
        """Keep one turn, its question and its answer together.

        Raises:
            ThreadBusyError: another process has added a turn since the thread was read; nothing is written.
        """
        mark = {} if turn.turn_key is None else {_TURN_KEY: turn.turn_key}
        messages = [*map(_named, turn.asked), _named(_light(turn.answer.message, mark))]
        update = {"messages": messages, "reasoning": turn.answer.report, "candidates": []}
        with self.reaching():
            async with self._writing(key):
                if (await self.read(key)).version != version:
                    raise busy()
                await self._graph.aupdate_state(_config(key), update, as_node="hand_off")

    async def problem(self) -> str | None:
        """What is wrong with the store, None where nothing is."""
        try:
            await self.messages("readiness")
        except ThreadStoreError as error:
            return str(error)
        return None

    async def delete(self, key: str) -> None:
        """Forget a thread."""
        with self.reaching():
            await self._saver.adelete_thread(key)

    @contextmanager
    def reaching(self) -> Generator[None]:
        """Whatever the database raises, as one error."""
        try:
            yield
        except self._errors as error:
            raise ThreadStoreError(
                f"The store of threads cannot be reached ({type(error).__name__}); try again in a moment.",
                retry_after_seconds=1,
            ) from error


def new_messages(kept: Sequence[BaseMessage], sent: Sequence[BaseMessage]) -> list[BaseMessage]:
    """What of a request is new to its thread.

    A client may send the new turn alone or the whole conversation: where the request begins with the whole thread, the
    rest is new. Instructions that the thread begins with are not repeated.
    """
    if not kept:
        return list(sent)
    if len(sent) > len(kept) and all(map(_is_same, kept, sent)):
        return list(sent[len(kept) :])
    known = [message for message in kept if isinstance(message, SystemMessage)]
    return [
        message
        for message in sent
        if not (isinstance(message, SystemMessage) and any(_is_same(one, message) for one in known))
    ]


def answered_before(kept: Sequence[BaseMessage], turn_key: str | None) -> Answer | None:
    """The answer that the thread holds for this very request: its server died before the client had it."""
    for message in kept if turn_key is not None else ():
        if isinstance(message, AIMessage) and message.response_metadata.get(_TURN_KEY) == turn_key:
            return Answer(message, message.response_metadata["adaptive_reasoning"])
    return None


def busy() -> ThreadBusyError:
    """Somebody else's turn of the thread is under way."""
    return ThreadBusyError(
        "Another request of this thread is being answered; send the next one after it.", retry_after_seconds=1
    )


def _is_same(kept: BaseMessage, sent: BaseMessage) -> bool:
    if kept.type != sent.type:
        return False
    if isinstance(kept, AIMessage) and isinstance(sent, AIMessage) and (kept.tool_calls or sent.tool_calls):
        return [call["id"] for call in kept.tool_calls] == [call["id"] for call in sent.tool_calls]
    return str(kept.text).strip() == str(sent.text).strip()


@asynccontextmanager
async def _alone(_key: str) -> AsyncGenerator[None]:
    """One process has the threads, and holds the thread's lock."""
    yield


def _config(key: str) -> RunnableConfig:
    return {"configurable": {"thread_id": key}}


def _named(message: BaseMessage) -> BaseMessage:
    """Under an id of its own: LangGraph keeps one message an id."""
    return message.model_copy(update={"id": str(uuid.uuid4())})


def _light(message: AIMessage, mark: dict[str, str]) -> AIMessage:
    """Marked, and without log probabilities: one or two kilobytes a token, which nobody reads again."""
    metadata = {key: value for key, value in message.response_metadata.items() if key not in _LOGPROBS}
    return message.model_copy(update={"response_metadata": {**metadata, **mark}})
