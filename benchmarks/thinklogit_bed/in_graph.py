"""The graph's policy on the bed's answers: triage, the fast answer, the gate, the deep answer, the better of both.

It decides by the graph's own code (`GateProfile.decide`, `best_round`, the estimator); a benchmark holds it to the
real graph. One number moves it: the price of a unit of cost, in P(right).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from thinklogit_bed.spoken import Spoken

from adaptive_reasoner.config import Situation, ThinkingPrice
from adaptive_reasoner.embedded.problems import Problem
from adaptive_reasoner.gate.calibration import CalibrationTarget, calibrate_scored
from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.gate.scored import Scored
from adaptive_reasoner.nodes.problems import was_cut_off
from adaptive_reasoner.state import Mode, Signal
from adaptive_reasoner.traces.frontier import chosen
from adaptive_reasoner.training.embedded.calibrate_answers import Answer
from adaptive_reasoner.training.embedded.calibrate_policy import Case, Floats, Totals
from adaptive_reasoner.training.embedded.calibrate_setting import predicted_gains
from adaptive_reasoner.training.embedded.calibrate_triage import fit_triage
from adaptive_reasoner.triage.linear import LinearEstimator
from adaptive_reasoner.uncertainty.message import score_message
from adaptive_reasoner.uncertainty.score import unknown_signal
from adaptive_reasoner.uncertainty.support import with_support

Measure = Literal["passes", "tokens"]
"""What a call costs: forward passes of the target for tokens read and written, guiders counted by their size; or the
tokens that are written, whoever computes them."""
Flags = NDArray[np.bool_]
MEASURES: tuple[Measure, ...] = get_args(Measure)
PRICES = (0.0, *np.geomspace(1e-4, 2e-2, 24).tolist())
"""Of a unit of cost, in P(right)."""
NEVER = 1.0
THINK_AT_GAINS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, NEVER)
_FOLDS = 2
_NO_LOGPROBS = np.zeros((0, 1), np.float32)


@dataclass(frozen=True, slots=True)
class Pair:
    """A problem with the fast and the deep answer, scored.

    Attributes:
        texts, right: of both answers.
        signals: of both, their risks not set; the deep one with the fast one's support.
        costs: of both calls, by each measure.
    """

    problem: Problem
    texts: tuple[str, str]
    right: tuple[bool, bool]
    signals: tuple[Signal, Signal]
    costs: Mapping[Measure, tuple[float, float]]


def pair(problem: Problem, fast: Spoken, deep: Spoken, passes_a_token: float) -> Pair:
    """Score both answers as the graph does.

    Args:
        problem: with its answer.
        fast: answer of the target.
        deep: answer of the node that thinks.
        passes_a_token: forward passes of the target that a token of the deep answer costs.
    """
    first = _signal(fast)
    second = with_support(_signal(deep), deep.message, first, fast.message)
    costs: dict[Measure, tuple[float, float]] = {
        "passes": (fast.read + fast.tokens, passes_a_token * (deep.read + deep.tokens)),
        "tokens": (fast.tokens, deep.tokens),
    }
    texts = str(fast.message.text), str(deep.message.text)
    return Pair(problem, texts, (fast.is_right, deep.is_right), (first, second), costs)


def _signal(spoken: Spoken) -> Signal:
    if was_cut_off(spoken.message):
        return unknown_signal("the answer was cut off at its limit of output tokens")
    return score_message(spoken.message)


@dataclass(frozen=True, slots=True)
class Policy:
    """What was fitted on calibration problems.

    Attributes:
        profile: of the gate, thinking without a price.
        deep_cost: of a thinking call on average, by each measure.
    """

    profile: GateProfile
    estimator: LinearEstimator
    deep_cost: Mapping[Measure, float]

    def gate(self, price: float, measure: Measure) -> GateProfile:
        """The gate at a price of a unit of cost, in P(right)."""
        fast, charge = self.profile.modes["fast"], price * self.deep_cost[measure]
        curve = tuple((risk, loss + charge) for risk, loss in fast.alternatives["escalate"])
        moved = replace(fast, alternatives={"escalate": curve}, price=ThinkingPrice(per_call=charge))
        return replace(self.profile, modes={**self.profile.modes, "fast": moved})


def fit(pairs: Sequence[Pair]) -> Policy:
    """Fit gate, comparison and triage on calibration problems."""
    scored = [_scored(one) for one in pairs if one.signals[0]["kind"] == "logprobs"]
    profile = calibrate_scored(scored, len(pairs), "guided", CalibrationTarget(1.0, None))
    costs = {measure: float(np.mean([one.costs[measure][1] for one in pairs])) for measure in MEASURES}
    return Policy(profile, fit_triage(as_cases(pairs)), costs)


def _scored(one: Pair) -> Scored:
    fast, deep = one.signals
    known = deep if deep["kind"] == "logprobs" else None
    return Scored(fast, not one.right[0], known, not one.right[1])


@dataclass(frozen=True, slots=True)
class Seen:
    """n pairs as a policy sees them, before any price.

    Attributes:
        gains: that triage predicts, shape (n,).
        keeps_fast: where the fast answer is handed on once both are there, shape (n,).
        fast_right, deep_right: 0 or 1, shape (n,).
        costs: of the fast and of the deep call, by each measure, shape (n,) each.
    """

    pairs: Sequence[Pair]
    policy: Policy
    gains: Floats
    keeps_fast: Flags
    fast_right: Floats
    deep_right: Floats
    costs: Mapping[Measure, tuple[Floats, Floats]]

    def at(self, price: float, think_at_gain: float, measure: Measure) -> Totals:
        """What the policy does at one setting: right and cost of each problem."""
        return self.outcome(self.escalates(price, measure), think_at_gain, measure)

    def outcome(self, asks: Flags, think_at_gain: float, measure: Measure) -> Totals:
        """The same where it is known which fast answers the gate sends on."""
        at_once = self.gains >= think_at_gain
        fast, deep = self.costs[measure]
        by_deep = at_once | (asks & ~self.keeps_fast)
        return Totals(
            np.where(by_deep, self.deep_right, self.fast_right),
            np.where(at_once, deep, fast + np.where(asks, deep, 0.0)),
        )

    def walk(self, price: float, think_at_gain: float, measure: Measure) -> list[tuple[str, str]]:
        """Each problem's way ("fast", "fast deep" or "deep") and the text that is handed on."""
        asks, at_once = self.escalates(price, measure), self.gains >= think_at_gain
        found: list[tuple[str, str]] = []
        for one, asked, direct, keeps in zip(self.pairs, asks, at_once, self.keeps_fast, strict=True):
            way = "deep" if direct else "fast deep" if asked else "fast"
            found.append((way, one.texts[int(way != "fast" and (direct or not keeps))]))
        return found

    def always(self, mode: Literal["fast", "deep"], measure: Measure) -> Totals:
        """The fast answer to everything, or the deep one."""
        fast, deep = self.costs[measure]
        return Totals(self.fast_right, fast) if mode == "fast" else Totals(self.deep_right, deep)

    def escalates(self, price: float, measure: Measure) -> Flags:
        """Where the gate sends the fast answer on."""
        gate = self.policy.gate(price, measure)
        situation = Situation(mode="fast", can_refine=False, can_escalate=True, can_review=False)
        verdicts = [gate.decide(one.signals[0], situation).verdict for one in self.pairs]
        return np.array([verdict == "escalate" for verdict in verdicts])


