"""One turn of the flywheel on a shifted distribution: problems in other words, or questions outside the model's world.

    python benchmarks/flywheel.py --traffic 1500 --labelled 0.8 --questions 1000 --shift words --seed 0 --processes 3

Traffic: 70 % of the questions shifted, through the real graph with what ships (without refining), kept in a trace
store; for a random share a checker stands in for the person who writes the right answer down. One turn refits gate
and triage to these runs and judges them on held-out ones. Then, on fresh problems that no run holds, the graph
before and the graph after: shifted ones, and those the model was trained on (what was known must not be
forgotten). The embedded model answers in batches, both ways beforehand. Intervals: 95 %, bootstrap over questions;
changes are paired.
"""

import argparse
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from measuring.prepared import PreparedChatModel, prepare
from measuring.report import print_table, provenance, write_json
from measuring.shifted import draw_traffic

from adaptive_reasoner import ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.embedded.problems import Problem
from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.gate.shipped import profile_for
from adaptive_reasoner.thinking.switch import EMBEDDED_MODEL_NAME
from adaptive_reasoner.traces.labels import agrees
from adaptive_reasoner.traces.runs import load_runs
from adaptive_reasoner.traces.store.trace_store import TraceStore
from adaptive_reasoner.training.flywheel.turn import Step, Turn, TurnConfig, current_policy, turn
from adaptive_reasoner.training.triage.scoring import Floats, draw_counts, interval
from adaptive_reasoner.triage.linear import LinearEstimator
from adaptive_reasoner.triage.shipped import shipped_estimator

SHIFTED_SHARE = 0.7
BY_LOT = 0.05
_RESAMPLES = 1000
_SHARDS = 6
_SHIFTS = {"words": "other words", "outside": "outside"}
_SAVED = ("error", "tokens", "thinking")
Profiles = tuple[dict[str, Any] | None, dict[str, Any] | None]


def config_of(profiles: Profiles, **more: Any) -> ReasonerConfig:
    """The graph's settings with these profiles; None: what ships."""
    gate, triage = profiles
    return ReasonerConfig(
        gate=profile_for(EMBEDDED_MODEL_NAME) if gate is None else GateProfile.from_json(gate),
        triage=shipped_estimator("embedded") if triage is None else LinearEstimator.from_json(triage),
        max_refinements=0,
        **more,
    )


def graphs_of(
    problems: Sequence[Problem], configs: Sequence[ReasonerConfig], recorder: Any = None
) -> list[Any]:
    """A graph for each setting, over the same prepared answers."""
    fast, deep = (PreparedChatModel(prepare(problems, mode)) for mode in ("fast", "deep"))
    return [build_reasoning_graph(fast, deep, config=one, recorder=recorder) for one in configs]


def record_shard(url: str, labelled: float, task: tuple[int, Sequence[Problem]]) -> int:
    """Ask the problems through the graph into the store, and label a random share of the runs."""
    number, problems = task
    rng = Random(f"labels:{number}")
    with TraceStore(url) as store:
        [graph] = graphs_of(problems, [config_of((None, None), least_thinking_share=BY_LOT)], store)
        for problem in problems:
            state = graph.invoke({"messages": [("user", problem.question)]})
            if rng.random() < labelled:
                store.record({"run_id": state["reasoning"]["run_id"], "answer": str(problem.answer)})
    return len(problems)


def ask_shard(
    profiles: Sequence[Profiles], problems: Sequence[Problem]
) -> list[list[tuple[float, float, float]]]:
    """For each problem and each pair of profiles: whether the answer is wrong, its tokens, whether it thought."""
    graphs = graphs_of(problems, [config_of(one) for one in profiles])
    return [[_asked(graph, problem) for graph in graphs] for problem in problems]


def _asked(graph: Any, problem: Problem) -> tuple[float, float, float]:
    state = graph.invoke({"messages": [("user", problem.question)]})
    report, answer = state["reasoning"], str(state["messages"][-1].text)
    thought = any(one["node"] == "deep_think" for one in report["rounds"])
    return float(not agrees(answer, str(problem.answer))), report["usage"]["total_tokens"], float(thought)


