"""How good, how honest and how light is the shipped model? Everything on fresh problems of the test split.

    python benchmarks/embedded.py --n 10000 --output benchmarks/results/embedded.json

prints a table and writes JSON. Intervals are 95 %; ablations are paired on the same problems.
"""

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from embedded_answers import Answer, answer_all, settings
from embedded_footprint import measure_all
from embedded_measures import auroc, expected_calibration_error, paired_difference, wilson

from adaptive_reasoner.embedded.problems import FAMILIES, MAX_LEVEL, Problem, draw_outside, generate
from adaptive_reasoner.embedded.runtime import shipped_runtime
from adaptive_reasoner.embedded.weights import about_weights

Answers = dict[str, list[Answer]]

# Compared with one another on all n problems; the other settings stop at SIDE_N.
PAIRED = ("fast", "deep", "deep_without_plan", "deep_without_check")
SIDE_N = 3000


def main() -> None:
    arguments = parse_arguments()
    if arguments.only_footprint:
        report = json.loads(arguments.output.read_text(encoding="utf-8"))
        report["footprint"] = footprint()
        arguments.output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        return
    problems = list(generate("test", arguments.n, seed=arguments.seed))
    questions = [problem.question for problem in problems]
    started = time.perf_counter()
    answers = {
        name: answer_all(name, questions[: arguments.n if name in PAIRED else SIDE_N], arguments.workers)
        for name in settings()
    }
    outside = [draw_outside(Random(f"outside:{index}")).question for index in range(min(arguments.n, 1000))]
    report = {
        "command": command(),
        "n": arguments.n,
        "seed": arguments.seed,
        "date": time.strftime("%Y-%m-%d"),
        "machine": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "workers": arguments.workers,
        },
        "weights": {"fingerprint": shipped_runtime().weights.fingerprint, **about_weights()},
        "accuracy": {name: accuracy(problems, found) for name, found in answers.items()},
        "tokens": {name: token_table(problems, found) for name, found in answers.items()},
        "token_ratio_deep_to_fast": token_ratios(problems, answers),
        "uncertainty_of_fast": uncertainty(
            problems, answers["fast"], answer_all("fast", outside, arguments.workers)
        ),
        "rationale_agreement": rationale(problems, answers["answer_first"]),
        "ablations": ablations(problems, answers),
        "generation_seconds": round(time.perf_counter() - started),
        "footprint": footprint() if arguments.footprint else None,
    }
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print_report(report)


def command() -> str:
    return " ".join(["python", *sys.argv])


def footprint() -> dict[str, Any]:
    return {"command": command(), **measure_all()}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=3000, help="problems (default 3000)")
    parser.add_argument("--seed", type=int, default=0, help="of the test split's stream (default 0)")
    parser.add_argument("--workers", type=int, default=1, help="processes (default 1)")
    parser.add_argument(
        "--no-footprint", dest="footprint", action="store_false", help="skip speed and memory"
    )
    parser.add_argument(
        "--only-footprint", action="store_true", help="measure speed and memory into --output"
    )
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/embedded.json"))
    return parser.parse_args()


def right(problems: Sequence[Problem], answers: Sequence[Answer]) -> list[bool]:
    """Whether each answer is right; `answers` may stop before `problems` do."""
    return [answer.value == problem.answer for problem, answer in zip(problems, answers, strict=False)]


def groups() -> dict[str, Callable[[Problem], bool]]:
    levels = {f"level_{n}": lambda problem, n=n: problem.level == n for n in range(1, MAX_LEVEL + 1)}
    families = {name: lambda problem, name=name: problem.family == name for name in FAMILIES}
    return {"all": lambda _: True, **levels, **families}


def mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def accuracy(problems: Sequence[Problem], answers: Sequence[Answer]) -> dict[str, Any]:
    correct = right(problems, answers)
    table = {}
    for name, belongs in groups().items():
        members = [is_right for problem, is_right in zip(problems, correct, strict=False) if belongs(problem)]
        table[name] = wilson(sum(members), len(members))
    return table


def token_table(problems: Sequence[Problem], answers: Sequence[Answer]) -> dict[str, float | None]:
    table: dict[str, float | None] = {}
    for name, belongs in groups().items():
        counts = [
            answer.tokens for problem, answer in zip(problems, answers, strict=False) if belongs(problem)
        ]
        table[name] = mean(counts)
    return table


