"""What cutting a doomed fast answer's stream saves, and what it costs in accuracy.

    python benchmarks/early_cut.py --calibration 2000 --questions 2000 --seed 811 --processes 2

Worked answers of the embedded model, the only ones with something to spare. Of the way that a user would choose,
the graph's own `answer_order="answer_first"` (the answer, then its rationale), every test question is run twice
through the whole graph, with the rule and without, so that all differences are paired; both gates are the same
profile, fitted with its rule on other questions. Of answers whose working is written before the answer only the
streams are replayed against their rule.
"""

import argparse
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from measuring.report import RESULTS, Progress, print_table, provenance, write_json
from measuring.worked_answers import answer_all, examples_of, is_right, workings

from adaptive_reasoner import EmbeddedChatModel, GateProfile, ReasonerConfig, build_reasoning_graph, calibrate
from adaptive_reasoner.embedded.problems import Problem, generate
from adaptive_reasoner.gate.calibration import whole_answer
from adaptive_reasoner.gate.early_cut_fitting import is_cut, saved_share
from adaptive_reasoner.gate.statistics import upper_bound

_SHARD = 100
_RESAMPLES = 2000
_THROUGH_THE_GRAPH = "answer first"


@dataclass(frozen=True, slots=True)
class Run:
    """One question through the graph.

    Attributes:
        is_right: the answer that was handed on is right.
        fast_tokens: output tokens of the fast answer, as paid.
        tokens: output tokens of all rounds.
        escalated: the fast answer's verdict.
        kept_fast: it was handed on all the same.
        cut: its stream was cut.
    """

    is_right: bool
    fast_tokens: int
    tokens: int
    escalated: bool
    kept_fast: bool
    cut: bool


def run_both(profile: GateProfile, problems: Sequence[Problem]) -> list[tuple[Run, Run]]:
    """Each problem without and with the rule; the order changes from question to question."""
    graphs = [_graph(replace(profile, early_cut=None)), _graph(profile)]
    found: list[tuple[Run, Run]] = []
    for index, problem in enumerate(problems):
        runs: dict[int, Run] = {}
        for way in (0, 1) if index % 2 else (1, 0):
            runs[way] = _run(graphs[way], problem)
        found.append((runs[0], runs[1]))
    return found


def _graph(profile: GateProfile) -> Any:
    config = ReasonerConfig(gate=profile, triage="off", max_refinements=0, answer_order="answer_first")
    return build_reasoning_graph(EmbeddedChatModel(), config=config)


def _run(graph: Any, problem: Problem) -> Run:
    state = graph.invoke({"messages": [("user", problem.question)]})
    report = state["reasoning"]
    first = report["rounds"][0]
    return Run(
        is_right=is_right(str(state["messages"][-1].text), problem),
        fast_tokens=first["usage"]["output_tokens"],
        tokens=report["usage"]["output_tokens"],
        escalated=first["verdict"] == "escalate",
        kept_fast=report["accepted_round"] == 0,
        cut="cut" in first,
    )


def through_the_graph(profile: GateProfile, problems: Sequence[Problem], processes: int) -> dict[str, Any]:
    """The paired figures of both ways."""
    shards = [problems[start : start + _SHARD] for start in range(0, len(problems), _SHARD)]
    pairs: list[tuple[Run, Run]] = []
    report = Progress("questions, both ways", len(problems))
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for found in pool.map(partial(run_both, profile), shards):
            pairs += found
            report(len(pairs))
    return figures(pairs)


def figures(pairs: Sequence[tuple[Run, Run]]) -> dict[str, Any]:
    """Tokens saved, accuracy and wrong cuts, with 95 % intervals over resampled questions."""
    columns = {
        "right": [(float(a.is_right), float(b.is_right)) for a, b in pairs],
        "fast": [(a.fast_tokens * a.escalated, b.fast_tokens * a.escalated) for a, b in pairs],
        "all": [(a.tokens, b.tokens) for a, b in pairs],
    }
    values = {name: np.array(column, dtype=np.float64) for name, column in columns.items()}
    rows = np.random.default_rng(0).integers(0, len(pairs), (_RESAMPLES, len(pairs)))

    def saved(name: str) -> dict[str, Any]:
        totals = values[name][rows].sum(axis=1)
        before, after = values[name].sum(axis=0)
        return {"share": 1 - after / before, "interval": _interval(1 - totals[:, 1] / totals[:, 0])}

    change = values["right"][:, 1] - values["right"][:, 0]
    cut = [(a, b) for a, b in pairs if b.cut]
    wrongly = sum(not a.escalated or a.kept_fast for a, _ in cut)
    return {
        "questions": len(pairs),
        "escalated": float(np.mean([a.escalated for a, _ in pairs])),
        "cut": len(cut) / len(pairs),
        "cut_of_escalated": sum(a.escalated for a, _ in cut) / max(sum(a.escalated for a, _ in pairs), 1),
        "tokens_saved_on_escalated_answers": saved("fast"),
        "tokens_saved_of_all": saved("all"),
        "accuracy_without": float(values["right"][:, 0].mean()),
        "accuracy_with": float(values["right"][:, 1].mean()),
        "accuracy_change": float(change.mean()),
        "accuracy_change_interval": _interval(change[rows].mean(axis=1)),
        "newly_right": int((change > 0).sum()),
        "newly_wrong": int((change < 0).sum()),
        "wrongly_cut": wrongly / max(len(cut), 1),
        "wrongly_cut_count": wrongly,
        "wrongly_cut_at_most": upper_bound(wrongly, len(cut), 0.95) if cut else None,
    }


