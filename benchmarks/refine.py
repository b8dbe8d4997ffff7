"""What refining does to the answers that the gate sends back, beside the other ways to spend those tokens.

    python benchmarks/refine.py --sent-back 5000 --seed 202 --processes 3

Fresh test problems are answered fast until enough answers are doubted; each doubted answer is then kept, asked
again blindly (a fresh sample), refined without and with its uncertain spans, thought through with as many
thinking tokens as refining took, and thought through to the end. All on the same problems, so that every
difference is paired.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from measuring.report import RESULTS, Progress, print_table, provenance, write_json

from adaptive_reasoner.config import Situation
from adaptive_reasoner.embedded.problems import Problem
from adaptive_reasoner.gate import profile_for
from adaptive_reasoner.state import Verdict
from adaptive_reasoner.thinking.switch import EMBEDDED_MODEL_NAME
from adaptive_reasoner.training.embedded.calibrate_answers import DEEP, FAST, REFINE, Answer, Ask
from adaptive_reasoner.training.embedded.calibrate_kept import Collection

_BLIND = Ask(mode="fast", temperature=1.0, seed=7)
_WITHOUT_SPANS = Ask(mode="refine", with_spans=False)
_SPANS = "refine with spans"
_EQUAL_TOKENS = "deep, equal tokens"
_BATCH = 4096
_RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Doubted:
    """Problems whose fast answer the gate did not accept, with that answer and the verdict."""

    problems: list[Problem]
    answers: list[Answer]
    verdicts: list[Verdict]

    @property
    def sent_back(self) -> np.ndarray:
        """Where the verdict was to refine, shape (n,)."""
        return np.array([verdict == "refine" for verdict in self.verdicts])


def find_doubted(options: argparse.Namespace) -> tuple[Doubted, int]:
    """Answer problems until `options.sent_back` answers were sent back; also how many that took."""
    gate = profile_for(EMBEDDED_MODEL_NAME)
    situation = Situation(mode="fast", can_refine=True, can_escalate=True, can_review=False)
    found, asked = Doubted([], [], []), 0
    collection = Collection(split="test", count=options.most, seed=options.seed, processes=options.processes)
    problems = collection.problems()
    while asked < len(problems) and found.sent_back.sum() < options.sent_back:
        part = problems[asked : asked + _BATCH]
        for problem, answer in zip(part, collection.ask(part, FAST), strict=True):
            verdict = gate.decide(answer.signal, situation).verdict
            if verdict != "accept":
                found.problems.append(problem)
                found.answers.append(answer)
                found.verdicts.append(verdict)
        asked += len(part)
        print(f"{asked} problems asked, {int(found.sent_back.sum())} answers sent back")
    return found, asked


def ask_every_way(doubted: Doubted, options: argparse.Namespace) -> dict[str, list[Answer]]:
    """The second answers, by the way in which they came about."""
    collection = Collection(
        split="test", count=options.most, seed=options.seed, processes=options.processes, progress=Progress
    )
    problems, firsts = doubted.problems, doubted.answers
    with_spans = collection.ask(problems, REFINE, firsts)
    budget = round(float(np.mean([answer.thought_tokens for answer in with_spans])))
    return {
        "keep": firsts,
        "blind re-ask": collection.ask(problems, _BLIND),
        "refine without spans": collection.ask(problems, _WITHOUT_SPANS, firsts),
        _SPANS: with_spans,
        _EQUAL_TOKENS: collection.ask(problems, Ask(mode="deep", thinking_budget=budget)),
        "deep, to its end": collection.ask(problems, DEEP),
    }


def compare(ways: dict[str, list[Answer]], where: np.ndarray) -> dict[str, Any]:
    """Figures of every way over the problems in `where`."""
    right = {
        name: np.array([a.is_right for a in answers], dtype=float)[where] for name, answers in ways.items()
    }
    before, chosen = right["keep"], np.random.default_rng(0)
    rows = chosen.integers(0, len(before), (_RESAMPLES, len(before)))
    table: dict[str, Any] = {}
    for name, answers in ways.items():
        after = right[name]
        spent = (
            [0.0] if name == "keep" else [a.tokens for a, is_in in zip(answers, where, strict=True) if is_in]
        )
        lead = right[_SPANS] - after
        table[name] = {
            "accuracy": float(after.mean()),
            "accuracy_interval": _interval(after[rows].mean(axis=1)),
            "fixed": float(((before == 0) & (after == 1)).mean()),
            "broken": float(((before == 1) & (after == 0)).mean()),
            "net": float((after - before).mean()),
            "net_interval": _interval((after - before)[rows].mean(axis=1)),
            "tokens": float(np.mean(spent)),
            "spans_lead": float(lead.mean()),
            "spans_lead_interval": _interval(lead[rows].mean(axis=1)),
            "spans_right_other_wrong": int((lead > 0).sum()),
            "spans_wrong_other_right": int((lead < 0).sum()),
        }
    return {"answers": int(where.sum()), "ways": table}


def _interval(values: np.ndarray) -> list[float]:
    return np.quantile(values, [0.025, 0.975]).tolist()


def choosing(doubted: Doubted, ways: dict[str, list[Answer]], where: np.ndarray) -> dict[str, float]:
    """What accepting the rewrite only where its risk is no higher changes, against always keeping it."""
    gate = profile_for(EMBEDDED_MODEL_NAME).modes
    kept, refined, newer = [], [], []
    for first, second, is_in in zip(doubted.answers, ways[_SPANS], where, strict=True):
        if not is_in or "fast" not in gate or "refine" not in gate:
            continue
        known = second.signal["kind"] == "logprobs"
        better = known and gate["refine"].risk(second.signal) <= gate["fast"].risk(first.signal)
        kept.append(second.is_right if better else first.is_right)
        refined.append(second.is_right)
        newer.append(better)
    if not kept:
        return {}
    return {
        "always_the_rewrite": float(np.mean(refined)),
        "the_less_risky": float(np.mean(kept)),
        "rewrite_taken": float(np.mean(newer)),
    }


def show(title: str, compared: dict[str, Any]) -> None:
    print(f"\n{title}: {compared['answers']} answers")
    header = ["", "right", "fixed", "broken", "net", "95 %", "tokens", "spans' lead", "95 %"]
    rows = [
        [
            name,
            f"{one['accuracy']:.1%}",
            f"{one['fixed']:.1%}",
            f"{one['broken']:.1%}",
            f"{one['net']:+.1%}",
            "[{:+.1%}, {:+.1%}]".format(*one["net_interval"]),
            f"{one['tokens']:.1f}",
            f"{one['spans_lead']:+.1%}",
            "[{:+.1%}, {:+.1%}]".format(*one["spans_lead_interval"]),
        ]
        for name, one in compared["ways"].items()
    ]
    print_table(header, rows)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--sent-back", type=int, default=5000, help="answers that the gate must send back")
    parser.add_argument("--most", type=int, default=40_000, help="problems to ask at most")
    parser.add_argument("--seed", type=int, default=202)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    doubted, asked = find_doubted(options)
    ways = ask_every_way(doubted, options)
    everywhere = np.ones(len(doubted.problems), dtype=bool)
    groups = {"sent_back": doubted.sent_back, "all_doubted": everywhere}
    result = {name: compare(ways, where) for name, where in groups.items() if where.any()}
    for name, compared in result.items():
        show(name.replace("_", " "), compared)
    told = {name: value for name, value in vars(options).items() if name in {"sent_back", "most", "seed"}}
    profile = profile_for(EMBEDDED_MODEL_NAME).provenance
    content = {
        **provenance("refine.py", told),
        "weights": profile.get("weights"),
        "problems_asked": asked,
        **result,
        "choosing": choosing(doubted, ways, doubted.sent_back),
    }
    print(f"\naccepting only what is better, sent back: {content['choosing']}")
    write_json("refine", content, options.results)


if __name__ == "__main__":
    main()
