"""Fits the early cut to whole answers with their verdicts: as much saved as a promise allows."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import get_args

import numpy as np

from adaptive_reasoner.gate.early_cut import Certainty, EarlyCut, certainty_of, window_means
from adaptive_reasoner.gate.promise import find_threshold, least_accepted, plan_thresholds
from adaptive_reasoner.gate.statistics import Flags, fit_logistic, sigmoid
from adaptive_reasoner.uncertainty.entropy import Floats
from adaptive_reasoner.uncertainty.token_measures import TokenMeasures

WINDOWS = (1, 2, 4, 8, 16, 32, 64, 128)
# Below this share of the escalated answers' tokens, and below so many tokens of one, a cut is not worth the answer
# that it throws away: a whole one may stand beside the deep answer, or support it.
LEAST_SAVED, LEAST_TOKENS = 0.05, 4.0
_MOSTLY_KNOWN = 0.9


@dataclass(frozen=True, slots=True)
class WholeAnswer:
    """A fast answer that came to its end.

    Attributes:
        tokens: all of them.
        stands: it would not be escalated, or would be kept although thinking gave another.
    """

    tokens: TokenMeasures
    stands: bool


@dataclass(frozen=True, slots=True)
class _Look:
    """What a rule looks at."""

    certainty: Certainty
    window: int

    def means(self, answer: WholeAnswer) -> Floats:
        return window_means(certainty_of(answer.tokens, self.certainty), self.window)


@dataclass(frozen=True, slots=True)
class _Half:
    """The answers of one half; every array has the shape (answers,)."""

    lowest: Floats  # of any window; infinite where there is none
    stands: Flags

    @property
    def known(self) -> "_Half":
        return _Half(self.lowest[np.isfinite(self.lowest)], self.stands[np.isfinite(self.lowest)])


def fit_early_cut(
    answers: Sequence[WholeAnswer], *, max_accepted: float, confidence: float
) -> EarlyCut | None:
    """The rule that saves most; None where nothing worth it can be promised.

    One half of the answers chooses what is looked at and the order in which thresholds are tested, the other tests them
    (see `find_threshold`): with `confidence`, at most `max_accepted` of the cut answers would have stood. The
    verdicts are a gate's that was fitted before, maybe on the same answers; the promise takes them as given.

    Args:
        answers: of one model, as a `StreamWatch` would see them; those whose confidence is mostly unknown are
            left out.
        max_accepted: in (0, 1).
        confidence: in [.5, 1).
    """
    seen = [one for one in answers if (~np.isnan(one.tokens.confidence)).mean() >= _MOSTLY_KNOWN]
    order: list[int] = np.random.default_rng(0).permutation(len(seen)).tolist()
    halves = [[seen[index] for index in order[part::2]] for part in range(2)]
    if min(map(len, halves)) < least_accepted(max_accepted, 1 - confidence):
        return None
    looks = [_Look(certainty, window) for certainty, window in product(get_args(Certainty), WINDOWS)]
    tried = [(look, _fit(halves[0], halves[0], look, max_accepted, confidence)) for look in looks]
    worth = [(saved_share(halves[0], rule), look) for look, rule in tried if rule]
    best, look = max(worth, key=lambda one: one[0], default=(0.0, looks[0]))
    if best < LEAST_SAVED:
        return None
    rule = _fit(halves[0], halves[1], look, max_accepted, confidence)
    return rule if rule and _is_worth_it(halves[1], rule) else None


def saved_share(answers: Sequence[WholeAnswer], rule: EarlyCut) -> float:
    """The share of the escalated answers' tokens that the rule spares."""
    saved = total = 0
    for one in answers:
        if not one.stands:
            means = _Look(rule.certainty, rule.window).means(one)
            below = np.flatnonzero(means <= rule.threshold)
            total += len(one.tokens.logprob)
            saved += len(means) - 1 - int(below[0]) if len(below) else 0
    return saved / total if total else 0.0


def _is_worth_it(answers: Sequence[WholeAnswer], rule: EarlyCut) -> bool:
    escalated = [len(one.tokens.logprob) for one in answers if not one.stands]
    share = saved_share(answers, rule)
    return share >= LEAST_SAVED and share * float(np.mean(escalated)) >= LEAST_TOKENS


def is_cut(answer: WholeAnswer, rule: EarlyCut) -> bool:
    """True if the rule cuts this answer, at its end even."""
    return bool((_Look(rule.certainty, rule.window).means(answer) <= rule.threshold).any())


def _fit(
    planned_on: Sequence[WholeAnswer],
    tested_on: Sequence[WholeAnswer],
    look: _Look,
    max_accepted: float,
    confidence: float,
) -> EarlyCut | None:
    plan, test = _half(planned_on, look).known, _half(tested_on, look).known
    if len(plan.lowest) < 2 or not len(test.lowest):
        return None
    weights, bias = fit_logistic(plan.lowest[:, None], plan.stands.astype(np.float64))
    if weights[0] <= 0:  # low certainty does not foretell the verdict here
        return None
    # The last threshold stands for every answer there is; a stream can only be compared with a number.
    *thresholds, _ = plan_thresholds(
        sigmoid(plan.lowest * weights[0] + bias), max_error=max_accepted, tested=len(test.lowest)
    )
    chances = sigmoid(test.lowest * weights[0] + bias)
    promise = find_threshold(chances, test.stands, thresholds, max_error=max_accepted, failure=1 - confidence)
    if promise is None:
        return None
    threshold = float(test.lowest[chances <= promise.threshold].max())
    return EarlyCut(
        certainty=look.certainty,
        window=look.window,
        threshold=threshold,
        max_accepted=max_accepted,
        confidence=confidence,
        cut=promise.accepted,
        accepted=promise.wrong,
    )


def _half(answers: Sequence[WholeAnswer], look: _Look) -> _Half:
    means = [look.means(one) for one in answers]
    lowest = np.array([one.min() if len(one) else np.inf for one in means], dtype=np.float64)
    return _Half(lowest, np.array([one.stands for one in answers], dtype=np.bool_))
