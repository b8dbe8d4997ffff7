"""Several ways a question (accept, refine, think …) under one budget, with safety valves: an integer programme.

`solve_price` needs no solver and is what the loop uses; this one checks it and answers what a threshold cannot:
which way each question takes if some must think, or a share of them at least. It needs SciPy (extra `train`).
"""

# SciPy's stubs leave results and matrices open.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adaptive_reasoner.budget.knapsack import Floats, check_budget, check_costs, checked_table
from adaptive_reasoner.errors import ConfigurationError, MissingExtraError


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyValves:
    """What holds whatever it costs.

    Attributes:
        thinking: the ways (columns) that count as thinking.
        least_share: of all questions, the share that thinks at least, in [0, 1].
        must_think: questions (rows) that take one of these ways.
    """

    thinking: tuple[int, ...] = (-1,)
    least_share: float = 0.0
    must_think: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """One way for each question.

    Attributes:
        ways: shape (n,), the column that each question takes.
        gain: in right answers.
        spent: in the unit of the costs.
    """

    ways: NDArray[np.intp]
    gain: float
    spent: float


def choose_ways(
    gains: Sequence[Sequence[float]] | Floats,
    costs: Sequence[Sequence[float]] | Floats,
    budget: float,
    valves: SafetyValves | None = None,
) -> Choice:
    """The best way for each question that the budget and the safety valves allow, one way each.

    Source: Huangfu and Hall, HiGHS, through `scipy.optimize.milp`; IBPO (arXiv 2501.17974) solves its batches so.

    Args:
        gains: shape (n, k), in P(right); a column of zeros is the way that changes nothing.
        costs: shape (n, k), >= 0 in any one unit.
        budget: for all n together, >= 0.
        valves: none by default.

    Raises:
        InvalidInputError: the gains or the costs cannot be used.
        ConfigurationError: no choice keeps both the budget and the valves.
        MissingExtraError: SciPy is not installed.
    """
    gain, cost = checked_table("gains", gains, 2), checked_table("costs", costs, 2)
    check_costs(gain, cost)
    check_budget(budget)
    try:
        chosen = _solve(gain, _constraints(cost, budget, valves or SafetyValves()))
    except ImportError as error:
        raise MissingExtraError(
            'choose_ways() needs SciPy: pip install "adaptive-reasoner[train]"; solve_price() needs nothing.'
        ) from error
    if chosen is None:
        raise ConfigurationError(
            f"No choice of ways keeps the budget {budget:g} and the safety valves: the cheapest ways of all "
            f"questions cost {cost.min(axis=1).sum():g}. Raise the budget or lower the valves."
        )
    ways, rows = chosen.argmax(axis=1), np.arange(len(gain))
    return Choice(ways, float(gain[rows, ways].sum()), float(cost[rows, ways].sum()))


def _constraints(cost: Floats, budget: float, valves: SafetyValves) -> list[tuple[Any, float, float]]:
    """Rows of the programme with their bounds: (coefficients of n * k variables, least, most)."""
    from scipy.sparse import csr_array, eye_array, kron

    n, k = cost.shape
    if not 0 <= valves.least_share <= 1:
        raise ConfigurationError(f"least_share is {valves.least_share!r}; it must lie between 0 and 1.")
    if any(not -k <= way < k for way in valves.thinking) or any(not 0 <= q < n for q in valves.must_think):
        raise ConfigurationError(f"The safety valves name ways or questions beyond the {n} x {k} given.")
    thinks = np.zeros((n, k))
    thinks[:, list(valves.thinking)] = 1.0
    found: list[tuple[Any, float, float]] = [
        (kron(eye_array(n), np.ones((1, k)), format="csr"), 1.0, 1.0),
        (csr_array(cost.reshape(1, -1)), -np.inf, budget),
    ]
    if valves.least_share:
        found.append((csr_array(thinks.reshape(1, -1)), np.ceil(valves.least_share * n - 1e-9), np.inf))
    for question in valves.must_think:
        only = np.zeros((n, k))
        only[question] = thinks[question]
        found.append((csr_array(only.reshape(1, -1)), 1.0, 1.0))
    return found


def _solve(gain: Floats, constraints: list[tuple[Any, float, float]]) -> Floats | None:
    """0 or 1 for each question and way, shape (n, k); None where nothing is feasible."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    done: Any = milp(
        -gain.reshape(-1),
        constraints=[LinearConstraint(rows, low, high) for rows, low, high in constraints],
        bounds=Bounds(0, 1),
        integrality=np.ones(gain.size),
    )
    return None if done.x is None else np.asarray(done.x, dtype=np.float64).reshape(gain.shape)
