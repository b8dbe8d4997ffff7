"""Fits the estimator that triage uses: P(fast wrong) and P(deep wrong) from the question's text alone."""

from collections.abc import Sequence

import numpy as np

from adaptive_reasoner.gate.statistics import fit_logistic
from adaptive_reasoner.training.embedded.calibrate_policy import Case, Floats
from adaptive_reasoner.triage.linear import FEATURES, LinearEstimator, text_features

PAIR = "embedded"


def fit_triage(cases: Sequence[Case]) -> LinearEstimator:
    """Fit both probabilities on all cases."""
    values = np.array(
        [[text_features(case.problem.question)[name] for name in FEATURES] for case in cases],
        dtype=np.float64,
    )
    return LinearEstimator(
        pair=PAIR,
        fast_wrong=_weights(values, np.array([not case.answers["fast"].is_right for case in cases])),
        deep_wrong=_weights(values, np.array([not case.answers["deep"].is_right for case in cases])),
    )


def _weights(values: Floats, wrong: Floats) -> dict[str, float]:
    weights, bias = fit_logistic(values, wrong.astype(np.float64))
    return {"bias": bias, **dict(zip(FEATURES, weights.tolist(), strict=True))}
