"""Fits the gate profile: risks from signals, then what refining and escalating cost, by backward induction.

At a price of `price` errors a token, the loss of an answer is P(wrong) + price * tokens still to be spent. The
last decision (after refining) is valued first; the first one (after the fast answer) then knows what refining
leads to. What happened on similar answers, not a formula, gives each curve.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from adaptive_reasoner.config import ThinkingPrice
from adaptive_reasoner.gate.curve import Knots, fit_monotone
from adaptive_reasoner.gate.features import DIRECTIONS, OF_THE_THOUGHT, feature_values, has_features
from adaptive_reasoner.gate.fitting import fit_directed
from adaptive_reasoner.gate.mode_profile import Alternative, ModeProfile
from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.state import Mode, Signal
from adaptive_reasoner.thinking.switch import EMBEDDED_MODEL_NAME
from adaptive_reasoner.training.embedded.calibrate_answers import Answer
from adaptive_reasoner.training.embedded.calibrate_policy import Case, Floats, risk_for_choosing

_ANSWER: tuple[str, ...] = ("log_sequence_doubt", "log_entropy_sum", "min_probability")
# An answer after a thought is mostly copied from it: the doubt is in the thought.
_THOUGHT: tuple[str, ...] = ("log_thought_doubt", "thought_logprob")
FEATURES: Mapping[Mode, tuple[str, ...]] = {
    "fast": _ANSWER,
    "refine": (*_ANSWER, "repeats", *_THOUGHT),
    "deep": (*_ANSWER, *_THOUGHT),
}
MODES: tuple[Mode, ...] = ("fast", "refine", "deep")
_RISK_BINS = 60
_CURVE_KNOTS = 24
_NEIGHBOURS = 0.03  # of the examples, on either side of a knot
_MOST_ACCEPTED = 0.5


def fit_risk(signals: Sequence[Signal], wrong: Floats, features: Sequence[str]) -> ModeProfile:
    """Risk of one mode: logistic regression ranks, monotone regression makes it a probability.

    Features that would work against their direction are left out: on answers unlike those of the fit, such as
    questions from outside the model's world, they would call the most doubtful answer the surest.
    """
    whole = tuple(name for name in features if name not in OF_THE_THOUGHT)
    second = fit_risk(signals, wrong, whole) if len(whole) < len(features) else None
    kept = np.array([has_features(signal, features) for signal in signals])
    if second is not None and not kept.any():
        return second
    signals, wrong = [signal for signal, keep in zip(signals, kept, strict=True) if keep], wrong[kept]
    values = feature_matrix(signals, features)
    directions = np.array([DIRECTIONS[name] for name in features])
    weights, bias = fit_directed(values, wrong, directions)
    knots = fit_monotone(values @ weights + bias, wrong, bins=min(_RISK_BINS, max(len(wrong) // 50, 2)))
    return ModeProfile(
        features=tuple(features),
        weights=tuple(weights.tolist()),
        bias=bias,
        knots=knots,
        max_accepted_risk=_MOST_ACCEPTED,
        without_thought=second,
    )


def feature_matrix(signals: Sequence[Signal], features: Sequence[str]) -> Floats:
    """Feature values, shape (n, k)."""
    return np.array([feature_values(signal, features) for signal in signals], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Column:
    """One mode over all cases: risks, tokens and mistakes, each of shape (n,)."""

    risk: Floats
    tokens: Floats
    wrong: Floats


@dataclass(frozen=True, slots=True)
class RiskModels:
    """Risk models of every mode with what they say of the cases that they were fitted on; prices come later."""

    profiles: Mapping[Mode, ModeProfile]
    columns: "Mapping[Mode, _Column]"

    def risks(self, cases: Sequence[Case], mode: Mode) -> Floats:
        """Risk of each case's answer in one mode, shape (n,)."""
        return np.array([_risk(self.profiles[mode], mode, case.answers[mode]) for case in cases])

    def at_price(self, price: float, *, ways: Sequence[Alternative] = ("refine", "escalate")) -> GateProfile:
        """The profile for a price in errors a token, with the named alternatives only."""
        fast, refine, deep = (self.columns[mode] for mode in MODES)
        final_escalated = _wrong_of_least_risk(fast, deep) + price * deep.tokens
        curves: dict[Mode, dict[Alternative, Knots]] = {"fast": {}, "refine": {}, "deep": {}}
        spent: dict[Mode, dict[Alternative, Knots]] = {"fast": {}, "refine": {}, "deep": {}}
        tokens_after_refine = refine.tokens
        after_refine = _wrong_of_least_risk(fast, refine)
        if "escalate" in ways:
            curves["fast"]["escalate"] = smooth_curve(fast.risk, final_escalated)
            escalated = _wrong_of_least_risk(fast, refine, deep) + price * deep.tokens
            curve = curves["refine"]["escalate"] = smooth_curve(refine.risk, escalated)
            stays = refine.risk <= _read(curve, refine.risk)
            after_refine = np.where(stays, after_refine, escalated)
            tokens_after_refine = refine.tokens + np.where(stays, 0.0, deep.tokens)
            spent["fast"]["escalate"] = smooth_curve(fast.risk, deep.tokens)
            spent["refine"]["escalate"] = smooth_curve(refine.risk, deep.tokens)
        if "refine" in ways:
            curves["fast"]["refine"] = smooth_curve(fast.risk, after_refine + price * refine.tokens)
            spent["fast"]["refine"] = smooth_curve(fast.risk, tokens_after_refine)
        per_token = ThinkingPrice(per_1000_tokens=1000 * price)
        modes: dict[Mode, ModeProfile] = {
            mode: replace(self.profiles[mode], alternatives=curves[mode], tokens=spent[mode], price=per_token)
            for mode in MODES
        }
        return GateProfile(kind="calibrated", model=EMBEDDED_MODEL_NAME, modes=modes)