def shards(problems: Sequence[Problem]) -> list[Sequence[Problem]]:
    size = -(-len(problems) // _SHARDS)
    return [problems[start : start + size] for start in range(0, len(problems), size)]


def measure(table: Floats, seed: int) -> dict[str, Any]:
    """Figures before, after and their change; `table` has the shape (n, 2, 3)."""
    counts = draw_counts(len(table), _RESAMPLES, seed)
    views = {"before": table[:, 0], "after": table[:, 1], "change": table[:, 1] - table[:, 0]}
    return {"questions": len(table)} | {
        name: {
            figure: {"mean": float(rows[:, column].mean()),
                     "interval": interval(counts @ rows[:, column] / len(rows))}
            for column, figure in enumerate(_SAVED)
        }
        for name, rows in views.items()
    }  # fmt: skip


def step_of(step: Step) -> dict[str, Any]:
    return {
        "part": step.part,
        "refused": step.refused,
        "held_out": step.compared and step.compared.to_json(),
    }


def one_turn(url: str, seed: int) -> tuple[Turn, Profiles]:
    """The turn, and what is used from then on."""
    runs = load_runs(url).runs
    found = turn(runs, current_policy(runs), TurnConfig(seed=seed))
    estimator = found.policy.triage
    new_triage = estimator.to_json() if isinstance(estimator, LinearEstimator) else None
    shipped = found.shipped
    return found, (
        found.policy.gate.to_json() if "gate" in shipped else None,
        new_triage if "triage" in shipped else None,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traffic", type=int, default=1500, help="recorded runs")
    parser.add_argument("--labelled", type=float, default=0.8, help="share that a person labels")
    parser.add_argument("--questions", type=int, default=1000, help="fresh problems of each distribution")
    parser.add_argument("--shift", choices=("words", "outside"), default="words")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=3)
    given = parser.parse_args()
    traffic = draw_traffic("calibration", given.traffic, given.seed, SHIFTED_SHARE, given.shift)
    fresh = {
        _SHIFTS[given.shift]: draw_traffic("test", given.questions, given.seed + 1, 1.0, given.shift),
        "known words": draw_traffic("test", given.questions, given.seed + 2, 0.0),
    }
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool,
    ):
        url = f"sqlite:///{Path(folder) / 'runs.sqlite'}"
        TraceStore(url).close()
        print(
            "recorded", sum(pool.map(partial(record_shard, url, given.labelled), enumerate(shards(traffic))))
        )
        found, after = one_turn(url, given.seed)
        for step in found.steps:
            print(step.part, step.refused or "shipped", flush=True)
        ask = partial(ask_shard, [(None, None), after])
        results = {
            name: measure(
                np.array([row for shard in pool.map(ask, shards(problems)) for row in shard]), given.seed
            )
            for name, problems in fresh.items()
        }
    show(results)
    write_json(
        "flywheel" if given.shift == "words" else f"flywheel_{given.shift}",
        {
            "provenance": provenance("flywheel.py", vars(given)),
            "fitted": found.fitted,
            "held_out": found.held_out,
            "steps": [step_of(step) for step in found.steps],
            "fresh": results,
        },
    )


def show(results: dict[str, Any]) -> None:
    header = ["fresh problems", "", "wrong", "tokens", "thinks"]
    rows = [
        [name if view == "before" else "", view, *(_cell(one[view][figure], figure) for figure in _SAVED)]
        for name, one in results.items()
        for view in ("before", "after", "change")
    ]
    print_table(header, rows)


def _cell(figure: dict[str, Any], name: str) -> str:
    low, high = figure["interval"]
    form = ".1f" if name == "tokens" else ".1%"
    return f"{figure['mean']:{form}} [{low:{form}}, {high:{form}}]"


if __name__ == "__main__":
    main()
