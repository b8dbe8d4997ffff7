"""Accuracy against generated tokens on the embedded model: every method on the same fresh problems.

    python benchmarks/frontier.py --n 20000 --seed 101 --processes 3

Asks each problem once in each mode, then replays every method on the same answers, paired. The main figure is,
at always-deep's accuracy less half a point, the share of the oracle's token saving over random mixing. Curves
are fitted on the calibration split (the very problems of the shipped profile) and judged on the test split.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.messages import HumanMessage
from measuring.agreement import compare_with_graph
from measuring.figure import Picture, draw
from measuring.judge import POINTS_BELOW_DEEP, Judge
from measuring.methods import entropy_gate, fast_then, gate_line, self_consistency, triage_alone, weave
from measuring.report import RESULTS, Progress, print_table, provenance, write_json
from measuring.saving import Line, References, Resamples, draw_resamples, interval

from adaptive_reasoner.config import ReasonerConfig
from adaptive_reasoner.gate import profile_for
from adaptive_reasoner.thinking.switch import EMBEDDED_MODEL_NAME
from adaptive_reasoner.training.embedded.calibrate import PROFILE_PATH, collect_cases, collect_outside
from adaptive_reasoner.training.embedded.calibrate_answers import Answer, Ask
from adaptive_reasoner.training.embedded.calibrate_kept import Collection
from adaptive_reasoner.training.embedded.calibrate_mode_token import ReadQuestions
from adaptive_reasoner.training.embedded.calibrate_policy import Case, run_policy, totals, totals_of_mode
from adaptive_reasoner.training.embedded.calibrate_profile import RiskModels, fit_risks
from adaptive_reasoner.training.embedded.calibrate_setting import (
    PRICES,
    cross_fit,
    predicted_gains,
    settings_by_price,
)
from adaptive_reasoner.training.embedded.calibrate_triage import fit_triage
from adaptive_reasoner.triage import TriageRequest, choose_route, estimator_for

SHIPPED = "triage + gate + refine"
_SAMPLES = 5


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that was asked of the model.

    Attributes:
        cases: test problems with the answer of each mode.
        samples: k sampled fast answers to each test problem.
        calibration: calibration problems with the answer of each mode.
        outside: questions from outside the model's world, for fitting the risks.
    """

    cases: list[Case]
    samples: list[list[Answer]]
    calibration: list[Case]
    outside: list[Case]


def collect(options: argparse.Namespace) -> Evidence:
    """Ask the model, or read what an earlier run kept."""
    test = Collection(
        split="test",
        count=options.n,
        seed=options.seed,
        processes=options.processes,
        folder=options.keep,
        progress=Progress,
    )
    feeds_spans = profile_for(EMBEDDED_MODEL_NAME).feeds_spans
    cases = collect_cases(test, feeds_spans=feeds_spans)
    problems = [case.problem for case in cases]
    draws = [Ask(mode="fast", temperature=1.0, seed=1 + k) for k in range(_SAMPLES)]
    samples = [test.ask(problems, ask) for ask in draws]
    fitted = json.loads(PROFILE_PATH.read_text(encoding="utf-8"))["provenance"]
    calibration = Collection(
        split="calibration",
        count=fitted["n"],
        seed=fitted["seed"],
        processes=options.processes,
        folder=options.keep,
        progress=Progress,
    )
    fitted_on = collect_cases(calibration, feeds_spans=feeds_spans)
    outside = collect_outside(calibration, feeds_spans=feeds_spans)
    return Evidence(cases, samples, fitted_on, outside)


def thinks_at_once(cases: Sequence[Case]) -> tuple[np.ndarray, np.ndarray]:
    """Triage's route and predicted gain for each question, by the shipped rules and estimator."""
    estimator, config = estimator_for(EMBEDDED_MODEL_NAME), ReasonerConfig()
    decisions = []
    for case in cases:
        text = case.problem.question
        request = TriageRequest(messages=[HumanMessage(text)], text=text)
        decisions.append(choose_route(request, config, estimator))
    routes = np.array([decision.route == "deep" for decision in decisions])
    return routes, np.array([decision.triage["gain"] for decision in decisions])