def fit_risks(cases: Sequence[Case], outside: Sequence[Case] = ()) -> RiskModels:
    """Fit the risk model of each mode on all cases.

    Args:
        cases: problems from the model's world.
        outside: questions that it cannot answer. They teach the risks what not knowing looks like, and have no
            part in what refining and thinking are expected to cost.
    """
    profiles: dict[Mode, ModeProfile] = {}
    columns: dict[Mode, _Column] = {}
    for mode in MODES:
        answers = [case.answers[mode] for case in cases]
        wrong = np.array([not answer.is_right for answer in answers], dtype=np.float64)
        both = [*answers, *(case.answers[mode] for case in outside)]
        measured = [answer for answer in both if answer.signal["kind"] == "logprobs"]
        profiles[mode] = fit_risk(
            [answer.signal for answer in measured],
            np.array([not answer.is_right for answer in measured], dtype=np.float64),
            FEATURES[mode],
        )
        columns[mode] = _Column(
            risk=np.array([_risk(profiles[mode], mode, answer) for answer in answers]),
            tokens=np.array([answer.tokens for answer in answers], dtype=np.float64),
            wrong=wrong,
        )
    return RiskModels(profiles, columns)


def _risk(profile: ModeProfile, mode: Mode, answer: Answer) -> float:
    known = profile.risk(answer.signal) if answer.signal["kind"] == "logprobs" else None
    return risk_for_choosing(answer, mode, known)


def _wrong_of_least_risk(*columns: _Column) -> Floats:
    """Whether the answer of least risk, the newest among equals, is wrong: what the hand-off gives."""
    risk, wrong = columns[0].risk, columns[0].wrong
    for column in columns[1:]:
        wrong = np.where(column.risk <= risk, column.wrong, wrong)
        risk = np.minimum(column.risk, risk)
    return wrong


def _read(curve: Knots, risk: Floats) -> Floats:
    knots = np.array(curve, dtype=np.float64)
    return np.interp(risk, knots[:, 0], knots[:, 1])


def smooth_curve(risk: Floats, loss: Floats) -> Knots:
    """E[loss | risk] at quantiles of the risk: means over the neighbours in rank.

    Args:
        risk: shape (n,), n >= 1.
        loss: shape (n,).
    """
    order = np.argsort(risk, kind="stable")
    sorted_risk, cumulative = risk[order], np.concatenate([[0.0], np.cumsum(loss[order])])
    count = len(risk)
    reach = max(int(count * _NEIGHBOURS), 1)
    knots: dict[float, float] = {}
    for position in np.unique(np.linspace(0, count - 1, _CURVE_KNOTS).round().astype(int)).tolist():
        low, high = max(position - reach, 0), min(position + reach + 1, count)
        # Equal risks belong together, whatever their order.
        low = min(low, int(np.searchsorted(sorted_risk, sorted_risk[position], side="left")))
        high = max(high, int(np.searchsorted(sorted_risk, sorted_risk[position], side="right")))
        knots[float(sorted_risk[low:high].mean())] = float(
            (cumulative[high] - cumulative[low]) / (high - low)
        )
    return tuple(sorted(knots.items()))
