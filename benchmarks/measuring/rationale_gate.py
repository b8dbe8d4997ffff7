"""Rationale agreement as a gate on a student: answer first, hold the rationale against it, think where in doubt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
from embedded_measures import auroc, wilson
from measuring.distilled import Flags, Floats, Said, answer_value, ask
from numpy.typing import NDArray

from adaptive_reasoner.embedded.batch import Generation
from adaptive_reasoner.embedded.generation import GenerationConfig
from adaptive_reasoner.embedded.problems import Problem
from adaptive_reasoner.embedded.runtime import Runtime
from adaptive_reasoner.embedded.tokenizer import special
from adaptive_reasoner.gate.statistics import fit_logistic
from adaptive_reasoner.uncertainty.rationale import rationale_agreement

_DIGITS = "0123456789"


def _garbled(text: str, rng: Random, share: float) -> str:
    """Some digits replaced by others."""
    return "".join(
        rng.choice(_DIGITS) if letter in _DIGITS and rng.random() < share else letter for letter in text
    )


def _cut(text: str, kept: float) -> str:
    return text[: int(len(text) * kept)]


# What becomes of a rationale on its way to the gate.
CORRUPTIONS: dict[str, Callable[[str, Random], str]] = {
    "whole": lambda text, _: text,
    "cut to 70 %": lambda text, _: _cut(text, 0.7),
    "cut to 40 %": lambda text, _: _cut(text, 0.4),
    "2 % of digits garbled": lambda text, rng: _garbled(text, rng, 0.02),
    "10 % of digits garbled": lambda text, rng: _garbled(text, rng, 0.10),
    "30 % of digits garbled": lambda text, rng: _garbled(text, rng, 0.30),
}


@dataclass(frozen=True, slots=True)
class Explained:
    """Answers that come with their rationale.

    Attributes:
        entropies: (n,) nats, the largest of an answer's tokens over the renormalised top 20.
        rationales: the texts after "Because:".
        answer_tokens, tokens: up to the answer's end, and with the rationale.
    """

    right: Flags
    values: list[int | None]
    entropies: Floats
    rationales: list[str]
    answer_tokens: Floats
    tokens: Floats


def explain(runtime: Runtime, problems: Sequence[Problem]) -> Explained:
    """Answer first, with the rationale, greedily."""
    given = ask(runtime, problems, "answer_first", GenerationConfig(top_logprobs=20))
    values = [answer_value(one) for one in given]
    right = [value == problem.answer for value, problem in zip(values, problems, strict=True)]
    ends = [_answer_length(one) for one in given]
    return Explained(
        np.array(right),
        values,
        np.array([_entropy(one, end) for one, end in zip(given, ends, strict=True)]),
        [one.text.partition("<because>")[2].strip() for one in given],
        np.array(ends, dtype=np.float64),
        np.array([float(len(one.tokens)) for one in given]),
    )


def _answer_length(generation: Generation) -> int:
    because = special("<because>")
    ids = [token.id for token in generation.tokens]
    return ids.index(because) + 1 if because in ids else len(ids)


def _entropy(generation: Generation, end: int) -> float:
    scores = [token.scores for token in generation.tokens[: max(1, end - 1)]]
    p = [np.exp(score.top_logprobs.astype(np.float64)) for score in scores if score is not None]
    return max(float(-(q / q.sum() * np.log(np.maximum(q / q.sum(), 1e-300))).sum()) for q in p)


def contradictions(explained: Explained, corruption: str, seed: int = 0) -> Floats:
    """(n,): 1 where the work, done again, contradicts the answer, 0 where it leads to it, nan where none is found."""
    damage, rng = CORRUPTIONS[corruption], Random(f"{corruption}:{seed}")
    found: list[float] = []
    for value, rationale in zip(explained.values, explained.rationales, strict=True):
        work = damage(rationale, rng).partition("check:")[0]
        agreed = None if value is None else rationale_agreement(f"Answer: {value}\nBecause: {work}")
        found.append(float("nan") if agreed is None else 1.0 - agreed)
    return np.array(found)


def _features(explained: Explained, contradicts: Floats) -> NDArray[np.float64]:
    entropy = np.log(explained.entropies + 1e-4)
    unknown = np.isnan(contradicts)
    flag = np.where(unknown, 0.0, contradicts)
    return np.column_stack([entropy, flag, unknown.astype(np.float64), entropy * flag])


def judge(
    calibration: Explained, test: Explained, think: Said, corruption: str
) -> tuple[dict[str, Any], dict[str, list[tuple[float, float]]]]:
    """AUROC of each signal for a wrong answer, and accuracy over tokens where the doubtful think.

    "both" is fitted on calibration problems whose rationales are whole: damage comes unannounced.
    """
    known = contradictions(calibration, "whole")
    weights, bias = fit_logistic(_features(calibration, known), (~calibration.right).astype(np.float64))
    flags = contradictions(test, corruption)
    scores = {
        "entropy": test.entropies,
        "agreement": np.where(np.isnan(flags), 0.5, flags),
        "both": _features(test, flags) @ weights + bias,
    }
    wrong = ~test.right
    contradicted, agreed = flags == 1.0, flags == 0.0
    figures = {
        "auroc_for_wrong": {name: auroc(score.tolist(), wrong.tolist()) for name, score in scores.items()},
        "rationale_read": wilson(int((~np.isnan(flags)).sum()), len(flags)),
        "contradicted": wilson(int(contradicted.sum()), len(flags)),
        "wrong_if_contradicted": wilson(int((wrong & contradicted).sum()), int(contradicted.sum())),
        "wrong_if_agreed": wilson(int((wrong & agreed).sum()), int(agreed.sum())),
    }
    paid = {"entropy": test.answer_tokens, "agreement": test.tokens, "both": test.tokens}
    return figures, {name: _curve(score, test, think, paid[name]) for name, score in scores.items()}


def _curve(score: Floats, test: Explained, think: Said, paid: Floats) -> list[tuple[float, float]]:
    """(tokens, accuracy) where the most doubtful 0 %, 5 %, … 100 % think as well."""
    order = np.argsort(-score, kind="stable")
    points: list[tuple[float, float]] = []
    for share in np.linspace(0.0, 1.0, 21):
        thinks = np.zeros(len(order), dtype=np.bool_)
        thinks[order[: round(share * len(order))]] = True
        right = np.where(thinks, think.right, test.right)
        points.append((float((paid + thinks * think.tokens).mean()), float(right.mean())))
    return points
