"""Is a guided target worth having as the graph's deep node? Accuracy against cost, with and without guidance.

    python benchmarks/thinklogit_frontier.py --dir checkpoints/thinklogit --seeds 3 --n 1000 --calibration 1000

Fast is the target. Deep is the same target forced to think, the same target guided, or (a ceiling) the target tuned.
Gate, accept-if-better step and triage are fitted for each deep node on calibration problems, where the settings of
every price are chosen, too; all are judged on fresh problems. Cost is counted twice: in forward passes of the target
for tokens read and written (a guided token costs two guiders' passes on top, and a second call reads the prompt
again), and in tokens written. Alpha and the forced token are those that `thinklogit.py` chose on its dev set.
Intervals: paired bootstrap over problems of the mean over seeds.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from langchain_core.messages import HumanMessage
from measuring.report import RESULTS, print_table, provenance, write_json
from measuring.saving import draw_resamples
from thinklogit_bed import bed
from thinklogit_bed.answering import Trio
from thinklogit_bed.decoding import MAX_TOKENS, Alone, Forced, Guided, Rule
from thinklogit_bed.guided_frontier import (
    CEILING,
    DEEP,
    FORCED_DEEP,
    GUIDED_DEEP,
    POINTS_BELOW,
    TARGET,
    Measured,
    judge,
    lines_of,
)
from thinklogit_bed.in_graph import MEASURES, Measure, Pair, choose_settings, fit, fold, pair, see
from thinklogit_bed.rows import FORCED, GUIDED
from thinklogit_bed.spoken import TOP, Recording, speak
from thinklogit_bed.training import WEIGHTS
from thinklogit_bed.variants import STRENGTH

from adaptive_reasoner import ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.decoding import GuidedChatModel
from adaptive_reasoner.embedded.problems import Problem, generate
from adaptive_reasoner.embedded.tokenizer import encoding
from adaptive_reasoner.state import MODE_OF_NODE

CALIBRATION_SEED, TEST_SEED = 717, 818
_CEILING_STEPS = 100
_CHECKED_PRICE = 0.002  # of a token, in P(right): thinks on some questions, and not on others


def chosen_before(results: Path, row: str, seed: int) -> str:
    """What `thinklogit.py` chose for a row on its dev set."""
    path = results / "thinklogit.json"
    if not path.is_file():
        raise SystemExit(f"{path} is missing: run benchmarks/thinklogit.py first.")
    table = {one["row"]: one for one in json.loads(path.read_text(encoding="utf-8"))["table"]}
    return str(table[row]["settings"][table[row]["seeds"].index(seed)])


def alpha_of(results: Path, seed: int) -> float:
    """The strength of guidance."""
    return float(chosen_before(results, GUIDED, seed).removeprefix("alpha "))


def answers(
    options: argparse.Namespace, seed: int, problems: Sequence[Problem], split: str
) -> dict[str, Recording]:
    """The target's answers, and those of every deep node."""
    folder, kept = options.dir, options.dir / f"seed-{seed}" / "spoken" / f"{split}-{len(problems)}"
    trio = Trio(bed.target(folder, seed), bed.tuned(folder, seed, STRENGTH), bed.base(folder, seed))
    first = tuple(encoding().encode_ordinary(f" {chosen_before(options.results, FORCED, seed)}"))
    alpha = alpha_of(options.results, seed)
    rules: dict[str, tuple[str, Rule]] = {
        TARGET: ("target", Alone()),
        FORCED_DEEP: (f"forced-{'-'.join(map(str, first))}", Forced(first)),
        GUIDED_DEEP: (f"guided-{alpha:g}", Guided(alpha)),
    }
    found = speak(trio, dict(rules.values()), problems, kept)
    tuned = Trio(bed.tuned(folder, seed, _CEILING_STEPS, "target"))
    ceiling = speak(tuned, {"ceiling": Alone()}, problems, kept)["ceiling"]
    return {**{row: found[name] for row, (name, _) in rules.items()}, CEILING: ceiling}


