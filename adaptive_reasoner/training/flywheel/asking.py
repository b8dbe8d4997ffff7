"""Asks the real graph questions whose right answers are known, and keeps its runs as a store would."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage

from adaptive_reasoner.config import Decision, Gate, ReasonerConfig, Situation
from adaptive_reasoner.graph import build_reasoning_graph
from adaptive_reasoner.state import DifficultyEstimator, RunRecord, Signal
from adaptive_reasoner.traces.labels import LabelledRun, label_runs
from adaptive_reasoner.traces.monitoring import has_thought
from adaptive_reasoner.training.flywheel.known import KnownQuestion
from adaptive_reasoner.training.flywheel.policy import Outcomes

_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class System:
    """What answers: models, and what decides between them.

    Attributes:
        fast: answers first.
        deep: thinks; None: the fast one, with thinking switched on.
        gate: decides what happens to an answer.
        triage: decides where a question begins; None: every one starts fast.
    """

    fast: BaseChatModel
    deep: BaseChatModel | None
    gate: Gate
    triage: DifficultyEstimator | None = None


class AlwaysThinks:
    """A gate that has every fast answer thought through, so that both answers of a question are seen."""

    def decide(self, signal: Signal, situation: Situation) -> Decision:  # noqa: ARG002 - the signal changes nothing
        """Escalate while that is possible."""
        if situation.can_escalate:
            return Decision("escalate", "both answers are wanted", None)
        return Decision("accept", "both answers were given", None)


def ask(system: System, questions: Sequence[KnownQuestion]) -> list[LabelledRun]:
    """Let the graph answer each question, with the settings that it has where none are given.

    Returns:
        One labelled run a question, in their order. A call that failed has no right answer.
    """
    kept = _Kept()
    graph: Any = build_reasoning_graph(
        system.fast,
        system.deep,
        config=ReasonerConfig(gate=system.gate, triage=system.triage or "off"),
        recorder=kept,
    )
    given = [{"messages": [HumanMessage(one.question)]} for one in questions]
    states: list[Any] = graph.batch(given, config={"max_concurrency": _AT_ONCE})
    names = [str(state["reasoning"]["run_id"]) for state in states]
    labels: list[Any] = [
        {"run_id": name, "answer": one.right} for name, one in zip(names, questions, strict=True)
    ]
    return label_runs([kept.records[name] for name in names], labels)


def outcomes_seen(runs: Sequence[LabelledRun]) -> Outcomes:
    """What became of each run; nothing of it is estimated."""
    rows = [
        (not run.correct, run.record["report"]["usage"]["total_tokens"], has_thought(run)) for run in runs
    ]
    wrong, tokens, thinks = np.array(rows, dtype=np.float64).reshape(len(rows), 3).T
    return Outcomes(wrong, tokens, thinks, np.zeros(len(rows)))


@dataclass(slots=True)
class _Kept:
    """A recorder that keeps runs in memory, by their ids."""

    records: dict[str, RunRecord] = field(default_factory=dict[str, RunRecord])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def record(self, record: dict[str, Any]) -> None:
        with self._lock:
            self.records[record["run_id"]] = cast("RunRecord", record)
