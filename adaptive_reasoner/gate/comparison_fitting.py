"""Fitting the accept-if-better step, and finding out whether it knows anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from adaptive_reasoner.gate.comparison import Comparison
from adaptive_reasoner.gate.curve import Floats
from adaptive_reasoner.gate.features import DIRECTIONS, feature_values
from adaptive_reasoner.gate.fitting import fit_directed
from adaptive_reasoner.gate.scored import Scored
from adaptive_reasoner.gate.statistics import sigmoid
from adaptive_reasoner.state import Signal

FEATURES_COMPARED = ("log_entropy_sum",)
_FOLDS = 10
_LEAST_DIFFERING = 50  # questions that one of the two answers gets right


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Questions with both answers: features (n, 2f), and whether each answer is right (n,)."""

    values: Floats
    fast_right: Floats
    deep_right: Floats


def fit_comparison(scored: Sequence[Scored], confidence: float) -> tuple[Comparison, dict[str, Any]]:
    """Fit the comparison on questions that just one answer gets right; without weights if it does not know.

    It is used only if, on folds that it was not fitted on, it predicts the right answer better than their mere
    shares do (with `confidence`, one-sided) and keeping its fast answers gains accuracy. Folds are runs of
    neighbouring examples: neighbours are often alike, so that this is a test on other questions.

    Returns:
        The comparison, and the figures behind it: pairs, differing, informative (z), gain (in P(right) a
        question, against always taking the deep answer), used.
    """
    unmeasured = _unmeasured_error(scored)
    pairs = _pairs(scored)
    differing = int((pairs.fast_right != pairs.deep_right).sum())
    figures: dict[str, Any] = {"pairs": len(pairs.values), "differing": differing, "used": False}
    if differing < _LEAST_DIFFERING:
        return Comparison(unmeasured_error=unmeasured), figures
    informative, gain = _cross_validate(pairs)
    used = informative > NormalDist().inv_cdf(confidence) and gain > 0
    figures |= {"informative_z": informative, "gain": gain, "used": used}
    if not used:
        return Comparison(unmeasured_error=unmeasured), figures
    weights, bias = _fit(pairs, np.arange(len(pairs.values)))
    half = len(FEATURES_COMPARED)
    return (
        Comparison(
            features=FEATURES_COMPARED,
            fast_weights=tuple(weights[:half].tolist()),
            deep_weights=tuple(weights[half:].tolist()),
            bias=bias,
            unmeasured_error=unmeasured,
        ),
        figures,
    )


def wrong_after(scored: Sequence[Scored], comparison: Comparison) -> list[bool | None]:
    """Whether the answer handed on after thinking is wrong; None where the deep answer has no label."""
    return [_wrong_after(example, comparison) for example in scored]


def _wrong_after(example: Scored, comparison: Comparison) -> bool | None:
    if example.deep is None or example.deep_wrong is None:
        return example.deep_wrong
    return example.fast_wrong if comparison.keeps_fast(example.fast, example.deep) else example.deep_wrong


def _unmeasured_error(scored: Sequence[Scored]) -> float | None:
    wrong = [e.deep_wrong for e in scored if e.deep is None and e.deep_wrong is not None]
    return (sum(wrong) + 1) / (len(wrong) + 2) if wrong else None


def _pairs(scored: Sequence[Scored]) -> _Pairs:
    known = [(e.fast, e.deep, e) for e in scored if e.deep is not None and e.deep_wrong is not None]
    rows = [[*_values(fast), *_values(deep)] for fast, deep, _ in known]
    return _Pairs(
        values=np.array(rows, dtype=np.float64).reshape(len(rows), 2 * len(FEATURES_COMPARED)),
        fast_right=np.array([not e.fast_wrong for _, _, e in known], dtype=np.float64),
        deep_right=np.array([not e.deep_wrong for _, _, e in known], dtype=np.float64),
    )


def _values(signal: Signal) -> list[float]:
    return feature_values(signal, FEATURES_COMPARED)


def _fit(pairs: _Pairs, rows: "np.ndarray[Any, np.dtype[np.intp]]") -> tuple[Floats, float]:
    """The more a fast answer is in doubt, the likelier the deep one is right, and the other way round."""
    differing = rows[pairs.fast_right[rows] != pairs.deep_right[rows]]
    one_way = np.array([DIRECTIONS[name] for name in FEATURES_COMPARED])
    return fit_directed(
        pairs.values[differing], pairs.deep_right[differing], np.concatenate([one_way, -one_way])
    )


def _cross_validate(pairs: _Pairs) -> tuple[float, float]:
    """How many standard errors the log likelihood gains over the mere shares, and the gain in accuracy."""
    everything = np.arange(len(pairs.values))
    differs = pairs.fast_right != pairs.deep_right
    predicted, share = np.empty(len(everything)), np.empty(len(everything))
    for fold in np.array_split(everything, _FOLDS):
        others = np.setdiff1d(everything, fold)
        weights, bias = _fit(pairs, others)
        predicted[fold] = sigmoid(pairs.values[fold] @ weights + bias)
        right = pairs.deep_right[others][differs[others]]
        share[fold] = (right.sum() + 1) / (len(right) + 2)
    outcome = pairs.deep_right[differs]
    gains = _log_likelihood(predicted[differs], outcome) - _log_likelihood(share[differs], outcome)
    spread = max(float(gains.std()), 1e-12) / np.sqrt(len(gains))
    kept = np.where(predicted < 0.5, pairs.fast_right - pairs.deep_right, 0.0)
    return float(gains.mean() / spread), float(kept.mean())


def _log_likelihood(chance: Floats, outcome: Floats) -> Floats:
    kept = np.clip(chance, 0.01, 0.99)
    return np.asarray(outcome * np.log(kept) + (1 - outcome) * np.log(1 - kept), dtype=np.float64)
