"""A student's answers to the same problems in every order, and the policies that choose between them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from embedded_measures import auroc, paired_difference, wilson
from numpy.typing import NDArray

from adaptive_reasoner.embedded.batch import Generation, generate_batch
from adaptive_reasoner.embedded.dialogue import Mode, render_prompt
from adaptive_reasoner.embedded.first_token import think_logits
from adaptive_reasoner.embedded.generation import GenerationConfig
from adaptive_reasoner.embedded.problems import MAX_LEVEL, Problem
from adaptive_reasoner.embedded.runtime import Runtime
from adaptive_reasoner.embedded.weights import read_weights

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
_ANSWER = re.compile(r"Answer: (\d+)")


@dataclass(frozen=True, slots=True)
class Said:
    """One order's answers to n problems: right or not, and generated tokens."""

    right: Flags
    tokens: Floats


@dataclass(frozen=True, slots=True)
class Student:
    """A trained student and what perception says of n problems.

    Attributes:
        orders: of its training.
        logits: (n,), log P(<think>) - log P(<fast>); empty where it learned one order.
        threshold: log odds from which it thinks.
    """

    name: str
    about: dict[str, Any]
    runtime: Runtime
    answers: dict[str, Said]
    logits: Floats = field(default_factory=lambda: np.zeros(0))
    threshold: float = 0.0

    @property
    def thinks(self) -> Flags:
        """Where perception thinks first."""
        return self.logits >= self.threshold


def answer_value(generation: Generation) -> int | None:
    found = _ANSWER.search(generation.text)
    return int(found[1]) if found else None


def ask(
    runtime: Runtime, problems: Sequence[Problem], mode: Mode, config: GenerationConfig | None = None
) -> list[Generation]:
    prompts = [render_prompt([("user", problem.question)]) for problem in problems]
    return generate_batch(runtime, prompts, mode, config)


def said(generations: Sequence[Generation], problems: Sequence[Problem]) -> Said:
    pairs = list(zip(generations, problems, strict=True))
    return Said(
        np.array([answer_value(one) == problem.answer for one, problem in pairs]),
        np.array([float(len(one.tokens)) for one in generations]),
    )


def read_student(folder: Path, about: dict[str, Any], problems: Sequence[Problem], seed: int) -> Student:
    """Answer every problem greedily in the orders that the student learned; what was answered before is kept.

    Args:
        folder: with model.npz.
        about: its model.json.
        problems: fresh ones.
        seed: of the problems, which names what is kept.
    """
    runtime = Runtime(read_weights(folder))
    orders = about["provenance"]["orders"]
    modes: dict[str, Mode] = {"think_first": "deep", "answer_first": "fast"}
    answers = {
        order: _kept(
            folder / f"{order}-{len(problems)}-{seed}-{runtime.weights.fingerprint}.npz",
            runtime,
            problems,
            mode,
        )
        for order, mode in modes.items()
        if order in orders
    }
    if len(orders) == 1:
        return Student(folder.name, about, runtime, answers)
    prompts = [render_prompt([("user", problem.question)]) for problem in problems]
    chosen = about["auto"]["thresholds"][str(about["auto"]["chosen"])]
    odds = np.clip(chosen, 1e-9, 1 - 1e-9)
    threshold = float(np.log(odds / (1 - odds)))
    return Student(folder.name, about, runtime, answers, think_logits(runtime, prompts), threshold)


def _kept(path: Path, runtime: Runtime, problems: Sequence[Problem], mode: Mode) -> Said:
    if not path.is_file():
        found = said(ask(runtime, problems, mode), problems)
        np.savez(path, right=found.right, tokens=found.tokens)
    with np.load(path) as arrays:
        return Said(arrays["right"], arrays["tokens"])


def policies(both: Student, singles: dict[str, Student]) -> dict[str, Said]:
    """Every policy's expected rightness and tokens, problem by problem; choosing costs one token."""
    think, answer, thinks = both.answers["think_first"], both.answers["answer_first"], both.thinks
    share = float(thinks.mean())
    helps = think.right & ~answer.right
    return {
        "think first only": singles["think_first"].answers["think_first"],
        "answer first only": singles["answer_first"].answers["answer_first"],
        "both learned, always think": think,
        "both learned, always answer": answer,
        "fixed mix": Said(_mix(share, think.right, answer.right), _mix(share, think.tokens, answer.tokens)),
        "adaptive": _chosen(thinks, think, answer),
        "oracle order": _chosen(helps, think, answer),
    }


def _mix(share: float, think: NDArray[Any], answer: NDArray[Any]) -> Floats:
    """The mean over coins that think with this probability, whatever the problem."""
    return share * think.astype(np.float64) + (1 - share) * answer.astype(np.float64)


def _chosen(thinks: Flags, think: Said, answer: Said) -> Said:
    return Said(
        np.where(thinks, think.right, answer.right), np.where(thinks, think.tokens, answer.tokens) + 1.0
    )


def table(found: dict[str, Said], problems: Sequence[Problem]) -> list[dict[str, Any]]:
    """Accuracy with its interval and tokens, over all and by step count; leads of adaptive are paired."""
    levels = np.array([problem.level for problem in problems])
    adaptive = found["adaptive"]
    rows: list[dict[str, Any]] = []
    for name, one in found.items():
        right = one.right.astype(np.float64)
        rows.append(
            {
                "policy": name,
                "accuracy": _interval(right),
                "tokens": float(one.tokens.mean()),
                "token_share_of_think_first": float(
                    one.tokens.mean() / found["think first only"].tokens.mean()
                ),
                "adaptive_leads_by": paired_difference(adaptive.right, right),  # type: ignore[arg-type]
                "by_steps": {
                    str(level): {
                        **_interval(right[levels == level]),
                        "tokens": float(one.tokens[levels == level].mean()),
                    }
                    for level in range(1, MAX_LEVEL + 1)
                },
            }
        )
    return rows


def _interval(right: Floats) -> dict[str, Any]:
    """Wilson where each is right or wrong; normal for the mix, whose parts are means of coins."""
    if np.isin(right, (0.0, 1.0)).all():
        return wilson(int(right.sum()), len(right))
    half = 1.96 * float(right.std(ddof=1)) / len(right) ** 0.5
    mean = float(right.mean())
    return {"share": mean, "low": mean - half, "high": mean + half, "n": len(right)}


def perception_figures(both: Student) -> dict[str, Any]:
    """How well perception tells where thinking helps, beside the oracle order."""
    think, answer = both.answers["think_first"], both.answers["answer_first"]
    helps = think.right & ~answer.right
    mix = _mix(float(both.thinks.mean()), think.right, answer.right).mean()
    oracle, ours = _chosen(helps, think, answer), _chosen(both.thinks, think, answer)
    return {
        "thinks": float(both.thinks.mean()),
        "oracle_thinks": float(helps.mean()),
        "auroc_thinking_helps": auroc(both.logits.tolist(), helps.tolist()),
        "auroc_answer_wrong": auroc(both.logits.tolist(), (~answer.right).tolist()),
        "agrees_with_oracle": float((both.thinks == helps).mean()),
        "gap_mix_to_oracle_closed": float((ours.right.mean() - mix) / (oracle.right.mean() - mix)),
        "promised": both.about["auto"]["perception"],
    }
