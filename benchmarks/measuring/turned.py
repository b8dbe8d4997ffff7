"""One turn of the flywheel, and what it is worth on fresh problems: models, gates and triages side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from measuring.prepared import PreparedChatModel, prepare

from adaptive_reasoner import ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.embedded.chat_model import EmbeddedChatModel
from adaptive_reasoner.embedded.problems import Problem
from adaptive_reasoner.embedded.runtime import Runtime
from adaptive_reasoner.embedded.student import read_student
from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.gate.shipped import profile_for
from adaptive_reasoner.thinking.switch import EMBEDDED_MODEL_NAME
from adaptive_reasoner.traces.labels import agrees
from adaptive_reasoner.traces.runs import load_runs
from adaptive_reasoner.traces.store.trace_store import TraceStore
from adaptive_reasoner.training.flywheel.policy import Policy
from adaptive_reasoner.training.flywheel.turn import Turn, TurnConfig, current_policy, turn
from adaptive_reasoner.training.triage.scoring import Floats, draw_counts, interval
from adaptive_reasoner.triage.linear import LinearEstimator
from adaptive_reasoner.triage.shipped import shipped_estimator

BY_LOT = 0.05
SAVED = ("error", "tokens", "thinking")
_RESAMPLES = 1000
Asked = tuple[float, float, float]  # wrong, tokens, thinks


@dataclass(frozen=True, slots=True)
class Setting:
    """A system in plain JSON, for another process.

    Attributes:
        student: folder of weights; None: the shipped model.
        gate, triage: None: what ships; a triage of {} is none at all.
    """

    student: Path | None = None
    gate: dict[str, Any] | None = None
    triage: dict[str, Any] | None = None


def setting_of(policy: Policy, shipped: Sequence[str], student: Path | None = None) -> Setting:
    """What is in use after a turn that shipped these parts."""
    triage = policy.triage.to_json() if isinstance(policy.triage, LinearEstimator) else {}
    return Setting(
        student,
        policy.gate.to_json() if "gate" in shipped else None,
        triage if "triage" in shipped else None,
    )


def config_of(setting: Setting, **more: Any) -> ReasonerConfig:
    """The graph's settings; but for gate and triage, those that it has where none are given."""
    gate, triage = setting.gate, setting.triage
    estimator = (
        shipped_estimator("embedded")
        if triage is None
        else LinearEstimator.from_json(triage)
        if triage
        else None
    )
    return ReasonerConfig(
        gate=profile_for(EMBEDDED_MODEL_NAME) if gate is None else GateProfile.from_json(gate),
        triage=estimator or "off",
        **more,
    )


class Bench:
    """Answers to some problems, prepared once for each model, and graphs over them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = problems
        self._models: dict[Path | None, tuple[PreparedChatModel, PreparedChatModel]] = {}

    def models(self, student: Path | None) -> tuple[PreparedChatModel, PreparedChatModel]:
        """The fast and the deep model; requests to refine go to the live one."""
        if student not in self._models:
            live = read_student(student) if student else EmbeddedChatModel()
            runtime: Runtime | None = live.runtime
            self._models[student] = tuple(
                PreparedChatModel(prepare(self.problems, mode, runtime), live) for mode in ("fast", "deep")
            )  # type: ignore[assignment]
        return self._models[student]

    def graph(self, setting: Setting, recorder: Any = None, **more: Any) -> Any:
        """The graph of a setting."""
        fast, deep = self.models(setting.student)
        return build_reasoning_graph(fast, deep, config=config_of(setting, **more), recorder=recorder)


def record_shard(url: str, labelled: float, task: tuple[int, Sequence[Problem]]) -> int:
    """Ask the problems through the graph into the store, and label a random share of the runs."""
    number, problems = task
    rng = Random(f"labels:{number}")
    with TraceStore(url) as store:
        graph = Bench(problems).graph(Setting(), store, least_thinking_share=BY_LOT)
        for problem in problems:
            state = graph.invoke({"messages": [("user", problem.question)]})
            if rng.random() < labelled:
                store.record({"run_id": state["reasoning"]["run_id"], "answer": str(problem.answer)})
    return len(problems)


def ask_shard(settings: Sequence[Setting], problems: Sequence[Problem]) -> list[list[Asked]]:
    """Each problem under each setting."""
    bench = Bench(problems)
    graphs = [bench.graph(one) for one in settings]
    return [[asked(graph, problem) for graph in graphs] for problem in problems]


def asked(graph: Any, problem: Problem) -> Asked:
    """Whether the answer is wrong, its tokens, and whether the deep model was asked."""
    state = graph.invoke({"messages": [("user", problem.question)]})
    report, answer = state["reasoning"], str(state["messages"][-1].text)
    thought = any(one["node"] == "deep_think" for one in report["rounds"])
    return (
        float(not agrees(answer, str(problem.answer))),
        float(report["usage"]["total_tokens"]),
        float(thought),
    )


def live_differs(problems: Sequence[Problem], setting: Setting) -> int:
    """How many problems come out otherwise where the live model answers, token by token."""
    live = read_student(setting.student) if setting.student else EmbeddedChatModel()
    graphs = Bench(problems).graph(setting), build_reasoning_graph(live, config=config_of(setting))
    return sum(asked(graphs[0], one) != asked(graphs[1], one) for one in problems)


def one_turn(url: str, seed: int) -> tuple[Turn, Setting]:
    """Refit gate and triage to the store, and say what is used from then on."""
    runs = load_runs(url).runs
    found = turn(runs, current_policy(runs), TurnConfig(seed=seed))
    return found, setting_of(found.policy, found.shipped)


def measure(table: Floats, names: Sequence[str], seed: int) -> dict[str, Any]:
    """Figures of each setting and its change against the first; `table` has the shape (n, settings, 3)."""
    counts = draw_counts(len(table), _RESAMPLES, seed)
    made: dict[str, Any] = {"questions": len(table)}
    for column, name in enumerate(names):
        made[name] = _figures(table[:, column], counts)
        if column:
            made[name]["change"] = _figures(table[:, column] - table[:, 0], counts)
    return made


def _figures(rows: Floats, counts: Floats) -> dict[str, Any]:
    return {
        figure: {
            "mean": float(rows[:, index].mean()),
            "interval": interval(counts @ rows[:, index] / len(rows)),
        }
        for index, figure in enumerate(SAVED)
    }


def as_table(asked_rows: Sequence[Sequence[Asked]]) -> Floats:
    """Shape (n, settings, 3)."""
    return np.array(asked_rows, dtype=np.float64)
