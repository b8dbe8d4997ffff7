"""Replay: the real graph over recorded answers."""

# LangGraph leaves some of its type arguments open.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from langchain_core.messages import AIMessage, HumanMessage

from adaptive_reasoner.config import Gate, ReasonerConfig
from adaptive_reasoner.errors import InvalidInputError
from adaptive_reasoner.graph import build_reasoning_graph
from adaptive_reasoner.recorded import RecordedChatModel
from adaptive_reasoner.state import ReasoningReport, Usage
from adaptive_reasoner.traces.recordings import Record, RecordedPair

_PROGRESS_EVERY = 100


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the graph made of one question.

    Attributes:
        correct: of the answer that was handed on.
        thought: whether the deep model was asked.
        kept_fast: whether the fast answer was handed on although the deep model was asked.
        is_sure: whether the gate accepted the answer, rather than handing it on as unsure.
        risk: of the fast answer; None where it is not known.
        fast_usage, deep_usage: of the calls that were made, summed.
    """

    correct: bool
    thought: bool
    kept_fast: bool
    is_sure: bool
    risk: float | None
    fast_usage: Usage
    deep_usage: Usage


def replay(
    pairs: Sequence[RecordedPair],
    gate: Gate | None,
    *,
    config: ReasonerConfig | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[Replayed]:
    """Run each question through the graph, in their order, without refining (a recording holds no refined answers).

    Args:
        pairs: each with its deep answer.
        gate: judges the answers; None takes what the graph would take.
        config: triage, allocation and the like; None: triage off and nothing else.
        progress: is told now and then how many are done.

    Raises:
        InvalidInputError: a deep answer is missing.
    """
    graph = build_reasoning_graph(
        RecordedChatModel([_named(pair.fast, index) for index, pair in enumerate(pairs)]),
        RecordedChatModel([_named(_deep(pair), index) for index, pair in enumerate(pairs)]),
        config=replace(
            config or ReasonerConfig(triage="off"), gate=gate, max_refinements=0, model_timeout_seconds=None
        ),
    )
    replayed: list[Replayed] = []
    for index, pair in enumerate(pairs):
        result = graph.invoke({"messages": [HumanMessage(pair.question, id=f"replay-{index}")]})
        replayed.append(_outcome(result["messages"][-1], result["reasoning"]))
        if progress and ((index + 1) % _PROGRESS_EVERY == 0 or index + 1 == len(pairs)):
            progress(index + 1)
    return replayed


def _named(record: Record, index: int) -> Record:
    """Under an id of its own: a recording may hold the same question twice, with different answers."""
    return {**record, "id": f"replay-{index}"}


def _deep(pair: RecordedPair) -> Record:
    if pair.deep is None:
        raise InvalidInputError(f"No deep answer is recorded to {pair.question[:80]!r}.")
    return pair.deep


def _outcome(message: AIMessage, report: ReasoningReport) -> Replayed:
    rounds = report["rounds"]
    thought = any(one["node"] == "deep_think" for one in rounds)
    accepted = rounds[report["accepted_round"]]["node"]
    fast = next((one for one in rounds if one["node"] == "fast_answer"), None)
    return Replayed(
        correct=bool(message.response_metadata["recorded"]["correct"]),
        thought=thought,
        kept_fast=thought and accepted == "fast_answer",
        is_sure=rounds[-1]["verdict"] == "accept",
        risk=fast["signal"]["risk"] if fast else None,
        fast_usage=fast["usage"] if fast else _nothing(),
        deep_usage=rounds[-1]["usage"] if thought else _nothing(),
    )


def _nothing() -> Usage:
    return {"input_tokens": 0, "output_tokens": 0, "reasoning_tokens": 0, "total_tokens": 0, "cost_usd": 0.0}
