"""The perception module: reads the question's last hidden state and says whether thinking first is worth it.

One logistic line is fitted to the expected utility of thinking first, u = (right thinking first - right answering
first) - price * (tokens of the one - tokens of the other): the fit of (1 + u) / 2 is above one half exactly where
u is expected to be positive. Price, ridge and threshold are those that spend the fewest tokens on questions left
out of the fit, while accuracy stays within a tolerance of thinking first always.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adaptive_reasoner.gate.statistics import auroc, fit_logistic

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

PRICES = (0.0, 0.0005, 0.001, 0.002, 0.004, 0.008)  # of a token, in units of P(right)
RIDGES = (10.0, 100.0, 1000.0)  # strengths of the pull towards 0, on standardised states
_FOLDS = 4


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What both orders led to on the same n questions.

    Attributes:
        answer_right, think_right: shape (n,).
        answer_tokens, think_tokens: shape (n,), generated tokens as they are paid.
    """

    answer_right: Flags
    think_right: Flags
    answer_tokens: Floats
    think_tokens: Floats

    def accuracy(self, thinks: Flags) -> float:
        """Share right where `thinks` says which questions think first."""
        return float(np.where(thinks, self.think_right, self.answer_right).mean())

    def tokens(self, thinks: Flags) -> float:
        """Mean tokens a question."""
        return float(np.where(thinks, self.think_tokens, self.answer_tokens).mean())

    def utility(self, price: float) -> Floats:
        """What thinking first gains, shape (n,), in [-1, 1]."""
        gain = self.think_right.astype(np.float64) - self.answer_right.astype(np.float64)
        return np.clip(gain - price * (self.think_tokens - self.answer_tokens), -1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Perception:
    """A fitted line: thinks first where `states @ weights + bias >= 0`.

    Attributes:
        weights: shape (d,), for hidden states as the student gives them.
        bias: the threshold is in it.
        price: of a token, that it was fitted at.
        share: of the questions it was fitted on, that think first.
        figures: what it promises on questions left out of the fit.
    """

    weights: Floats
    bias: float
    price: float
    share: float
    figures: dict[str, float]

    def logits(self, states: Floats) -> Floats:
        """Shape (n,), for hidden states of shape (n, d)."""
        return states @ self.weights + self.bias

    def to_json(self) -> dict[str, Any]:
        """Everything, as plain JSON."""
        return {
            "weights": self.weights.tolist(), "bias": self.bias, "price": self.price, "share": self.share,
            "figures": self.figures,
        }  # fmt: skip

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Perception":
        """Read what `to_json` gave."""
        return cls(
            np.array(data["weights"], dtype=np.float64), float(data["bias"]), float(data["price"]),
            float(data["share"]), dict(data["figures"]),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a fit depends on: the price of a token, and the strength of the pull towards 0."""

    price: float
    ridge: float = 0.0


@dataclass(frozen=True, slots=True)
class Point:
    """One recipe and threshold, as seen on questions left out of the fit."""

    recipe: Recipe
    share: float
    accuracy: float
    tokens: float


def fit_perception(
    states: Floats, outcomes: Outcomes, tolerance: float, prices: Sequence[float] = PRICES
) -> Perception:
    """Fit the line and choose price and threshold, by cross-validation.

    Args:
        states: shape (n, d), the last hidden state of each question.
        outcomes: of both orders on the same questions, none of which the student was trained on.
        tolerance: accuracy that may be lost against thinking first always, 0..1.
        prices: that are tried.
    """
    scores = {
        Recipe(price, ridge): _left_out(states, outcomes.utility(price), ridge)
        for price in prices
        for ridge in RIDGES
    }
    best = choose_point(scores, outcomes, tolerance)
    utility = outcomes.utility(best.recipe.price)
    weights, bias = fit_logistic(states, (1.0 + utility) / 2.0, ridge=best.recipe.ridge)
    threshold = threshold_of(states @ weights + bias, best.share)
    figures = promise(best, scores[best.recipe], outcomes)
    return Perception(weights, bias - threshold, best.recipe.price, best.share, figures)


def choose_point(scores: Mapping[Recipe, Floats], outcomes: Outcomes, tolerance: float) -> Point:
    """The fewest tokens whose accuracy stays within the tolerance of thinking first always.

    Args:
        scores: recipe -> shape (n,), of questions left out of the fit.
        outcomes: of the same questions.
        tolerance: of accuracy, 0..1.
    """
    points = [point for recipe, score in scores.items() for point in _sweep(score, outcomes, recipe)]
    least = outcomes.accuracy(np.ones(len(outcomes.think_right), dtype=np.bool_)) - tolerance
    allowed = [point for point in points if point.accuracy >= least]
    return min(allowed or points, key=lambda point: (point.tokens, -point.accuracy))


def promise(best: Point, scores: Floats, outcomes: Outcomes) -> dict[str, float]:
    """What a point is worth on questions left out of the fit."""
    return {
        "accuracy": best.accuracy,
        "tokens": best.tokens,
        "think_first_accuracy": float(outcomes.think_right.mean()),
        "think_first_tokens": float(outcomes.think_tokens.mean()),
        "auroc_thinking_helps": auroc(scores, oracle_order(outcomes)),
    }


def oracle_order(outcomes: Outcomes) -> Flags:
    """Thinks first only where that is right and answering first is not: the fewest tokens at the best accuracy."""
    return outcomes.think_right & ~outcomes.answer_right


def _left_out(states: Floats, utility: Floats, ridge: float) -> Floats:
    """Scores of each question by a fit to the others."""
    fold = np.arange(len(states)) % min(_FOLDS, len(states))
    found = np.zeros(len(states))
    for index in range(_FOLDS):
        held = fold == index
        if held.any() and not held.all():
            weights, bias = fit_logistic(states[~held], (1.0 + utility[~held]) / 2.0, ridge=ridge)
            found[held] = states[held] @ weights + bias
    return found


def _sweep(scores: Floats, outcomes: Outcomes, recipe: Recipe) -> list[Point]:
    """A hundred thresholds, by the share that thinks."""
    found: list[Point] = []
    for share in np.linspace(0.0, 1.0, 101):
        thinks = scores >= threshold_of(scores, float(share))
        found.append(Point(recipe, float(thinks.mean()), outcomes.accuracy(thinks), outcomes.tokens(thinks)))
    return found


def threshold_of(scores: Floats, share: float) -> float:
    """The score that this share of the questions reaches."""
    if share <= 0.0:
        return float(np.nextafter(scores.max(), np.inf))
    return float(np.quantile(scores, 1.0 - share, method="higher"))