def all_lines(evidence: Evidence) -> tuple[list[Line], Line]:
    """Every method, and the shipped operating point by itself."""
    cases = evidence.cases
    at_once, gains = thinks_at_once(cases)
    never = np.zeros(len(cases), dtype=np.bool_)
    risks = fit_risks(evidence.calibration, evidence.outside)
    escalating = [risks.at_price(price, ways=("escalate",)) for price in PRICES]
    settings = [
        setting for setting, _ in settings_by_price(cross_fit(evidence.calibration, evidence.outside))
    ]
    refining = [risks.at_price(setting.price) for setting in settings]
    estimated = predicted_gains(cases, fit_triage(evidence.calibration))
    own_first_token = first_token_lines(evidence, risks)
    thinks = [estimated >= setting.think_at_gain for setting in settings]
    lines = [
        Line("always fast", [totals_of_mode(cases, "fast")]),
        Line("always deep", [totals_of_mode(cases, "deep")]),
        Line("always refine", [fast_then(cases, "refine", ~never)]),
        *weave(cases),
        *(self_consistency(evidence.samples[:k]) for k in (3, 5)),
        triage_alone(cases, gains),
        *own_first_token,
        entropy_gate(cases),
        gate_line("gate alone: expected loss", cases, escalating, [never] * len(escalating)),
        gate_line("gate + refine", cases, refining, [never] * len(refining)),
        gate_line(SHIPPED, cases, refining, thinks),
    ]
    shipped = gate_line("shipped setting", cases, [profile_for(EMBEDDED_MODEL_NAME)], [at_once])
    return lines, shipped


def first_token_lines(evidence: Evidence, risks: RiskModels) -> list[Line]:
    """Triage by the model's own first token in the place of the text's features: alone, and in the whole loop."""
    cases, calibration = evidence.cases, evidence.calibration
    questions = ReadQuestions([case.problem.question for case in [*cases, *calibration]])
    gains = predicted_gains(cases, questions.fit(calibration))
    settings = [
        setting for setting, _ in settings_by_price(cross_fit(calibration, evidence.outside, questions.fit))
    ]
    gates = [risks.at_price(setting.price) for setting in settings]
    starts = [gains >= setting.think_at_gain for setting in settings]
    return [
        triage_alone(cases, gains, "triage alone: own first token"),
        gate_line("own first token + gate + refine", cases, gates, starts),
    ]


def judge_all(evidence: Evidence, resamples: int) -> tuple[dict[str, Any], list[Line], Line]:
    """The whole result but its provenance."""
    lines, shipped = all_lines(evidence)
    references = References(lines[0].points[0], lines[1].points[0])
    judge = Judge(references, draw_resamples(len(evidence.cases), resamples, seed=0))
    target, first = judge.target, Resamples(judge.resamples.counts[:1])
    rows = [judge.row(line) for line in [*lines, shipped]]
    ours = judge.at_target(lines[-1])
    others = {line.name: judge.at_target(line) for line in lines[:-1]}
    leads = {
        name: {"lead": float((ours - share)[0]), "interval": interval(ours - share)}
        for name, share in others.items()
        if ours is not None and share is not None
    }
    oracle = references.oracle()
    result = {
        "target_accuracy": float(target[0]),
        "random_tokens_at_target": float(references.random_tokens(first, target[:1])[0]),
        "oracle_tokens_at_target": float(references.oracle_tokens(first, target[:1])[0]),
        "oracle": {"accuracy": oracle.accuracy, "tokens": oracle.mean_tokens},
        "methods": rows,
        "lead_in_share_at_target": leads,
    }
    return result, lines, shipped


def oracle_line(references: References) -> list[tuple[float, float]]:
    """(tokens, accuracy) of the oracle from always-fast's accuracy to the most that it can reach."""
    one = Resamples(np.ones((1, len(references.fast.right))))
    most = references.oracle().accuracy
    accuracies = np.linspace(references.fast.accuracy, most, 40)
    return [(float(references.oracle_tokens(one, np.array([a]))[0]), float(a)) for a in accuracies]