def _interval(values: np.ndarray) -> list[float]:
    return np.quantile(values, [0.025, 0.975]).tolist()


def fit_and_replay(options: argparse.Namespace) -> tuple[dict[str, Any], GateProfile, list[Problem]]:
    """Each way's profile and rule from calibration questions, and what the rule spares of test streams."""
    sides = {
        split: list(generate(split, count, seed=options.seed))
        for split, count in (("calibration", options.calibration), ("test", options.questions))
    }
    deep = answer_all("deep", sides["calibration"], options.processes)
    found: dict[str, Any] = {}
    chosen: GateProfile | None = None
    for name in workings():
        if name == "deep":
            continue
        count = None if name == _THROUGH_THE_GRAPH else options.replayed
        asked = {split: problems[:count] for split, problems in sides.items()}
        fast = {split: answer_all(name, problems, options.processes) for split, problems in asked.items()}
        examples = examples_of(asked["calibration"], fast["calibration"], deep[:count])
        profile = calibrate(examples, max_escalation=options.max_escalation)
        if name == _THROUGH_THE_GRAPH:
            chosen = profile
        found[name] = _replayed(profile, examples_of(asked["test"], fast["test"]))
        print(f"{name}: {found[name]}", flush=True)
    assert chosen is not None, "it is one of the workings"  # noqa: S101
    return found, chosen, sides["test"]


def _replayed(profile: GateProfile, examples: Sequence[Any]) -> dict[str, Any]:
    answers = [one for example in examples if (one := whole_answer(example, profile))]
    rule = profile.early_cut
    known: dict[str, Any] = {
        "questions": len(examples),
        "fast_accuracy": float(np.mean([example.fast_correct for example in examples])),
        "tokens": float(np.mean([len(one.tokens.logprob) for one in answers])),
        "escalated": float(np.mean([not one.stands for one in answers])),
        "rule": rule.to_json() if rule else None,
    }
    if rule is None:
        return {**known, "saved_share": 0.0, "cut": 0, "wrongly_cut": 0}
    cut = [one for one in answers if is_cut(one, rule)]
    wrongly = sum(one.stands for one in cut)
    return {**known, "saved_share": saved_share(answers, rule), "cut": len(cut), "wrongly_cut": wrongly}


def show(replayed: dict[str, Any], graph: dict[str, Any]) -> None:
    header = ["streams of test answers", "n", "right", "tokens", "escalated", "saved", "cut", "wrongly"]
    rows = [
        [
            name,
            str(one["questions"]),
            f"{one['fast_accuracy']:.1%}",
            f"{one['tokens']:.1f}",
            f"{one['escalated']:.1%}",
            f"{one['saved_share']:.1%}" if one["rule"] else "no rule",
            str(one["cut"]),
            str(one["wrongly_cut"]),
        ]
        for name, one in replayed.items()
    ]
    print()
    print_table(header, rows)
    print(
        f"\n{_THROUGH_THE_GRAPH}, through the graph with and without the rule: {graph['questions']} questions"
    )
    rows = [
        [
            name.replace("_", " "),
            f"{graph[name]['share']:.1%}",
            "[{:.1%}, {:.1%}]".format(*graph[name]["interval"]),
        ]
        for name in ("tokens_saved_on_escalated_answers", "tokens_saved_of_all")
    ]
    span = "[{:+.2%}, {:+.2%}]".format(*graph["accuracy_change_interval"])
    change = f"{graph['accuracy_without']:.2%} -> {graph['accuracy_with']:.2%}"
    wrongly = f"{graph['wrongly_cut']:.1%} (at most {graph['wrongly_cut_at_most'] or 0:.1%})"
    rows += [["accuracy", change, span], ["escalated", f"{graph['escalated']:.1%}", ""]]
    rows += [["cut, of the escalated", f"{graph['cut_of_escalated']:.1%}", ""], ["wrongly cut", wrongly, ""]]
    print_table(["", "", "95 %"], rows)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--calibration", type=int, default=2000)
    parser.add_argument("--questions", type=int, default=2000)
    parser.add_argument(
        "--replayed", type=int, default=1000, help="of these, for the ways that are replayed only"
    )
    parser.add_argument("--seed", type=int, default=811)
    parser.add_argument("--max-escalation", type=float, default=0.4)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    os.environ.setdefault("LANGSMITH_TRACING", "false")
    replayed, profile, problems = fit_and_replay(options)
    graph = through_the_graph(profile, problems, options.processes)
    show(replayed, graph)
    told = {name: value for name, value in vars(options).items() if name not in {"results", "processes"}}
    content = {**provenance("early_cut.py", told), "streams": replayed, "through_the_graph": graph}
    write_json("early_cut", content, options.results)


if __name__ == "__main__":
    main()
