"""Rates with their intervals, and whether predicted risks are borne out by what came."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

_NORMAL_95 = 1.959964
_TILTS = (0.25, 0.5, 1.0, 2.0)  # alternatives that are bet on: the log odds are off by so much
_SLACK = 0.02  # a risk may be off by this much, as after any honest calibration

RiskStatus = Literal["not contradicted", "too low", "too high", "unknown"]


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of n, with its 95 % interval.

    Attributes:
        events, trials: counts behind it.
        mean: events / trials; None where there were no trials: the rate is unknown.
        low, high: Wilson's interval; 0 and 1 where nothing is known.
    """

    events: int
    trials: int
    mean: float | None
    low: float
    high: float

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


def rate(flags: Iterable[bool]) -> Rate:
    """The share of true ones."""
    seen = list(flags)
    return rate_of(sum(seen), len(seen))


def rate_of(events: int, trials: int) -> Rate:
    """A share by its counts.

    Source: Wilson (1927), Probable inference, JASA 22, the score interval.
    """
    if trials == 0:
        return Rate(0, 0, None, 0.0, 1.0)
    mean, z = events / trials, _NORMAL_95
    centre = (mean + z * z / (2 * trials)) / (1 + z * z / trials)
    spread = z / (1 + z * z / trials) * math.sqrt(mean * (1 - mean) / trials + z * z / (4 * trials**2))
    return Rate(events, trials, mean, max(centre - spread, 0.0), min(centre + spread, 1.0))


def check_risks(risks: Sequence[float], wrong: Sequence[bool], *, alpha: float = 0.01) -> RiskStatus:
    """Whether predicted risks are too low or too high for what came, looked at after every answer.

    A bet that the odds of being wrong are higher than predicted grows without bound if they are; if the risks are
    right within .02, it ever exceeds 1 / alpha with probability alpha at the most. The same for lower.
    Source: Ville's inequality on a likelihood ratio; Shafer et al., Test martingales, arXiv 0912.4269.

    Args:
        risks: n predictions in [0, 1], in the order in which they were made.
        wrong: what came of them.
        alpha: in (0, 1): how likely a false alarm may be, either way.
    """
    if not risks:
        return "unknown"
    if _most_capital([risk + _SLACK for risk in risks], wrong, 1) > 1 / alpha:
        return "too low"
    if _most_capital([risk - _SLACK for risk in risks], wrong, -1) > 1 / alpha:
        return "too high"
    return "not contradicted"


def _most_capital(bounds: Sequence[float], wrong: Sequence[bool], sign: int) -> float:
    """The most that a bet begun with 1, spread over the tilts, was ever worth."""
    logs = [0.0] * len(_TILTS)
    most = 1.0
    for bound, is_wrong in zip(bounds, wrong, strict=True):
        if not 0 < bound < 1:  # nothing would contradict it
            continue
        odds = math.log(bound / (1 - bound))
        for index, tilt in enumerate(_TILTS):
            other = 1 / (1 + math.exp(-(odds + sign * tilt)))
            logs[index] += math.log(other / bound if is_wrong else (1 - other) / (1 - bound))
        most = max(most, sum(math.exp(min(log, 300.0)) for log in logs) / len(logs))
    return most
