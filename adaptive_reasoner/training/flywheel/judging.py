"""Before and after on the same held-out runs, paired, with intervals; and whether that may be shipped."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

from adaptive_reasoner.training.flywheel.policy import Outcomes
from adaptive_reasoner.training.triage.scoring import Floats, draw_counts, interval

LEAST_HELD_OUT = 100  # runs that before and after are compared on
LEAST_OF_TENANT = 30
_RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a change does to n held-out runs.

    Attributes:
        runs: n.
        before, after: error, tokens and share thinking, each with its interval.
        change: after - before of the same, paired.
        estimated: share of the runs that think after the change, but did not when they were recorded.
        worse_tenants: whose errors rise, the whole interval above 0.
    """

    runs: int
    before: dict[str, Figure]
    after: dict[str, Figure]
    change: dict[str, Figure]
    estimated: float
    worse_tenants: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


class OfTenant(Protocol):
    """What was asked by somebody."""

    @property
    def tenant(self) -> str:
        """Who asked; "" where nobody was named."""
        ...


def compare(runs: Sequence[OfTenant], outcomes: tuple[Outcomes, Outcomes], seed: int = 0) -> Comparison:
    """Compare two policies on the same runs.

    Args:
        runs: n of them.
        outcomes: of the policy before and of the one after.
        seed: of the bootstrap.
    """
    before, after = outcomes
    counts = draw_counts(len(runs), _RESAMPLES, seed)
    return Comparison(
        runs=len(runs),
        before=_figures(before, counts),
        after=_figures(after, counts),
        change={
            name: _figure(getattr(after, field) - getattr(before, field), counts)
            for name, field in _FIELDS.items()
        },
        estimated=float(after.estimated.mean()),
        worse_tenants=_worse_tenants(runs, after.errors - before.errors, seed),
    )


def refusal(compared: Comparison, tolerated: float) -> str | None:
    """Why this must not be shipped; None: it may.

    Args:
        compared: before and after.
        tolerated: how far the error may rise, with 97.5 % confidence.
    """
    error, tokens = compared.change["error"], compared.change["tokens"]
    if error.high > tolerated:
        return f"the error may rise by {error.high:.1%}, more than the tolerated {tolerated:.1%}"
    if compared.worse_tenants:
        return f"errors rise for {', '.join(compared.worse_tenants)}"
    if error.high >= 0 and tokens.high >= 0:
        return "neither fewer errors nor fewer tokens can be shown"
    return None


_FIELDS = {"error": "errors", "tokens": "tokens", "thinking": "thinks"}


def _figures(outcomes: Outcomes, counts: Floats) -> dict[str, Figure]:
    return {name: _figure(getattr(outcomes, field), counts) for name, field in _FIELDS.items()}


def _figure(values: Floats, counts: Floats) -> Figure:
    return Figure(float(values.mean()), *interval(counts @ values / len(values)))


def _worse_tenants(runs: Sequence[OfTenant], risen: Floats, seed: int) -> tuple[str, ...]:
    worse: list[str] = []
    for tenant in sorted({one.tenant for one in runs} - {""}):
        own = risen[np.array([one.tenant == tenant for one in runs])]
        if len(own) >= LEAST_OF_TENANT:
            low = interval(draw_counts(len(own), _RESAMPLES, seed) @ own / len(own))[0]
            worse += [tenant] if low > 0 else []
    return tuple(worse)