def picture_of(result: dict[str, Any], lines: Sequence[Line], shipped: Line) -> Picture:
    """Curves for methods with a parameter, points for the others."""

    def place(point: Any) -> tuple[float, float]:
        return point.mean_tokens, point.accuracy

    fast, deep = lines[0].points[0], lines[1].points[0]
    curves = {"oracle of fast and deep": oracle_line(References(fast, deep))}
    curves |= {line.name: [place(p) for p in line.points] for line in reversed(lines) if len(line.points) > 1}
    curves["random mixing"] = [place(fast), place(deep)]
    return Picture(
        curves=curves,
        points={line.name: place(line.points[0]) for line in lines if len(line.points) == 1},
        shipped=place(shipped.points[0]),
        target=result["target_accuracy"],
        title=f"Embedded model, {len(fast.right):,} fresh problems of 1 to 6 operations",
    )


def show(result: dict[str, Any]) -> None:
    print(
        f"\ntarget: accuracy {result['target_accuracy']:.2%} (always deep - {POINTS_BELOW_DEEP} points); there "
        f"random mixing takes {result['random_tokens_at_target']:.1f} tokens a problem, the oracle "
        f"{result['oracle_tokens_at_target']:.1f}\n"
    )
    header = [
        "method",
        "accuracy",
        "tokens",
        "tokens at target",
        "share of saving",
        "95 %",
        "share at own accuracy",
    ]
    print_table(header, [_cells(row) for row in result["methods"]])
    print("\nlead of the shipped policy in share of saving at the target:")
    for name, lead in result["lead_in_share_at_target"].items():
        print(f"  over {name}: {lead['lead']:+.1%} {_span(lead['interval'])}")


def _cells(row: dict[str, Any]) -> list[str]:
    own, reached = row.get("share_at_own_accuracy"), "share_at_target" in row
    return [
        row["method"],
        f"{row['accuracy']:.2%}" if "accuracy" in row else "sweep",
        f"{row['tokens']:.1f}" if "tokens" in row else "",
        f"{row['tokens_at_target']:.1f}" if reached else "not reached",
        f"{row['share_at_target']:.1%}" if reached else "",
        _span(row.get("share_at_target_interval")),
        f"{own:.1%} {_span(row.get('share_at_own_accuracy_interval'))}" if own is not None else "",
    ]


def _span(interval_: list[float] | None) -> str:
    return f"[{interval_[0]:.1%}, {interval_[1]:.1%}]" if interval_ else ""


def check_against_graph(evidence: Evidence, count: int) -> dict[str, Any]:
    """The first `count` test problems through the real graph."""
    cases = evidence.cases[:count]
    gate, (at_once, _) = profile_for(EMBEDDED_MODEL_NAME), thinks_at_once(cases)
    outcomes = [
        run_policy(case, gate, first="deep" if first else "fast")
        for case, first in zip(cases, at_once.tolist(), strict=True)
    ]
    found = compare_with_graph(cases, outcomes)
    print(
        f"\nthe real graph agrees on {found['agreed']['all']} of {found['questions']} questions: {found['agreed']}"
    )
    whole = totals(outcomes)
    return {**found, "accuracy": whole.accuracy, "tokens": whole.mean_tokens}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--n", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=101)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--graph-questions", type=int, default=200)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder in which answers are kept for another run")
    parser.add_argument(
        "--results", type=Path, default=RESULTS, help="folder for frontier.json and frontier.png"
    )
    options = parser.parse_args(arguments)
    evidence = collect(options)
    result, lines, shipped = judge_all(evidence, options.resamples)
    show(result)
    result["graph"] = check_against_graph(evidence, options.graph_questions)
    told = {name: value for name, value in vars(options).items() if name in {"n", "seed", "resamples"}}
    profile = profile_for(EMBEDDED_MODEL_NAME).provenance
    header = {**provenance("frontier.py", told), "profile": dict(profile)}
    write_json("frontier", {**header, **result}, options.results)
    draw(picture_of(result, lines, shipped), options.results / "frontier.png")


if __name__ == "__main__":
    main()
