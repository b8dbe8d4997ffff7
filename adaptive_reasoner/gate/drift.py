"""Drift: is a rate, of escalations or of errors, still what calibration saw? Checked after every answer.

A bet against the expected rate grows without bound if that rate is wrong and, if it is right, exceeds 1 / alpha
with probability alpha at the most, however often one looks.
Source: Ville's inequality on the Beta(1/2, 1/2) mixture martingale; Howard et al., arXiv 1810.08240.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.gate.profile import GateProfile


@dataclass(frozen=True, slots=True)
class Drift:
    """What was expected, what came, and whether that is too unlikely.

    Attributes:
        expected: the rate that calibration saw.
        observed: the rate since the watch began; None before the first answer.
        events, trials: counts behind it.
        evidence: the bet's capital; above 1 / alpha it is drift.
        is_drift: True from the first time that the evidence sufficed.
    """

    expected: float
    observed: float | None
    events: int
    trials: int
    evidence: float
    is_drift: bool

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


class DriftWatch:
    """Counts events against the rate that is expected of them."""

    def __init__(self, expected: float, calibrated_on: int, *, alpha: float = 0.01) -> None:
        """Begin to watch.

        Args:
            expected: rate in [0, 1] that calibration saw.
            calibrated_on: answers that it was seen on, > 0; how exactly it is known.
            alpha: in (0, 1): how likely a false alarm may be.
        """
        if not 0 <= expected <= 1 or calibrated_on < 1 or not 0 < alpha < 1:
            raise ConfigurationError("A drift watch needs a rate in [0, 1], answers, and alpha in (0, 1).")
        spread = 2 * math.sqrt((expected * (1 - expected) + 1 / calibrated_on) / calibrated_on)
        self._expected = expected
        self._range = (max(expected - spread, 1e-6), min(expected + spread, 1 - 1e-6))
        self._alpha = alpha
        self._events = self._trials = 0
        self._is_drift = False

    def observe(self, *, event: bool) -> Drift:
        """Count one answer: whether it escalated, or whether it was wrong."""
        self._trials += 1
        self._events += event
        self._is_drift = self._is_drift or self._evidence() > 1 / self._alpha
        return self.state()

    def state(self) -> Drift:
        """What is known so far."""
        observed = self._events / self._trials if self._trials else None
        evidence = min(self._evidence(), 1e300)
        return Drift(self._expected, observed, self._events, self._trials, evidence, self._is_drift)

    def _evidence(self) -> float:
        """Capital of the bet against the rate in the expected range that fits best."""
        if not self._trials:
            return 1.0
        rate = min(max(self._events / self._trials, self._range[0]), self._range[1])
        misses = self._trials - self._events
        mixture = _log_beta(self._events + 0.5, misses + 0.5) - _log_beta(0.5, 0.5)
        return math.exp(min(mixture - self._events * math.log(rate) - misses * math.log1p(-rate), 700.0))


def watch_escalations(profile: GateProfile, *, alpha: float = 0.01) -> DriftWatch | None:
    """A watch on the share of answers that escalate; None if the profile does not say what it saw."""
    escalated = profile.provenance.get("escalated", profile.provenance.get("max_escalation"))
    seen = profile.provenance.get("examples", profile.provenance.get("answers"))
    if not isinstance(escalated, int | float) or not isinstance(seen, int) or seen < 1:
        return None
    return DriftWatch(float(escalated), seen, alpha=alpha)


def watch_errors(profile: GateProfile, *, alpha: float = 0.01) -> DriftWatch | None:
    """A watch on the error of accepted fast answers; None if the profile promises none."""
    fast = cast("Mapping[str, int] | None", profile.provenance.get("fast"))
    if not fast or not fast.get("accepted"):
        return None
    return DriftWatch(fast["wrong"] / fast["accepted"], fast["accepted"], alpha=alpha)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
