"""Which tool calls began again after a person's answer: what the claims of one process cannot tell another.

A tool that pauses by itself (`interrupt`) runs anew once it is answered, in whatever process. Each such run leaves a
mark in the checkpointer before it begins, and another where it ends by itself: a run that began and did not end was
broken off in the middle, and is not repeated. The marks stand beside the pending writes of the checkpoint that the
call belongs to, under task ids of their own, which LangGraph passes over.
"""

# LangGraph leaves the type arguments of its savers open.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from dataclasses import dataclass
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
from langgraph.constants import CONFIG_KEY_CHECKPOINTER

_CHANNEL = "adaptive_reasoner_tool"
_INTERRUPT = "__interrupt__"  # LangGraph's channel for what a task waits for


@dataclass(frozen=True, slots=True)
class AnsweredRuns:
    """The marks of one tool call's task.

    Attributes:
        saver: the run's checkpointer.
        config: the checkpoint that the task belongs to.
        task_id: LangGraph's, the same in whatever process.
    """

    saver: BaseCheckpointSaver[Any]
    config: RunnableConfig
    task_id: str

    def begin(self, is_claimed: bool) -> bool:
        """May the call run? Marks its beginning if it paused before; `is_claimed` decides if it never did."""
        found = self.saver.get_tuple(self.config)
        if not self._has_paused(found):
            return is_claimed
        if (marks := self._marks(found)) % 2:
            return False
        self.saver.put_writes(self.config, [(_CHANNEL, "began")], self._place(marks))
        return True

    async def abegin(self, is_claimed: bool) -> bool:
        """The same without blocking the event loop."""
        found = await self.saver.aget_tuple(self.config)
        if not self._has_paused(found):
            return is_claimed
        if (marks := self._marks(found)) % 2:
            return False
        await self.saver.aput_writes(self.config, [(_CHANNEL, "began")], self._place(marks))
        return True

    def end(self) -> None:
        """Mark that a run that began ended by itself, and may be begun again."""
        if (marks := self._marks(self.saver.get_tuple(self.config))) % 2:
            self.saver.put_writes(self.config, [(_CHANNEL, "ended")], self._place(marks))

    async def aend(self) -> None:
        """The same without blocking the event loop."""
        if (marks := self._marks(await self.saver.aget_tuple(self.config))) % 2:
            await self.saver.aput_writes(self.config, [(_CHANNEL, "ended")], self._place(marks))

    def _has_paused(self, found: CheckpointTuple | None) -> bool:
        """True if this very task waited for a person; an answer may be meant for one beside it."""
        return any(task == self.task_id and channel == _INTERRUPT for task, channel, _ in _writes_of(found))

    def _marks(self, found: CheckpointTuple | None) -> int:
        """How many there are; "began" and "ended" alternate."""
        mine = f"{self.task_id}:"
        return sum(channel == _CHANNEL and task.startswith(mine) for task, channel, _ in _writes_of(found))

    def _place(self, marks: int) -> str:
        return f"{self.task_id}:{marks}"


def _writes_of(found: CheckpointTuple | None) -> list[Any]:
    return list((found.pending_writes if found else None) or ())


def answered_runs(request: Any) -> AnsweredRuns | None:
    """The marks of a tool's request that a person's answer waits for; None where it waits for none.

    LangGraph keeps the answers, and the checkpointer, in the run's config.
    """
    configurable: dict[str, Any] = request.runtime.config.get("configurable") or {}
    answers, saver = configurable.get("__pregel_scratchpad"), configurable.get(CONFIG_KEY_CHECKPOINTER)
    if answers is None or not (answers.resume or answers.get_null_resume() is not None):
        return None
    info = request.runtime.execution_info
    if not isinstance(saver, BaseCheckpointSaver) or info is None:
        return None
    namespace = str(configurable.get("checkpoint_ns", "")).rpartition("|")[0]
    config: RunnableConfig = {
        "configurable": {
            "thread_id": info.thread_id,
            "checkpoint_ns": namespace,
            "checkpoint_id": info.checkpoint_id,
        }
    }
    return AnsweredRuns(saver, config, info.task_id)
