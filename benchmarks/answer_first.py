"""Answer first and check it by its rationale, or answer alone and go by its token entropy: what each costs.

    python benchmarks/answer_first.py --calibration 2500 --questions 2500 --seed 0 --processes 2

The embedded model answers every question three ways: alone (fast), before its rationale (answer first), after a
thought (deep, which doubtful answers escalate to). Gates are fitted, and their thresholds chosen, on the calibration
questions: the fewest output tokens whose accuracy there is at most half a point below always thinking. Figures are
of other questions, all methods on the same ones; intervals are 95 %, over questions.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from langchain_core.messages import HumanMessage
from measuring.auroc import Floats, Resampled, with_interval
from measuring.report import Progress, print_table, provenance, write_json
from numpy.typing import NDArray

from adaptive_reasoner.embedded.completion import MODEL_NAME
from adaptive_reasoner.embedded.dialogue import answer_text
from adaptive_reasoner.embedded.problems import Problem, generate
from adaptive_reasoner.gate.fitting import DEFAULT_FEATURES, RATIONALE_FEATURES, fit_mode
from adaptive_reasoner.gate.mode_profile import ModeProfile
from adaptive_reasoner.nodes.answer_order import DOUBTFUL
from adaptive_reasoner.state import DifficultyEstimator, Signal
from adaptive_reasoner.training.embedded.calibrate_answers import Answer, Ask, ask_all
from adaptive_reasoner.triage import estimator_for
from adaptive_reasoner.uncertainty.rationale_text import split_rationale

BELOW_DEEP = 0.005
_MODES = ("fast", "answer_first", "deep")


@dataclass(frozen=True, slots=True)
class Answers:
    """One way of answering n questions.

    Attributes:
        right: shape (n,).
        tokens: shape (n,), output tokens.
        signals: n of them.
    """

    right: NDArray[np.bool_]
    tokens: Floats
    signals: Sequence[Signal]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that is known of n questions: the answers of each mode, and what triage expects."""

    modes: Mapping[str, Answers]
    difficulty: Floats


