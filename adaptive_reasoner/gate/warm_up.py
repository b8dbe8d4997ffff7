"""Gates without labels: quantiles of answers seen so far, or one plain threshold."""

from collections.abc import Sequence

import numpy as np

from adaptive_reasoner.errors import CalibrationError, ConfigurationError
from adaptive_reasoner.gate.curve import Knots, constant
from adaptive_reasoner.gate.mode_profile import ModeProfile
from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.state import Signal

_FEATURE = "log_entropy_sum"
_KNOTS = 50
_LEAST = 20  # answers that a quantile is taken of


def warm_up(signals: Sequence[Signal], *, max_escalation: float, model: str = "") -> GateProfile:
    """A gate that escalates the most doubtful answers, from unlabelled ones; it says that it is no calibration.

    The rank of an answer's entropy among those of the warm-up stands in for its risk.

    Args:
        signals: of fast answers like those to come; the unknown ones count as escalated.
        max_escalation: the share to escalate, in [0, 1].
        model: name, or its beginning, of the model that gave them.

    Raises:
        ConfigurationError: the share is out of range.
        CalibrationError: fewer than 20 answers have log probabilities, or the unknown ones exceed the share.
    """
    if not 0 <= max_escalation <= 1:
        raise ConfigurationError(f"max_escalation is {max_escalation}; it must lie between 0 and 1.")
    known = [signal for signal in signals if signal["kind"] == "logprobs"]
    if len(known) < _LEAST:
        raise CalibrationError(
            f"{len(known)} answers with log probabilities are too few for quantiles; give at least {_LEAST}."
        )
    unknown = len(signals) - len(known)
    allowed = max_escalation * len(signals) - unknown
    if allowed < 0:
        raise CalibrationError(
            f"{unknown} of {len(signals)} answers have no usable log probabilities and must escalate: that is "
            f"more than max_escalation={max_escalation}."
        )
    plain = ModeProfile(features=(_FEATURE,), weights=(1.0,), bias=0.0)
    ranked = _with_threshold(
        plain, _ranks([plain.score(signal) for signal in known]), 1 - allowed / len(known)
    )
    return GateProfile(
        kind="quantile",
        model=model,
        modes={"fast": ranked},
        provenance={"answers": len(signals), "unknown": unknown, "max_escalation": max_escalation},
    )


def plain_threshold(threshold: float) -> GateProfile:
    """A gate that thinks wherever the least probable token leaves more than `threshold` to others."""
    if not 0 <= threshold <= 1:
        raise ConfigurationError(f"The threshold is {threshold}; it must lie between 0 and 1.")
    doubt = ModeProfile(features=("min_probability",), weights=(-1.0,), bias=1.0)
    mode = _with_threshold(doubt, ((0.0, 0.0), (1.0, 1.0)), threshold)
    rule = f"1 - least probability > {threshold}"
    return GateProfile(kind="default", model="", modes={"fast": mode}, provenance={"rule": rule})


def _with_threshold(mode: ModeProfile, knots: Knots, threshold: float) -> ModeProfile:
    """`mode` with the curve `knots` as its risk, escalating above `threshold` and accepting what is left."""
    return ModeProfile(
        features=mode.features,
        weights=mode.weights,
        bias=mode.bias,
        knots=knots,
        alternatives={"escalate": constant(threshold)},
        max_accepted_risk=1.0,
    )


def _ranks(scores: Sequence[float]) -> Knots:
    """Score -> share of the scores that are no higher."""
    ranked = np.sort(scores)
    picked = np.unique(ranked[np.linspace(0, len(ranked) - 1, _KNOTS).round().astype(int)])
    shares = np.searchsorted(ranked, picked, side="right") / len(ranked)
    return tuple(zip(picked.tolist(), shares.tolist(), strict=True))
