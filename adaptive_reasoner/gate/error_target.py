"""Setting a gate to a promise: the error of the answers that it accepts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from adaptive_reasoner.errors import CalibrationError
from adaptive_reasoner.gate.comparison import Comparison
from adaptive_reasoner.gate.curve import Floats, constant
from adaptive_reasoner.gate.fitting import fit_mode
from adaptive_reasoner.gate.mode_profile import ModeProfile
from adaptive_reasoner.gate.promise import Promise, find_threshold, least_accepted, plan_thresholds
from adaptive_reasoner.gate.scored import Scored, risks_of
from adaptive_reasoner.gate.statistics import Flags, auroc, auroc_lower_bound, upper_bound
from adaptive_reasoner.state import Mode, Signal

_FIT_SHARE = 1 / 4  # of the examples; the others test the promise
_NEVER = -1.0  # a risk below every risk
_LEAST_FIT = 20  # answers that a risk is fitted on

Modes = dict[Mode, ModeProfile]


@dataclass(frozen=True, slots=True)
class _Answers:
    """Answers of one mode: n signals and whether each is wrong."""

    signals: Sequence[Signal]
    wrong: Flags

    def risks(self, profile: ModeProfile) -> Floats:
        return risks_of(profile, self.signals)


def for_error(
    scored: Sequence[Scored], target: float, confidence: float
) -> tuple[Modes, Comparison | None, dict[str, Any]]:
    """Accept only what keeps the error of accepted answers within `target`; the rest is escalated.

    Where deep answers are given and no threshold serves the fast ones, all of these escalate.

    Returns:
        The modes, a comparison under which an accepted deep answer stands, and the figures; those of a mode
        of which nothing can be promised are None.

    Raises:
        CalibrationError: too few answers, or no threshold of any mode keeps the promise.
    """
    fit, test = _split(scored)
    deep_fit = [example for example in fit if example.deep is not None and example.deep_wrong is not None]
    has_deep = len(deep_fit) >= _LEAST_FIT
    failure = (1 - confidence) / (2 if has_deep else 1)  # two promises share one allowance
    _check_enough(len(fit), len(test), target, failure)
    fast = fit_mode([e.fast for e in fit], [e.fast_wrong for e in fit])
    promise = _promise(fast, _fast(fit), _fast(test), target, failure)
    limit = promise.threshold if promise else _NEVER
    modes: Modes = {
        "fast": replace(fast, alternatives={"escalate": constant(limit)}, max_accepted_risk=limit)
    }
    figures: dict[str, Any] = {"max_error": target, "fitted_on": len(fit), "tested_on": len(test)}
    figures["fast"] = _figures(promise)
    figures["escalated"] = 1 - promise.accepted / len(test) if promise else 1.0
    if has_deep:
        profile = fit_mode([e.deep for e in deep_fit if e.deep], [bool(e.deep_wrong) for e in deep_fit])
        reaching = [_deep(_escalated(part, fast, limit)) for part in (fit, test)]
        deep_promise = _promise(profile, reaching[0], reaching[1], target, failure)
        threshold = deep_promise.threshold if deep_promise else _NEVER
        modes["deep"], figures["deep"] = (
            replace(profile, max_accepted_risk=threshold),
            _figures(deep_promise),
        )
    if promise is None and figures.get("deep") is None:
        raise CalibrationError(_why_unkept(_fast(test), fast, target, failure))
    return modes, Comparison() if has_deep else None, figures


def _split(scored: Sequence[Scored]) -> tuple[list[Scored], list[Scored]]:
    """Examples to fit on and others to test on, the same for the same examples."""
    order: list[int] = np.random.default_rng(0).permutation(len(scored)).tolist()
    cut = int(len(scored) * _FIT_SHARE)
    return [scored[index] for index in order[:cut]], [scored[index] for index in order[cut:]]


def _fast(examples: Sequence[Scored]) -> _Answers:
    return _Answers([e.fast for e in examples], np.array([e.fast_wrong for e in examples], dtype=np.bool_))


def _deep(examples: Sequence[Scored]) -> _Answers:
    known = [(e.deep, e.deep_wrong) for e in examples if e.deep is not None and e.deep_wrong is not None]
    return _Answers([signal for signal, _ in known], np.array([label for _, label in known], dtype=np.bool_))


def _escalated(examples: Sequence[Scored], fast: ModeProfile, limit: float) -> list[Scored]:
    """Deep answers are tested on the questions that reach them: those whose fast answer is not accepted."""
    return [example for example in examples if fast.risk(example.fast) > limit]


def _promise(
    profile: ModeProfile, fit: _Answers, test: _Answers, target: float, failure: float
) -> Promise | None:
    if not len(fit.signals) or not len(test.signals):
        return None
    tested = len(test.signals)
    thresholds = plan_thresholds(fit.risks(profile), max_error=target, tested=tested)
    return find_threshold(test.risks(profile), test.wrong, thresholds, max_error=target, failure=failure)


def _figures(promise: Promise | None) -> dict[str, Any] | None:
    if promise is None:
        return None
    return {"threshold": promise.threshold, "accepted": promise.accepted, "wrong": promise.wrong}


def _check_enough(fitted: int, tested: int, target: float, failure: float) -> None:
    least = least_accepted(target, failure)
    if fitted < _LEAST_FIT or tested < least:
        needed = max(int(least / (1 - _FIT_SHARE)) + 1, int(_LEAST_FIT / _FIT_SHARE) + 1)
        raise CalibrationError(
            f"max_error={target} needs at least {needed} answers with log probabilities, not {fitted + tested}: "
            f"{least} must be accepted and all right."
        )


def _why_unkept(test: _Answers, profile: ModeProfile, target: float, failure: float) -> str:
    least, risks = least_accepted(target, failure), test.risks(profile)
    surest = test.wrong[np.argsort(risks, kind="stable")][:least]
    bound = upper_bound(int(surest.sum()), least, 1 - failure)
    uninformative = auroc_lower_bound(risks, test.wrong, 1 - failure) <= 0.5
    return (
        f"max_error={target} cannot be promised with confidence {1 - failure:.2f}: of the {least} surest of "
        f"{len(risks)} test answers {int(surest.sum())} are wrong (at most {bound:.2f} of all like them), AUROC "
        f"{auroc(risks, test.wrong):.2f}{', so the signal is uninformative here' if uninformative else ''}. "
        "Allow more error, or give more examples."
    )
