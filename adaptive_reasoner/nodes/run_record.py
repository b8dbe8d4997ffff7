"""What a run leaves with a recorder, and what becomes of the run if the recorder fails."""

import copy
import json
import logging
import uuid
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, cast

from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableConfig

from adaptive_reasoner.nodes.call_settings import CallSettings
from adaptive_reasoner.nodes.isolated import run_isolated
from adaptive_reasoner.state import ReasoningReport, ReasoningState, Recorder, RunRecord
from adaptive_reasoner.thinking.thoughts import thought_text

_LOG = logging.getLogger(__name__)
_NAMESPACE = uuid.UUID("6a1d3c52-3f0e-5b7e-9a55-6d1f5c0b7a10")
# A recorder that hangs must not keep the answer waiting for ever.
_TIMEOUT_SECONDS = 30.0


def run_record(
    state: ReasoningState,
    answer: str,
    report: ReasoningReport,
    config: RunnableConfig,
    settings: CallSettings,
) -> RunRecord:
    """The run as plain JSON.

    Args:
        state: the turn as hand_off got it.
        answer: the text that is handed on.
        report: as it is handed on with the answer.
        config: of the run; names its thread.
        settings: of the call; name the tenant and the seed.
    """
    question = next((m for m in reversed(state["messages"]) if isinstance(m, HumanMessage)), None)
    judged = state["candidates"][: len(report["rounds"])]  # a person's edit is one more
    record: RunRecord = {
        "run_id": run_id(state, config),
        "recorded_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "question": str(question.text) if question else "",
        "answer": answer,
        "answers": [str(message.text) for message in judged],
        "models": [model_name_in(message) for message in judged],
        "report": copy.deepcopy(report),
        "thread_id": thread_id_in(config),
        "tenant": settings.tenant,
        "version": _package_version(),
    }
    thoughts = [thought_text(message) for message in judged]
    if any(thoughts):  # as ReasonerConfig.thoughts left them
        record["thoughts"] = thoughts
    if isinstance(seed := settings.model_kwargs.get("seed"), int):
        record["seed"] = seed
    return record


def run_id(state: ReasoningState, config: RunnableConfig) -> str:
    """The same for the same turn, however often it is resumed: its calls' ids are in every checkpoint."""
    calls = [message.id for message in state["candidates"]]
    named = json.dumps([thread_id_in(config), state["turn"]["started_at"], calls])
    return str(uuid.uuid5(_NAMESPACE, named))


def keep(recorder: Recorder, record: RunRecord) -> str | None:
    """Give `record` to the recorder; why it was not kept, or None.

    The recorder is somebody else's code and may raise anything: the answer is paid for and goes on.
    """
    kept = run_isolated(lambda: recorder.record(cast("dict[str, Any]", record)), _TIMEOUT_SECONDS)
    if not isinstance(kept, Exception):
        return None
    if isinstance(kept, TimeoutError):
        problem = f"failed: the recorder did not end within {_TIMEOUT_SECONDS:g} seconds"
    else:
        problem = f"failed: {type(kept).__name__}: {kept}"
    _LOG.warning("Run %s was not recorded, its answer was handed on: %s", record["run_id"], problem)
    return problem


def thread_id_in(config: RunnableConfig) -> str | None:
    """The thread's id as text; None outside of threads."""
    thread = (config.get("configurable") or {}).get("thread_id")
    return None if thread is None else str(thread)


def model_name_in(message: AIMessage) -> str:
    """Who gave an answer, as it says itself; "" where it does not."""
    metadata: dict[str, Any] = message.response_metadata
    return str(metadata.get("model_name") or metadata.get("model") or "")


@cache
def _package_version() -> str:
    try:
        return version("adaptive-reasoner")
    except PackageNotFoundError:  # run from a folder that was not installed
        return ""
