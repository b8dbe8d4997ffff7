"""Chooses the policy's two numbers, judged on folds that the models were not fitted on.

The price of a token moves the gate along its frontier. At each price, triage thinks at once from the predicted
gain at which the loss (share wrong + price * tokens) is least.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from langchain_core.messages import HumanMessage

from adaptive_reasoner.gate.curve import pool_violators
from adaptive_reasoner.state import DifficultyEstimator
from adaptive_reasoner.training.embedded.calibrate_policy import (
    Case,
    Floats,
    Totals,
    run_policy,
    totals,
    totals_of_mode,
)
from adaptive_reasoner.training.embedded.calibrate_profile import RiskModels, fit_risks
from adaptive_reasoner.training.embedded.calibrate_triage import fit_triage

PRICES: tuple[float, ...] = tuple(np.geomspace(1e-5, 1e-2, 37).tolist())  # errors a token
NEVER_AT_ONCE = 1.0  # no gain reaches it
THINK_AT_GAINS: tuple[float, ...] = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.96, NEVER_AT_ONCE)
_FOLDS = 2


@dataclass(frozen=True, slots=True)
class Setting:
    """One operating point.

    Attributes:
        price: errors that one generated token is worth.
        think_at_gain: predicted gain from which triage thinks at once.
    """

    price: float
    think_at_gain: float


@dataclass(frozen=True, slots=True)
class Fold:
    """Models fitted on other cases than those that they are judged on."""

    cases: Sequence[Case]
    risks: RiskModels
    estimator: DifficultyEstimator
    gains: Floats

    def fast_first(self, price: float) -> Totals:
        """The policy where triage never thinks at once."""
        gate = self.risks.at_price(price)
        return totals([run_policy(case, gate) for case in self.cases])

    def mixed(self, fast_first: Totals, think_at_gain: float) -> Totals:
        """The same with triage: what starts deep is answered by the deep answer alone."""
        deep, at_once = totals_of_mode(self.cases, "deep"), self.gains >= think_at_gain
        return Totals(
            np.where(at_once, deep.right, fast_first.right), np.where(at_once, deep.tokens, fast_first.tokens)
        )


def cross_fit(
    cases: Sequence[Case],
    outside: Sequence[Case] = (),
    fit: Callable[[Sequence[Case]], DifficultyEstimator] | None = None,
) -> list[Fold]:
    """Each part of the cases with models fitted on the others, and on what lies outside the model's world.

    Args:
        cases: n of them.
        outside: for the risks alone.
        fit: gives triage's estimator; None: the linear one of the text.
    """
    folds: list[Fold] = []
    for index in range(_FOLDS):
        others = [case for position, case in enumerate(cases) if position % _FOLDS != index]
        part, estimator = cases[index::_FOLDS], (fit or fit_triage)(others)
        folds.append(Fold(part, fit_risks(others, outside), estimator, predicted_gains(part, estimator)))
    return folds


def predicted_gains(cases: Sequence[Case], estimator: DifficultyEstimator) -> Floats:
    """What triage predicts for each case, shape (n,)."""
    return np.array(
        [estimator.estimate([HumanMessage(case.problem.question)])["gain"] for case in cases],
        dtype=np.float64,
    )


def best_at_price(folds: Sequence[Fold], price: float) -> tuple[Setting, Totals]:
    """The setting of least cross-fitted loss at one price, and what it does."""
    starts = [fold.fast_first(price) for fold in folds]
    found = [
        (
            Setting(price, gain),
            pooled([fold.mixed(start, gain) for fold, start in zip(folds, starts, strict=True)]),
        )
        for gain in THINK_AT_GAINS
    ]
    return min(found, key=lambda one: 1 - one[1].accuracy + price * one[1].mean_tokens)


def settings_by_price(folds: Sequence[Fold]) -> list[tuple[Setting, Totals]]:
    """The best setting at each of `PRICES`."""
    return [best_at_price(folds, price) for price in PRICES]


def choose_price(line: Sequence[tuple[Setting, Totals]], target: float) -> float:
    """The highest price at which the accuracy, smoothed over prices, is at least `target`."""
    points = [(math.log(setting.price), 1 - one.accuracy, 1.0) for setting, one in line]
    blocks = pool_violators(points)
    good = [block for block in blocks if block[1] <= 1 - target]
    if not good or len(good) == len(blocks):
        return line[-1 if good else 0][0].price
    (x0, y0, _), (x1, y1, _) = blocks[len(good) - 1 : len(good) + 1]
    return math.exp(x0 + (x1 - x0) * (1 - target - y0) / (y1 - y0))


def pooled(parts: Sequence[Totals]) -> Totals:
    """The folds' outcomes together."""
    return Totals(
        np.concatenate([part.right for part in parts]), np.concatenate([part.tokens for part in parts])
    )