def token_ratios(problems: Sequence[Problem], answers: Answers) -> dict[str, float | None]:
    fast, deep = token_table(problems, answers["fast"]), token_table(problems, answers["deep"])
    return {name: deep[name] / fast[name] if fast[name] else None for name in fast}


def uncertainty(
    problems: Sequence[Problem], answers: Sequence[Answer], outside: Sequence[Answer]
) -> dict[str, Any]:
    """AUROC of the fast answer's token entropies for "wrong", overall and within levels; calibration."""
    wrong = [not is_right for is_right in right(problems, answers)]
    scores = {
        "max_entropy": [max(answer.entropies, default=0.0) for answer in answers],
        "mean_entropy": [float(np.mean(answer.entropies)) for answer in answers],
        "sum_entropy": [sum(answer.entropies) for answer in answers],
        "minus_probability": [-answer.probability for answer in answers],
        "true_level": [problem.level for problem in problems],
    }
    within = {}
    for level in range(1, MAX_LEVEL + 1):
        chosen = [index for index, problem in enumerate(problems) if problem.level == level]
        within[f"level_{level}"] = auroc(
            [scores["max_entropy"][i] for i in chosen], [wrong[i] for i in chosen]
        )
    return {
        "auroc_for_wrong": {name: auroc(values, wrong) for name, values in scores.items()},
        "auroc_of_max_entropy_within_level": within,
        "expected_calibration_error": expected_calibration_error(
            [answer.probability for answer in answers], [not is_wrong for is_wrong in wrong]
        ),
        "mean_max_entropy_nats": {
            "right": mean([s for s, w in zip(scores["max_entropy"], wrong, strict=True) if not w]),
            "wrong": mean([s for s, w in zip(scores["max_entropy"], wrong, strict=True) if w]),
            "outside_its_world": mean([max(answer.entropies, default=0.0) for answer in outside]),
        },
    }


def rationale(problems: Sequence[Problem], answers: Sequence[Answer]) -> dict[str, Any]:
    """How often an answer-first rationale agrees with its answer, and what that says about the answer."""
    pairs = [(p, a) for p, a in zip(problems, answers, strict=False) if a.rationale_value is not None]
    agreeing = [(p, a) for p, a in pairs if a.rationale_value == a.value]
    contradicting = [(p, a) for p, a in pairs if a.rationale_value != a.value]
    return {
        "has_result": wilson(len(pairs), len(answers)),
        "rationale_right": wilson(sum(a.rationale_value == p.answer for p, a in pairs), len(pairs)),
        "agrees": wilson(len(agreeing), len(pairs)),
        "wrong_if_agrees": wilson(sum(a.value != p.answer for p, a in agreeing), len(agreeing)),
        "wrong_if_contradicts": wilson(
            sum(a.value != p.answer for p, a in contradicting), len(contradicting)
        ),
    }


def ablations(problems: Sequence[Problem], answers: Answers) -> dict[str, Any]:
    """Full deep minus deep without a part: what the part earns, and what it costs."""
    full, table = right(problems, answers["deep"]), {}
    for name in ("deep_without_plan", "deep_without_check"):
        tokens = [
            ours.tokens - theirs.tokens for ours, theirs in zip(answers["deep"], answers[name], strict=True)
        ]
        table[name] = {
            "full_minus_ablated": paired_difference(full, right(problems, answers[name])),
            "extra_tokens": float(np.mean(tokens)),
        }
    return table


def print_report(report: dict[str, Any]) -> None:
    columns = list(report["accuracy"]["fast"])
    print("\naccuracy %".ljust(21) + " ".join(name.replace("level_", "L")[:10].rjust(10) for name in columns))
    for mode, table in report["accuracy"].items():
        shares = [table[name]["share"] for name in columns]
        cells = " ".join(("-" if share is None else f"{100 * share:.1f}").rjust(10) for share in shares)
        print(f"{mode:20s}{cells}   {report['tokens'][mode]['all']:.1f} tokens")
    for name in ("token_ratio_deep_to_fast", "uncertainty_of_fast", "rationale_agreement", "ablations"):
        print(f"\n{name}\n{json.dumps(report[name], indent=1)}")


if __name__ == "__main__":
    main()
