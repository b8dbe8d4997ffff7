"""Fits the gain of thinking to questions with the outcomes of both modes.

The gain is predicted directly: its two halves (who fails fast, who fails deep) are both mostly difficulty, and a
difference of two models of difficulty is noisier than one model of the difference. Outcomes of one question say
little (deep right - fast right is -1, 0 or 1), so the fit may lean on what is known beforehand: cues have signs,
their weights start equal (Dawes 1979, "The robust beauty of improper linear models"), a ridge pulls back to
that start, and no weight crosses zero. How strong the ridge is, cross-validation over groups of questions says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from adaptive_reasoner.gate.statistics import fit_logistic
from adaptive_reasoner.training.triage.examples import TriageExample
from adaptive_reasoner.training.triage.scoring import Floats, apgr
from adaptive_reasoner.triage.cues import SIGNS
from adaptive_reasoner.triage.linear import FEATURE_SETS, LinearEstimator

RIDGES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)  # times the number of questions
_DIFFICULTY_RIDGE = 30.0
_LEAST_SLOPE = 1e-4
_SWEEPS = 500


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a gain is fitted.

    Attributes:
        features: a key of `FEATURE_SETS`.
        ridge: times the number of questions, the strength of the pull.
        signed: whether the cues keep the signs that are known beforehand.
    """

    features: str
    ridge: float
    signed: bool = True

    @property
    def signs(self) -> Floats:
        """The sign that each feature's weight keeps, 0 for a free one, shape (f,)."""
        names = FEATURE_SETS[self.features].names
        return np.array(
            [SIGNS.get(name, 0) if self.signed and self.features == "cues" else 0 for name in names], float
        )


@dataclass(frozen=True, slots=True)
class Line:
    """A fitted line: gain = bias + features @ weights."""

    weights: Floats
    bias: float

    def predict(self, features: Floats) -> Floats:
        """Gains of questions with these features, shape (n,)."""
        return self.bias + features @ self.weights


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Questions as arrays.

    Attributes:
        features: shape (n, f).
        fast_wrong, deep_wrong: shape (n,), 0 or 1.
        groups: shape (n,), what cross-validation keeps together.
    """

    features: Floats
    fast_wrong: Floats
    deep_wrong: Floats
    groups: Sequence[str]

    @property
    def gains(self) -> Floats:
        """Deep right - fast right, shape (n,), in -1, 0, 1."""
        return self.fast_wrong - self.deep_wrong

    def where(self, kept: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> "Outcomes":
        """The questions that are marked."""
        groups = [group for group, keep in zip(self.groups, kept, strict=True) if keep]
        return Outcomes(self.features[kept], self.fast_wrong[kept], self.deep_wrong[kept], groups)


def outcomes_of(examples: Sequence[TriageExample], features: str) -> Outcomes:
    """Compute the features of each question."""
    kind = FEATURE_SETS[features]
    computed = [kind.compute(example.question) for example in examples]
    return Outcomes(
        np.array([[row[name] for name in kind.names] for row in computed], dtype=np.float64),
        np.array([not example.fast_correct for example in examples], dtype=np.float64),
        np.array([not example.deep_correct for example in examples], dtype=np.float64),
        [example.group for example in examples],
    )


def fit_line(features: Floats, gains: Floats, signs: Floats, ridge: float) -> Line:
    """Fit the gain by least squares, drawn to equal weights of the given signs.

    Args:
        features: shape (n, f).
        gains: shape (n,).
        signs: shape (f,), see `Recipe.signs`; free features are drawn to 0.
        ridge: times n, the strength of the pull.
    """
    centre, scale = features.mean(axis=0), features.std(axis=0)
    turned = np.where(signs == 0, 1.0, signs) / np.where(scale > 1e-9, scale, np.inf)
    design, wanted = (features - centre) * turned, gains - gains.mean()
    together = design[:, signs != 0].sum(axis=1)
    slope = max(float(together @ wanted / max(together @ together, 1e-9)), _LEAST_SLOPE)
    start = np.where(signs != 0, slope, 0.0)
    strength = ridge * len(gains)
    curvature = design.T @ design + strength * np.eye(len(signs))
    weights = _descend(curvature, design.T @ wanted + strength * start, np.where(signs != 0, 0.0, -np.inf))
    return Line(weights * turned, float(gains.mean() - (weights * turned) @ centre))


def _descend(curvature: Floats, slope: Floats, least: Floats) -> Floats:
    """Minimise w'Cw/2 - s'w over w >= `least` by coordinate descent, which is exact in the limit."""
    weights = np.maximum(np.linalg.solve(curvature, slope), least)
    for _ in range(_SWEEPS):
        largest = 0.0
        for index in range(len(weights)):
            rest = slope[index] - curvature[index] @ weights + curvature[index, index] * weights[index]
            moved = max(rest / curvature[index, index], least[index])
            largest = max(largest, abs(moved - weights[index]))
            weights[index] = moved
        if largest < 1e-12:
            break
    return weights


def choose_recipe(
    given: Mapping[str, Outcomes], recipes: Sequence[Recipe]
) -> tuple[Recipe, dict[Recipe, float]]:
    """The recipe whose predictions for groups left out rank best, and the APGR of each.

    Args:
        given: the same questions with each feature set that a recipe names.
        recipes: what is tried.
    """
    scores = {
        recipe: apgr(predict_left_out(given[recipe.features], recipe), given[recipe.features].gains)
        for recipe in recipes
    }
    return max(scores, key=scores.__getitem__), scores


def predict_left_out(outcomes: Outcomes, recipe: Recipe) -> Floats:
    """Gains predicted for each group by a fit to the others, shape (n,)."""
    groups = np.array(outcomes.groups)
    predicted = np.zeros(len(groups))
    for group in sorted(set(outcomes.groups)):
        out = groups == group
        line = fit_line(outcomes.features[~out], outcomes.gains[~out], recipe.signs, recipe.ridge)
        predicted[out] = line.predict(outcomes.features[out])
    return predicted


def fit_estimator(outcomes: Outcomes, pair: str, recipe: Recipe) -> LinearEstimator:
    """The estimator for a pair of models, without a bound and without provenance."""
    names = FEATURE_SETS[recipe.features].names
    line = fit_line(outcomes.features, outcomes.gains, recipe.signs, recipe.ridge)
    difficulty, bias = fit_logistic(outcomes.features, outcomes.fast_wrong, ridge=_DIFFICULTY_RIDGE)
    return LinearEstimator(
        pair=pair,
        fast_wrong={"bias": bias, **dict(zip(names, difficulty.tolist(), strict=True))},
        deep_wrong={},
        think_at_gain=None,
        features=recipe.features,
        gain={"bias": line.bias, **dict(zip(names, line.weights.tolist(), strict=True))},
    )
