"""Triage, gate and budget together on recorded answers of real models: accuracy at a share of thinking calls.

    python benchmarks/allocation.py --shuffles 10 --through-graph 300 --seed 1 --processes 2

Everything is fitted on the families of one side and judged on the other's, both ways: the gate, the triage estimator
(`train triage`'s, for the pair of models; it predicts its own side by folds) and the price that the stream starts
with. The allocation then follows the stream online, without labels. "Some at once" lets triage skip some of the fast
answers, "by tokens" keeps as many tokens a query as the gate takes under the share. Beside them, at exactly the share:
the gate alone (its expected gains sorted on the judged side), triage alone, chance, and an oracle's knapsack.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from measuring.allocated import AT_ONCE, OURS, PLAIN, POLICIES, SHARES, TOKENS, Task, run_task
from measuring.real_models import PAIRS
from measuring.report import RESULTS, print_table, provenance, write_json
from measuring.streams import Floats


def with_interval(values: Floats) -> list[float]:
    """Mean and its 95 % interval, normal approximation over questions."""
    mean, spread = float(values.mean()), 1.96 * float(values.std()) / np.sqrt(len(values))
    return [mean, mean - spread, mean + spread]


def summarise(sides: list[list[dict[str, Any]]]) -> dict[str, Any]:
    """Accuracy of every policy at every share, both sides together, and differences paired by question."""
    found: dict[str, Any] = {}
    for share in map(str, SHARES):
        right = {
            policy: np.concatenate([one["shares"][share]["right"][policy] for pair in sides for one in pair])
            for policy in POLICIES
        }
        found[share] = {
            "accuracy": {policy: float(values.mean()) for policy, values in right.items()},
            "ours_less": {policy: with_interval(right[OURS] - right[policy]) for policy in POLICIES[1:]},
            "tokens": {
                policy: float(
                    np.concatenate(
                        [one["shares"][share]["tokens"][policy] for pair in sides for one in pair]
                    ).mean()
                )
                for policy in (OURS, PLAIN, AT_ONCE, TOKENS)
            },
        }
    return found


def deviations(done: list[dict[str, Any]]) -> dict[str, dict[str, list[float]]]:
    """For each kind of stream and share: the least and the largest (realised - asked), in points."""
    found: dict[str, dict[str, list[float]]] = {}
    for share in map(str, SHARES):
        for name in done[0]["shares"][share]["realised"]:
            gaps = [
                100 * (got - float(share)) for one in done for got in one["shares"][share]["realised"][name]
            ]
            found.setdefault(name, {})[share] = [min(gaps), max(gaps)]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shuffles", type=int, default=10)
    parser.add_argument("--through-graph", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    tasks = [
        Task(fast, deep, side, arguments.shuffles, arguments.through_graph, arguments.seed)
        for fast, deep in PAIRS
        for side in (0, 1)
    ]
    with ProcessPoolExecutor(arguments.processes) as pool:
        done = list(pool.map(run_task, tasks))
    by_pair = [done[index : index + 2] for index in range(0, len(done), 2)]
    results = {
        f"{fast} -> {deep}": summarise([sides]) for (fast, deep), sides in zip(PAIRS, by_pair, strict=True)
    }
    results["pooled"] = summarise(by_pair)
    held = deviations(done)
    show(results, held)
    settings = {name: value for name, value in vars(arguments).items() if name != "results"}
    content = {
        **provenance("allocation.py", settings),
        "protocol": "fitted on physics, law, business, eng and judged on chem, econ, psych, health; and back",
        "questions": sum(one["n"] for one in done),
        "results": results,
        "realised_less_asked_points": held,
        "through_graph": [one["through_graph"] for one in done],
        "fitted": [{key: one[key] for key in ("foresight", "start_prices", "think_at_gain")} for one in done],
    }
    write_json("allocation", content, arguments.results)


def show(results: dict[str, Any], held: dict[str, Any]) -> None:
    rows = []
    for name, row in results.items():
        for share, figures in row.items():
            gap = figures["ours_less"]["gate alone"]
            accuracies = [f"{figures['accuracy'][policy]:.4f}" for policy in POLICIES]
            rows.append([f"{name} at {float(share):.0%}", *accuracies,
                         f"{100 * gap[0]:+.2f} [{100 * gap[1]:+.2f}, {100 * gap[2]:+.2f}]"])  # fmt: skip
    print_table(["pair, thinking calls", *POLICIES, "ours - gate alone, points"], rows)
    print()
    lines = [
        [name, *(f"{low:+.2f} … {high:+.2f}" for low, high in row.values())] for name, row in held.items()
    ]
    spent = [[f"{name} at {float(share):.0%}", *(f"{tokens:.1f}" for tokens in figures["tokens"].values())]
             for name, row in results.items() for share, figures in row.items()]  # fmt: skip
    print_table(["tokens a query", OURS, PLAIN, AT_ONCE, TOKENS], spent)
    print()
    print_table(["realised - asked, points", *(f"{share:.0%}" for share in SHARES)], lines)


if __name__ == "__main__":
    main()
