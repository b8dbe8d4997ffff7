"""The price that keeps a budget on average while traffic changes: online dual ascent.

After every query lambda <- lambda + step * (spent - budget): overspending makes thinking dearer, underspending
cheaper. The step decays to a constant, so that a cold start finds its price quickly and a drift is followed for ever.
That alone leaves (change of the price) / (step * queries) of the budget over or unspent; so what was overspent is
paid back, and what was saved is given, in the budgets of the next queries.

Sources: dual descent for online allocation, Balseiro, Lu and Mirrokni, "The Best of Many Worlds", 2023; paying back
is the integral term of Stooke, Achiam and Abbeel, "Responsive Safety by PID Lagrangian Methods", 2020.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from adaptive_reasoner.errors import ConfigurationError

FIRST_STEP = 0.05
LAST_STEP = 0.005
# P(right) of one thinking call: nothing gains more, so a higher price would only take longer to come down.
HIGHEST_PRICE = 1.0
# Queries over which a debt is paid back, and the most of their budget that goes into it.
PAID_BACK_OVER = 500
MOST_PAID_BACK = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """How fast the price moves, in P(right) for each unit of overspending.

    Attributes:
        first: at the first query; it decays with the square root of the number of queries.
        last: what it decays to, so that the price follows a drift for ever.
    """

    first: float = FIRST_STEP
    last: float = LAST_STEP

    def __post_init__(self) -> None:
        if not (math.isfinite(self.first) and 0 < self.last <= self.first):
            raise ConfigurationError(f"Steps(first={self.first!r}, last={self.last!r}): 0 < last <= first.")

    def at(self, queries: int) -> float:
        """The step after so many queries, >= 1."""
        return max(self.first / math.sqrt(queries), self.last)


class DualPrice:
    """One price, in P(right) for one unit of spending; not thread-safe by itself, its owner locks."""

    __slots__ = ("_over_least", "_over_most", "_queries", "_spent", "_steps", "_value")

    def __init__(self, *, start: float = 0.0, steps: Steps | None = None) -> None:
        """Start at a price, 0 or the one that `solve_price` found in traces.

        Args:
            start: in P(right) a unit.
            steps: how fast it moves.

        Raises:
            ConfigurationError: the price is no number in [-1, 1].
        """
        if not -HIGHEST_PRICE <= start <= HIGHEST_PRICE:
            raise ConfigurationError(
                f"The price starts at {start!r}; it is P(right) for one unit, between -1 and 1."
            )
        self._value, self._steps = float(start), steps or Steps()
        self._queries, self._spent = 0, 0.0
        # What was spent beyond the most and beyond the least, and is not paid back yet; below 0 it was saved.
        self._over_most, self._over_least = 0.0, 0.0

    @property
    def value(self) -> float:
        """The price now, in P(right) a unit; below 0 spending is paid for, because too little was spent."""
        return self._value

    @property
    def queries(self) -> int:
        """How many queries were observed."""
        return self._queries

    @property
    def mean_spent(self) -> float | None:
        """What a query spent so far; None before the first."""
        return self._spent / self._queries if self._queries else None

    def observe(self, spent: float, most: float, *, least: float = 0.0, unit: float = 1.0) -> None:
        """Move the price by what one query spent beyond `most`, or short of `least`.

        Args:
            spent: by one query, >= 0.
            most: budget of one query, in the same measure.
            least: what a query is to spend at least on average, <= `most`.
            unit: how much of the measure the price is for.
        """
        self._queries += 1
        self._spent += spent
        self._over_most = _owed(self._over_most + spent - most, most)
        self._over_least = _owed(self._over_least + spent - least, least)
        beyond = spent - most + self._over_most / PAID_BACK_OVER
        short = spent - least + self._over_least / PAID_BACK_OVER
        step = self._steps.at(self._queries) / unit
        if least == most:
            moved = self._value + step * beyond
        elif self._value > 0:
            moved = max(self._value + step * beyond, 0.0)
        elif self._value < 0:
            moved = min(self._value + step * short, 0.0)
        else:  # within the band nothing is dear and nothing is paid for
            moved = step * (max(beyond, 0.0) + min(short, 0.0))
        self._value = min(max(moved, -HIGHEST_PRICE), HIGHEST_PRICE)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `restored` reads it."""
        return {
            "price": self._value,
            "queries": self._queries,
            "spent": self._spent,
            "over": [self._over_most, self._over_least],
        }

    def restored(self, state: Mapping[str, Any]) -> Self:
        """A price with these steps that goes on where `state` was written.

        Raises:
            ConfigurationError: the state is not what `to_json` gives.
        """
        try:
            value, queries, spent = float(state["price"]), int(state["queries"]), float(state["spent"])
            over_most, over_least = map(float, state["over"])
        except (KeyError, OverflowError, TypeError, ValueError) as error:
            raise ConfigurationError(
                f"This is no state of a price: {error!r} is missing or wrong."
            ) from error
        if not (all(map(math.isfinite, (spent, over_most, over_least))) and spent >= 0 and queries >= 0):
            raise ConfigurationError(f"This is no state of a price: {spent} spent by {queries} queries.")
        found = type(self)(start=value, steps=self._steps)
        found._queries, found._spent = queries, spent  # noqa: SLF001 - of the same class
        found._over_most, found._over_least = over_most, over_least  # noqa: SLF001
        return found


def _owed(debt: float, bound: float) -> float:
    """A debt as far as it is remembered: what half of the budgets of the next queries pays back."""
    most = MOST_PAID_BACK * PAID_BACK_OVER * bound
    return min(max(debt, -most), most)
