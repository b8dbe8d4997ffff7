"""Setting a gate to a target: a share of escalated answers, or the error of the accepted ones."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from adaptive_reasoner.errors import CalibrationError
from adaptive_reasoner.gate.curve import Floats, Knots, constant, read_curve
from adaptive_reasoner.gate.fitting import fit_loss_after, fit_mode
from adaptive_reasoner.gate.mode_profile import ModeProfile
from adaptive_reasoner.gate.promise import Promise, find_threshold, least_accepted
from adaptive_reasoner.gate.statistics import Flags, auroc, auroc_lower_bound, upper_bound
from adaptive_reasoner.state import Mode, Signal

_FIT_SHARE = 1 / 3  # of the examples where a promise needs others to be tested on
_NEVER = -1.0  # a risk below every risk
_LEAST_FIT = 20  # answers that a risk is fitted on

Modes = dict[Mode, ModeProfile]
Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scored:
    """A labelled question whose fast answer has log probabilities; `deep` where that answer has them too."""

    fast: Signal
    fast_wrong: bool
    deep: Signal | None
    deep_wrong: bool | None


def for_escalation(
    scored: Sequence[Scored], unknown: int, target: float, confidence: float
) -> tuple[Modes, Figures]:
    """Escalate at most the share `target` of all answers, `unknown` ones included, where it gains most.

    Raises:
        CalibrationError: the signal is uninformative, or the unknown answers alone exceed the share.
    """
    wrong = np.array([example.fast_wrong for example in scored])
    fast = fit_mode([example.fast for example in scored], wrong.tolist())
    risks = _risks(fast, [example.fast for example in scored])
    _check_informative(_cross_fitted_risks(scored), wrong, confidence)
    allowed = int(target * (len(scored) + unknown) + 1e-9) - unknown
    if allowed < 0:
        raise CalibrationError(
            f"{unknown} of {len(scored) + unknown} answers have no usable log probabilities and must escalate: "
            f"that is more than max_escalation={target}."
        )
    after = _loss_after(scored, risks)
    gains = np.array([risk - read_curve(after, risk) for risk in risks])
    price = max(float(np.sort(gains)[::-1][allowed]), 0.0) if allowed < len(gains) else 0.0
    curve = tuple((risk, loss + price) for risk, loss in after)
    modes: Modes = {"fast": replace(fast, alternatives={"escalate": curve})}
    deep = [(example.deep, example.deep_wrong) for example in scored]
    known = [(signal, bool(label)) for signal, label in deep if signal is not None and label is not None]
    if len(known) >= 2:
        modes["deep"] = fit_mode([signal for signal, _ in known], [label for _, label in known])
    escalated = float(np.mean(gains > price))
    return modes, {
        "max_escalation": target,
        "escalated": escalated,
        "price": price,
        "auroc": auroc(risks, wrong),
    }


def for_error(scored: Sequence[Scored], target: float, confidence: float) -> tuple[Modes, Figures]:
    """Accept only what keeps the error of accepted answers within `target`; the rest is escalated.

    Raises:
        CalibrationError: too few answers, or no threshold keeps the promise.
    """
    fit, test = _split(scored)
    deep_fit = [example for example in fit if example.deep is not None and example.deep_wrong is not None]
    has_deep = len(deep_fit) >= _LEAST_FIT
    failure = (1 - confidence) / (2 if has_deep else 1)  # two promises share one allowance
    _check_enough(len(fit), len(test), target, failure)
    fast = fit_mode([example.fast for example in fit], [example.fast_wrong for example in fit])
    risks = _risks(fast, [example.fast for example in test])
    wrong = np.array([example.fast_wrong for example in test], dtype=np.bool_)
    promise = find_threshold(risks, wrong, max_error=target, failure=failure)
    if promise is None:
        raise CalibrationError(_why_unkept(risks, wrong, target, failure))
    limit = promise.threshold
    modes: Modes = {
        "fast": replace(fast, alternatives={"escalate": constant(limit)}, max_accepted_risk=limit)
    }
    figures: Figures = {"max_error": target, "fitted_on": len(fit), "tested_on": len(test)}
    figures["fast"] = _figures(promise)
    if has_deep:
        escalated = [example for example, risk in zip(test, risks, strict=True) if risk > limit]
        modes["deep"], figures["deep"] = _promise_deep(deep_fit, escalated, target, failure)
    return modes, figures


def _split(scored: Sequence[Scored]) -> tuple[list[Scored], list[Scored]]:
    """Examples to fit on and others to test on, the same for the same examples."""
    order: list[int] = np.random.default_rng(0).permutation(len(scored)).tolist()
    cut = int(len(scored) * _FIT_SHARE)
    return [scored[index] for index in order[:cut]], [scored[index] for index in order[cut:]]


def _promise_deep(
    fit: Sequence[Scored], escalated: Sequence[Scored], target: float, failure: float
) -> tuple[ModeProfile, Figures | None]:
    """Deep answers are tested on the questions that reach them: those whose fast answer is not accepted."""
    profile = fit_mode([e.deep for e in fit if e.deep is not None], [bool(e.deep_wrong) for e in fit])
    test = [
        (e.deep, bool(e.deep_wrong)) for e in escalated if e.deep is not None and e.deep_wrong is not None
    ]
    risks = _risks(profile, [signal for signal, _ in test])
    wrong = np.array([label for _, label in test], dtype=np.bool_)
    promise = find_threshold(risks, wrong, max_error=target, failure=failure) if test else None
    threshold = promise.threshold if promise else _NEVER
    return replace(profile, max_accepted_risk=threshold), _figures(promise) if promise else None


def _risks(profile: ModeProfile, signals: Sequence[Signal]) -> Floats:
    return np.array([profile.risk(signal) for signal in signals], dtype=np.float64)


def _cross_fitted_risks(scored: Sequence[Scored]) -> Floats:
    """Risks from a profile that was fitted on the other half: a fit flatters itself on its own answers."""
    risks = np.zeros(len(scored))
    for part in range(2):
        other = scored[1 - part :: 2]
        if len(other) >= 2:
            profile = fit_mode([e.fast for e in other], [e.fast_wrong for e in other])
            risks[part::2] = _risks(profile, [e.fast for e in scored[part::2]])
    return risks


def _loss_after(scored: Sequence[Scored], risks: Floats) -> Knots:
    """Risk -> P(deep answer wrong); 0 everywhere, so that the riskiest escalate, where no deep answers are given."""
    labels = [example.deep_wrong for example in scored]
    known = np.array([label is not None for label in labels])
    if known.sum() < _LEAST_FIT:
        return constant(0.0)
    return fit_loss_after(risks[known], np.array([float(label) for label in labels if label is not None]))


def _figures(promise: Promise) -> Figures:
    return {"threshold": promise.threshold, "accepted": promise.accepted, "wrong": promise.wrong}


def _check_informative(risks: Floats, wrong: Flags, confidence: float) -> None:
    area, bound = auroc(risks, wrong), auroc_lower_bound(risks, wrong, confidence)
    if bound <= 0.5:
        raise CalibrationError(
            f"The signal is uninformative on these {len(risks)} answers, {int(wrong.sum())} of them wrong: "
            f"AUROC {area:.2f}, lower bound {bound:.2f}. Give more examples, or gate these questions otherwise."
        )


def _check_enough(fitted: int, tested: int, target: float, failure: float) -> None:
    least = least_accepted(target, failure)
    if fitted < _LEAST_FIT or tested < least:
        needed = max(int(least / (1 - _FIT_SHARE)) + 1, int(_LEAST_FIT / _FIT_SHARE) + 1)
        raise CalibrationError(
            f"max_error={target} needs at least {needed} answers with log probabilities, not {fitted + tested}: "
            f"{least} must be accepted and all right."
        )


def _why_unkept(risks: Floats, wrong: Flags, target: float, failure: float) -> str:
    least = least_accepted(target, failure)
    surest = wrong[np.argsort(risks, kind="stable")][:least]
    bound = upper_bound(int(surest.sum()), least, 1 - failure)
    return (
        f"max_error={target} cannot be promised with confidence {1 - failure:.2f}: of the {least} surest of "
        f"{len(risks)} test answers {int(surest.sum())} are wrong (at most {bound:.2f} of all like them), AUROC "
        f"{auroc(risks, wrong):.2f}. Allow more error, or give more examples."
    )
