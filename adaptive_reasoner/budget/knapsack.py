"""Which questions should think, for a stated budget: the linear programme behind the allocation, solved exactly.

maximise sum(z_i * gain_i) subject to sum(z_i * cost_i) <= budget, 0 <= z_i <= 1. Its solution takes what has the
highest gain a unit of cost until the budget is used up; the gain a unit of cost at which it ends is the dual price.

Source: the constraint of IBPO (arXiv 2501.17974), read at inference: gain_i = P(right | think) - P(right | fast).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adaptive_reasoner.errors import ConfigurationError, InvalidInputError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Solution:
    """What the budget buys.

    Attributes:
        price: gain a unit of cost from which thinking pays, >= 0; 0 where the budget does not bind.
        taken: shape (n,), the share of each question's cost that is spent, 0 or 1 but for one question.
        gain: of what is taken, in right answers.
        spent: <= budget, in the unit of the costs.
    """

    price: float
    taken: Floats
    gain: float
    spent: float


def solve_price(gains: Sequence[float] | Floats, costs: Sequence[float] | Floats, budget: float) -> Solution:
    """The dual price that spends `budget` where it gains most, from traces.

    Args:
        gains: n >= 1 expected gains of thinking, in P(right); negative ones are never taken.
        costs: n costs >= 0 in any one unit, such as tokens, or 1 a thinking call.
        budget: for all n together, >= 0, in the unit of the costs.

    Raises:
        InvalidInputError: no questions, or gains and costs that are not n finite numbers, costs >= 0.
        ConfigurationError: the budget is no finite number >= 0.
    """
    gain, cost = checked_table("gains", gains, 1), checked_table("costs", costs, 1)
    check_costs(gain, cost)
    check_budget(budget)
    order = _by_density(gain, cost)
    cumulative = np.cumsum(cost[order])
    fitting = int(np.searchsorted(cumulative, budget * (1 + 1e-12), side="right"))
    taken, price = np.zeros(len(gain)), 0.0
    taken[order[:fitting]] = 1.0
    if fitting < len(order):  # the critical question: the budget ends within it
        critical = order[fitting]
        before = float(cumulative[fitting - 1]) if fitting else 0.0
        taken[critical] = min(max((budget - before) / cost[critical], 0.0), 1.0)
        price = float(gain[critical] / cost[critical])
    return Solution(price, taken, float(taken @ gain), float(taken @ cost))


def checked_table(name: str, values: ArrayLike, dimensions: int) -> Floats:
    """Finite numbers as an array with that many dimensions, none of them empty.

    Raises:
        InvalidInputError: they are not; the message names the values.
    """
    try:
        table = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"{name} must be numbers: {error}.") from error
    if table.ndim != dimensions:
        raise InvalidInputError(f"{name} must have {dimensions} dimension(s), not {table.ndim}.")
    if not table.size:
        raise InvalidInputError(f"{name} are empty: give the traces of at least one question.")
    if not np.isfinite(table).all():
        where: Any = np.argwhere(~np.isfinite(table))[0].tolist()
        raise InvalidInputError(
            f"{name} has a value at {where} that is no finite number; leave such traces out."
        )
    return table


def check_costs(gains: Floats, costs: Floats) -> None:
    """Gains and costs belong together, and nothing is paid back.

    Raises:
        InvalidInputError: they do not.
    """
    if gains.shape != costs.shape:
        raise InvalidInputError(f"{gains.shape} gains and {costs.shape} costs: give one cost for each gain.")
    if (costs < 0).any():
        raise InvalidInputError(f"costs has the value {costs.min():g}; a cost must be 0 or more.")


def check_budget(budget: float) -> None:
    """A budget is a finite number, 0 or more.

    Raises:
        ConfigurationError: it is not.
    """
    if isinstance(budget, bool) or not np.isfinite(budget) or budget < 0:
        raise ConfigurationError(f"budget is {budget!r}; it must be a finite number, 0 or more.")


def _by_density(gains: Floats, costs: Floats) -> NDArray[np.intp]:
    """Questions that gain, the highest gain a unit of cost first; what costs nothing comes before all."""
    worthwhile = np.flatnonzero(gains > 0)
    free = costs[worthwhile] <= 0
    density = np.where(free, np.inf, gains[worthwhile] / np.where(free, 1.0, costs[worthwhile]))
    return np.asarray(worthwhile[np.argsort(-density, kind="stable")], dtype=np.intp)