def passes_of_guided_token(directory: Path, seed: int) -> float:
    """A guided token's forward passes over those of the target alone, by the parameters that multiply."""
    target, guider = bed.target(directory, seed), bed.tuned(directory, seed, STRENGTH)
    return 1 + 2 * multiplied(guider) / multiplied(target)


def multiplied(folder: Path) -> int:
    """Parameters that a token is multiplied with: all but the table that its id is looked up in."""
    with np.load(folder / WEIGHTS / "model.npz") as arrays:
        return sum(arrays[name].size for name in arrays.files if arrays[name].ndim and "embed" not in name)


def measure_seed(options: argparse.Namespace, seed: int) -> Measured:
    """One seed: fit and choose on calibration problems, look at the test problems."""
    price = dict.fromkeys(DEEP, 1.0) | {GUIDED_DEEP: passes_of_guided_token(options.dir, seed)}
    sets: dict[str, dict[str, list[Pair]]] = {}
    for split, count, start in (
        ("calibration", options.calibration, CALIBRATION_SEED),
        ("test", options.n, TEST_SEED),
    ):
        problems = list(generate(split, count, seed=start))  # type: ignore[arg-type]
        spoken = answers(options, seed, problems, split)
        sets[split] = {
            name: [
                pair(problem, fast, deep, price[name])
                for problem, fast, deep in zip(problems, spoken[TARGET], spoken[name], strict=True)
            ]
            for name in DEEP
        }
    seen = {name: see(fit(sets["calibration"][name]), sets["test"][name]) for name in DEEP}
    folds = {name: fold(sets["calibration"][name]) for name in DEEP}
    settings = {name: {m: choose_settings(folds[name], m) for m in MEASURES} for name in DEEP}
    return Measured(seen, settings)


def check_against_graph(options: argparse.Namespace, measured: Measured) -> dict[str, Any]:
    """The first test problems through the real graph, by `GuidedChatModel`, at one setting of seed 0."""
    seen, gain = measured.seen[GUIDED_DEEP], measured.settings[GUIDED_DEEP]["passes"]
    price = min(gain, key=lambda one: abs(one - _CHECKED_PRICE))
    walked = seen.walk(price, gain[price], "passes")
    model = GuidedChatModel(
        model=str(bed.target(options.dir, 0)),
        expert=str(bed.tuned(options.dir, 0, STRENGTH)),
        base=str(bed.base(options.dir, 0)),
        alpha=alpha_of(options.results, 0),
    )
    config = ReasonerConfig(
        gate=seen.policy.gate(price, "passes"), triage=seen.policy.estimator, think_at_gain=gain[price],
        max_refinements=0, max_output_tokens=MAX_TOKENS, top_logprobs=TOP, model_timeout_seconds=None,
    )  # fmt: skip
    graph = build_reasoning_graph(model, config=config)
    agreed, asked = {"way": 0, "answer": 0, "all": 0}, list(zip(seen.pairs, walked, strict=True))
    for one, (way, text) in asked[: options.graph_questions]:
        result = graph.invoke({"messages": [HumanMessage(one.problem.question)]})
        rounds = result["reasoning"]["rounds"]
        same = {
            "way": way == " ".join(MODE_OF_NODE[done["node"]] for done in rounds),
            "answer": text == str(result["messages"][-1].text),
        }
        for name, holds in {**same, "all": all(same.values())}.items():
            agreed[name] += holds
    count = min(options.graph_questions, len(asked))
    print(f"\nthe real graph agrees on {agreed['all']} of {count} questions: {agreed}")
    ways = {name: sum(way == name for way, _ in walked) for name in ("fast", "fast deep", "deep")}
    return {"questions": count, "agreed": agreed, "price": price, "ways": ways}