def see(policy: Policy, pairs: Sequence[Pair]) -> Seen:
    """Look at pairs through a policy."""
    fast_right, deep_right = np.array([one.right for one in pairs], dtype=np.float64).T
    stands = np.array([_handed_on(policy.profile, one) for one in pairs]) == 0
    costs = {
        measure: np.array([one.costs[measure] for one in pairs], dtype=np.float64).T for measure in MEASURES
    }
    return Seen(
        pairs=pairs,
        policy=policy,
        gains=predicted_gains(as_cases(pairs), policy.estimator),
        keeps_fast=stands,
        fast_right=fast_right,
        deep_right=deep_right,
        costs={measure: (both[0], both[1]) for measure, both in costs.items()},
    )


def _handed_on(profile: GateProfile, one: Pair) -> int:
    """0 if the fast answer is handed on once both are there, 1 if the deep one is."""
    signals: list[Signal] = []
    modes: tuple[Mode, Mode] = ("fast", "deep")
    for mode, signal in zip(modes, one.signals, strict=True):
        known = profile.modes.get(mode) if signal["kind"] == "logprobs" else None
        signals.append({**signal, "risk": known.risk(signal)} if known else signal)
    return chosen(signals[0], signals[1], profile.comparison)


def fold(pairs: Sequence[Pair]) -> list[Seen]:
    """Parts of the pairs, each through a policy that was fitted on the others."""
    return [
        see(fit([one for place, one in enumerate(pairs) if place % _FOLDS != index]), pairs[index::_FOLDS])
        for index in range(_FOLDS)
    ]


def choose_settings(folds: Sequence[Seen], measure: Measure) -> dict[float, float]:
    """Price -> the gain from which triage thinks at once, of least loss over the folds."""

    def loss(asked: Sequence[Flags], price: float, gain: float) -> float:
        parts = [one.outcome(asks, gain, measure) for one, asks in zip(folds, asked, strict=True)]
        return float(np.mean([np.mean(1 - part.right + price * part.tokens) for part in parts]))

    settings: dict[float, float] = {}
    for price in PRICES:
        asked = [one.escalates(price, measure) for one in folds]
        losses = {gain: loss(asked, price, gain) for gain in reversed(THINK_AT_GAINS)}
        settings[price] = min(losses, key=losses.__getitem__)
    return settings


def as_cases(pairs: Sequence[Pair]) -> list[Case]:
    """What triage is fitted on."""
    return [Case(one.problem, {"fast": _answer(one, 0), "deep": _answer(one, 1)}) for one in pairs]


def _answer(one: Pair, which: int) -> Answer:
    return Answer(
        text=one.texts[which],
        is_right=one.right[which],
        tokens=int(one.costs["tokens"][which]),
        thought_tokens=0,
        signal=one.signals[which],
        logprobs=_NO_LOGPROBS,
    )


def mean_of_seeds(several: Sequence[Totals]) -> Totals:
    """Each problem's mean over seeds."""
    return Totals(
        np.mean([one.right for one in several], axis=0), np.mean([one.tokens for one in several], axis=0)
    )