@dataclass(frozen=True, slots=True)
class Method:
    """A first answer and its risk, both shape (n,), and the share of answers with a rationale."""

    right: NDArray[np.bool_]
    tokens: Floats
    risk: Floats
    checked: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calibration", type=int, default=2500)
    parser.add_argument("--questions", type=int, default=2500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    fitted_on = sheet_of("calibration", options.calibration, options.seed, options.processes)
    measured = sheet_of("test", options.questions, options.seed, options.processes)
    resampled = Resampled.draw(options.questions, 2000, options.seed)
    known, shown = methods(fitted_on, fitted_on), methods(fitted_on, measured)
    rows = {name: figures(known[name], shown[name], fitted_on, measured, resampled) for name in shown}
    result = {
        **provenance("answer_first.py", vars(options)),
        "modes": {name: plain(one, resampled) for name, one in measured.modes.items()},
        "rationale": checks(measured.modes["answer_first"]),
        "methods": rows,
    }
    show(result)
    write_json("answer_first", result)


def sheet_of(split: str, count: int, seed: int, processes: int) -> Sheet:
    """Answer fresh problems of a split in every mode."""
    problems = list(generate(split, count, seed + 7001))
    modes: dict[str, Answers] = {}
    for mode in _MODES:
        progress = Progress(f"{split}, {mode}", count)
        modes[mode] = _as_answers(
            ask_all(problems, Ask(mode=mode), processes=processes, on_progress=progress), problems
        )
    estimate = cast("DifficultyEstimator", estimator_for(MODEL_NAME)).estimate
    hard = [estimate([HumanMessage(problem.question)])["difficulty"] for problem in problems]
    return Sheet(modes, np.array(hard))


def _as_answers(answers: Sequence[Answer], problems: Sequence[Problem]) -> Answers:
    pairs = zip(answers, problems, strict=True)
    right = [split_rationale(one.text)[0].strip() == answer_text(problem.answer) for one, problem in pairs]
    tokens = np.array([one.tokens for one in answers], dtype=np.float64)
    return Answers(np.array(right), tokens, [one.signal for one in answers])


def methods(fitted_on: Sheet, sheet: Sheet) -> dict[str, Method]:
    """Every method on `sheet`, its gate fitted on `fitted_on`."""
    alone = _fit(fitted_on.modes["fast"], DEFAULT_FEATURES)
    entropy = _fit(fitted_on.modes["answer_first"], DEFAULT_FEATURES)
    both = _fit(fitted_on.modes["answer_first"], None)
    only = _fit(fitted_on.modes["answer_first"], RATIONALE_FEATURES[-1:])
    fast, first = sheet.modes["fast"], sheet.modes["answer_first"]
    hard = sheet.difficulty >= DOUBTFUL
    auto = Method(
        np.where(hard, first.right, fast.right),
        np.where(hard, first.tokens, fast.tokens),
        np.where(hard, _risks(both, first), _risks(alone, fast)),
        float(hard.mean()),
    )
    return {
        "fast, entropy": Method(fast.right, fast.tokens, _risks(alone, fast), 0.0),
        "answer first, entropy": Method(first.right, first.tokens, _risks(entropy, first), 1.0),
        "answer first, agreement": Method(first.right, first.tokens, _risks(only, first), 1.0),
        "answer first, both": Method(first.right, first.tokens, _risks(both, first), 1.0),
        "auto, both": auto,
    }


def _fit(answers: Answers, features: Sequence[str] | None) -> ModeProfile:
    wrong = [not right for right in answers.right]
    if features is None or "contradicted" not in features:
        return fit_mode(answers.signals, wrong, features=features)
    known = [index for index, one in enumerate(answers.signals) if "rationale_agreement" in one]
    return fit_mode([answers.signals[i] for i in known], [wrong[i] for i in known], features=features)


def _risks(profile: ModeProfile, answers: Answers) -> Floats:
    return np.array([profile.risk(signal) for signal in answers.signals])


def figures(
    known: Method, shown: Method, fitted_on: Sheet, measured: Sheet, resampled: Resampled
) -> dict[str, Any]:
    """AUROC of the risk, and accuracy and tokens at the threshold that the calibration questions chose."""
    threshold = choose(known, fitted_on.modes["deep"])
    right, tokens = outcome(shown, measured.modes["deep"], threshold)
    each = np.arange(len(right))
    return {
        "auroc": with_interval(resampled.auroc(each, shown.risk, ~shown.right)),
        "checked_share": shown.checked,
        "threshold": threshold,
        "escalated": float((shown.risk > threshold).mean()),
        "accuracy": with_interval(resampled.mean(each, right.astype(np.float64))),
        "tokens": with_interval(resampled.mean(each, tokens)),
        "curve": curve(shown, measured.modes["deep"]),
    }


def choose(method: Method, deep: Answers) -> float:
    """The risk above which answers escalate: the fewest tokens within reach of always thinking."""
    wanted = deep.right.mean() - BELOW_DEEP
    found = [(threshold, *outcome(method, deep, threshold)) for threshold in _thresholds(method.risk)]
    enough = [(tokens.mean(), threshold) for threshold, right, tokens in found if right.mean() >= wanted]
    return float(min(enough)[1]) if enough else -1.0


def outcome(method: Method, deep: Answers, threshold: float) -> tuple[NDArray[np.bool_], Floats]:
    """What is handed on, right or not, and the tokens of both answers."""
    escalated = method.risk > threshold
    return np.where(escalated, deep.right, method.right), method.tokens + escalated * deep.tokens


def curve(method: Method, deep: Answers) -> list[list[float]]:
    """[escalated share, tokens, accuracy] from none to all."""
    found: list[list[float]] = []
    for threshold in _thresholds(method.risk)[::-1]:
        right, tokens = outcome(method, deep, threshold)
        found.append([float((method.risk > threshold).mean()), float(tokens.mean()), float(right.mean())])
    return np.round(found, 4).tolist()


def _thresholds(risk: Floats) -> Floats:
    return np.unique(np.concatenate(([-1.0], np.quantile(risk, np.linspace(0, 1, 41)))))


def plain(answers: Answers, resampled: Resampled) -> dict[str, Any]:
    """A mode alone."""
    each = np.arange(len(answers.right))
    return {
        "accuracy": with_interval(resampled.mean(each, answers.right.astype(np.float64))),
        "tokens": with_interval(resampled.mean(each, answers.tokens)),
    }


def checks(answers: Answers) -> dict[str, Any]:
    """How often the rationale agrees, and how often each kind of answer is wrong."""
    found: dict[str, list[bool]] = {}
    for signal, right in zip(answers.signals, answers.right, strict=True):
        found.setdefault(str(signal.get("rationale_agreement")), []).append(not right)
    return {kind: {"answers": len(wrong), "wrong": float(np.mean(wrong))} for kind, wrong in found.items()}


def show(result: Mapping[str, Any]) -> None:
    print_table(
        ["mode", "accuracy", "output tokens"],
        [[name, _cell(one["accuracy"]), _cell(one["tokens"], 1)] for name, one in result["modes"].items()],
    )
    for kind, one in result["rationale"].items():
        print(f"rationale agreement {kind}: {one['answers']} answers, {100 * one['wrong']:.1f} % wrong")
    print()
    print_table(
        ["method", "AUROC", "checked", "escalated", "accuracy", "output tokens"],
        [
            [
                name,
                _cell(one["auroc"]),
                f"{100 * one['checked_share']:.0f} %",
                f"{100 * one['escalated']:.0f} %",
                _cell(one["accuracy"]),
                _cell(one["tokens"], 1),
            ]
            for name, one in result["methods"].items()
        ],
    )


def _cell(found: Mapping[str, float], digits: int = 3) -> str:
    return f"{found['value']:.{digits}f} [{found['low']:.{digits}f}, {found['high']:.{digits}f}]"


if __name__ == "__main__":
    main()
