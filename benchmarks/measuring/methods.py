"""Every method of the frontier, as operating points over the same answers."""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from measuring.saving import Line
from numpy.typing import NDArray

from adaptive_reasoner.config import Gate
from adaptive_reasoner.training.embedded.calibrate_answers import Answer
from adaptive_reasoner.training.embedded.calibrate_policy import (
    Case,
    Floats,
    Totals,
    run_policy,
    totals,
    totals_of_mode,
)

Flags = NDArray[np.bool_]

_SWEEP = 61
_WEAVE_PERPLEXITY = 1.4
_WEAVE_ENTROPY_NATS = 1.5
_WEAVE_TOP = 5
_WEAVE_LOW_PROBABILITY = 0.5
_WEAVE_LOW_TOKENS = 3


def fast_then(cases: Sequence[Case], mode: str, again: Flags) -> Totals:
    """The fast answer, replaced by another mode's wherever `again` holds, whichever is better."""
    fast, other = totals_of_mode(cases, "fast"), totals_of_mode(cases, mode)  # type: ignore[arg-type]
    return Totals(np.where(again, other.right, fast.right), fast.tokens + again * other.tokens)


def instead_of_fast(cases: Sequence[Case], thinks: Flags) -> Totals:
    """Deep at once wherever `thinks` holds, fast elsewhere."""
    fast, deep = totals_of_mode(cases, "fast"), totals_of_mode(cases, "deep")
    return Totals(np.where(thinks, deep.right, fast.right), np.where(thinks, deep.tokens, fast.tokens))


def sweep(scores: Floats, point: Callable[[Flags], Totals]) -> list[Totals]:
    """Operating points from "nowhere" to "everywhere", by the highest scores first."""
    order = np.argsort(-scores, kind="stable")
    points: list[Totals] = []
    for share in np.linspace(0, 1, _SWEEP):
        chosen = np.zeros(len(scores), dtype=np.bool_)
        chosen[order[: round(share * len(scores))]] = True
        points.append(point(chosen))
    return points


def triage_alone(cases: Sequence[Case], gains: Floats, name: str = "triage alone") -> Line:
    """Think at once where triage predicts the largest gain."""
    return Line(name, sweep(gains, lambda chosen: instead_of_fast(cases, chosen)))


def entropy_gate(cases: Sequence[Case]) -> Line:
    """Escalate the fast answers of highest mean entropy and keep what comes back."""
    entropies = np.array([_mean_entropy(case.answers["fast"]) for case in cases])
    return Line("gate alone: entropy", sweep(entropies, lambda chosen: fast_then(cases, "deep", chosen)))


def _mean_entropy(answer: Answer) -> float:
    bounds = answer.signal["entropy_nats"]
    return np.inf if bounds is None else bounds["lower"]


def gate_line(name: str, cases: Sequence[Case], gates: Sequence[Gate], starts_deep: Sequence[Flags]) -> Line:
    """The shipped policy's own code: one point a gate, with the questions on which triage thinks at once."""
    points: list[Totals] = []
    for gate, thinks_at_once in zip(gates, starts_deep, strict=True):
        outcomes = [
            run_policy(case, gate, first="deep" if at_once else "fast")
            for case, at_once in zip(cases, thinks_at_once.tolist(), strict=True)
        ]
        points.append(totals(outcomes))
    return Line(name, points)


def weave_fires(answer: Answer) -> bool:
    """The published rule of weave-logprobs-reasoning-loop, over all visible tokens.

    Perplexity > 1.4, or a token whose renormalised top-5 entropy is > 1.5 nats, or >= 3 tokens with p < .5.
    """
    if not len(answer.logprobs):
        return False
    chosen, top = answer.logprobs[:, 0], answer.logprobs[:, 1 : 1 + _WEAVE_TOP].astype(np.float64)
    probabilities = np.exp(top) / np.exp(top).sum(axis=1, keepdims=True)
    entropies = -(probabilities * np.log(np.maximum(probabilities, 1e-300))).sum(axis=1)
    return bool(
        np.exp(-chosen.mean()) > _WEAVE_PERPLEXITY
        or entropies.max() > _WEAVE_ENTROPY_NATS
        or (chosen < np.log(_WEAVE_LOW_PROBABILITY)).sum() >= _WEAVE_LOW_TOKENS
    )


def weave(cases: Sequence[Case]) -> list[Line]:
    """One round, always keeping the rewrite: by refining, as published, and by thinking."""
    fires = np.array([weave_fires(case.answers["fast"]) for case in cases])
    return [
        Line("weave rule, refine", [fast_then(cases, "refine", fires)]),
        Line("weave rule, think", [fast_then(cases, "deep", fires)]),
    ]


def self_consistency(samples: Sequence[Sequence[Answer]]) -> Line:
    """The most frequent of k sampled fast answers, the first of equals.

    Args:
        samples: k lists of n answers.
    """
    right, tokens = [], []
    for answers in zip(*samples, strict=True):
        votes = Counter(answer.text for answer in answers)
        winner = max(answers, key=lambda answer: votes[answer.text])
        right.append(winner.is_right)
        tokens.append(sum(answer.tokens for answer in answers))
    name = f"self-consistency, {len(samples)} samples"
    return Line(name, [Totals(np.array(right, dtype=np.float64), np.array(tokens, dtype=np.float64))])