def show(result: Mapping[str, Any], measure: Measure) -> None:
    print(f"\ncost in {measure}")
    rows = [
        [
            row["line"],
            f"{len(row['points'])}",
            f"{row['best_accuracy']['value']:.1%} {_span(row['best_accuracy'])}",
            f"{row['its_cost']['value']:.1f}",
        ]
        for row in result["rows"]
    ]
    print_table(["", "points", "best accuracy", "cost there"], rows)
    print(f"to reach {result['target_accuracy']:.1%} (always guided - {POINTS_BELOW} points):")
    for name, figure in result["cost_at_target"].items():
        print(f"  {name}: {figure['value']:.3f} {figure['interval']}")
    print("at equal cost, the graph with guidance leads by (points)")
    for one in result["at_equal_cost"]:
        leads = [f"{name} {100 * lead['value']:+.1f} {_points(lead)}" for name, lead in one["lead"].items()]
        right = one["graph_guided"]["value"]
        print(f"  cost {one['cost']:.1f}, right {right:.1%}: {', '.join(leads)}")


def _span(figure: Mapping[str, Any]) -> str:
    return "[{:.1%}, {:.1%}]".format(*figure["interval"]) if figure["interval"] else ""


def _points(figure: Mapping[str, Any]) -> str:
    return (
        "[{:+.1f}, {:+.1f}]".format(*(100 * one for one in figure["interval"])) if figure["interval"] else ""
    )


def draw(result: Mapping[str, Any], path: Path) -> None:
    """Accuracy against cost."""
    from matplotlib.figure import Figure

    figure: Any = Figure(figsize=(8.5, 5), dpi=150, layout="constrained")
    axes = figure.subplots()
    colours = {"forced": "#D55E00", "guided": "#0072B2", "tuned": "#009E73"}
    for row in result["rows"]:
        colour = next((value for name, value in colours.items() if name in row["line"]), "black")
        cost, right = zip(*sorted(map(tuple, row["points"])), strict=True)
        marker = "o" if len(cost) == 1 else ""
        axes.plot(cost, [100 * value for value in right], marker=marker, color=colour, label=row["line"])
    points = {row["line"]: row["points"][0] for row in result["rows"]}
    ends = [points[TARGET], points[f"always {GUIDED_DEEP}"]]
    x, y = [one[0] for one in ends], [100 * one[1] for one in ends]
    axes.plot(x, y, ":", color="grey", label="target and guided by chance")
    axes.set_xlabel("cost a question: tokens read and written, in forward passes of the target")
    axes.set_ylabel("right answers, %")
    axes.grid(alpha=0.25)
    axes.legend(fontsize=7, loc="lower right")
    figure.savefig(path)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--dir", type=Path, required=True, help="that `thinklogit_bed.bed` filled")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--n", type=int, default=1000, help="test problems")
    parser.add_argument(
        "--calibration", type=int, default=1000, help="problems that gate and triage are fitted on"
    )
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--graph-questions", type=int, default=120, help="asked of the real graph")
    parser.add_argument("--only", type=int, help="answer for this seed alone, and judge nothing")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    if options.only is not None:
        measure_seed(options, options.only)
        return
    measured = [measure_seed(options, seed) for seed in range(options.seeds)]
    resamples = draw_resamples(options.n, options.resamples, seed=0)
    result: dict[str, Any] = {measure: judge(lines_of(measured, measure), resamples) for measure in MEASURES}
    for measure in MEASURES:
        show(result[measure], measure)
    result["graph"] = check_against_graph(options, measured[0])
    result["passes_of_guided_token"] = [
        passes_of_guided_token(options.dir, seed) for seed in range(options.seeds)
    ]
    result["think_at_gain"] = [
        {name: list(map(list, one.settings[name]["passes"].items())) for name in DEEP} for one in measured
    ]
    names = ("seeds", "n", "calibration", "resamples", "graph_questions")
    told = {name: getattr(options, name) for name in names}
    write_json(
        "thinklogit_frontier", {**provenance("thinklogit_frontier.py", told), **result}, options.results
    )
    draw(result["passes"], options.results / "thinklogit_frontier.png")


if __name__ == "__main__":
    main()
