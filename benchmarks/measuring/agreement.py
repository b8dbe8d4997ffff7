"""Does the batched policy do what the real graph does, question by question?"""

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import HumanMessage

from adaptive_reasoner import build_reasoning_graph
from adaptive_reasoner.state import MODE_OF_NODE
from adaptive_reasoner.training.embedded.calibrate_policy import Case, Outcome

_COMPARED = ("answer", "path", "verdicts", "accepted", "tokens")


def compare_with_graph(cases: Sequence[Case], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Ask the real graph the same questions and count where it agrees.

    Args:
        cases: n questions with their batched answers.
        outcomes: what the batched policy made of them.
    """
    graph = build_reasoning_graph("embedded")
    agreed = dict.fromkeys((*_COMPARED, "all"), 0)
    differences: list[dict[str, Any]] = []
    for case, outcome in zip(cases, outcomes, strict=True):
        result = graph.invoke({"messages": [HumanMessage(case.problem.question)]})
        expected, found = _of_outcome(case, outcome), _of_graph(result)
        same = {name: expected[name] == found[name] for name in _COMPARED}
        for name in _COMPARED:
            agreed[name] += same[name]
        agreed["all"] += all(same.values())
        if not all(same.values()):
            differences.append({"question": case.problem.question, "batched": expected, "graph": found})
    return {"questions": len(cases), "agreed": agreed, "differences": differences}


def _of_outcome(case: Case, outcome: Outcome) -> dict[str, Any]:
    return {
        "answer": case.answers[outcome.path[outcome.accepted]].text,
        "path": list(outcome.path),
        "verdicts": list(outcome.verdicts),
        "accepted": outcome.accepted,
        "tokens": outcome.tokens,
    }


def _of_graph(result: dict[str, Any]) -> dict[str, Any]:
    report = result["reasoning"]
    return {
        "answer": str(result["messages"][-1].text),
        "path": [MODE_OF_NODE[one["node"]] for one in report["rounds"]],
        "verdicts": [one["verdict"] for one in report["rounds"]],
        "accepted": report["accepted_round"],
        "tokens": report["usage"]["output_tokens"],
    }
