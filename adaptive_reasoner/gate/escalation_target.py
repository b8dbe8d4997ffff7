"""Setting a gate to a share of escalated answers: those where thinking is expected to gain most."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from adaptive_reasoner.config import ThinkingPrice
from adaptive_reasoner.errors import CalibrationError
from adaptive_reasoner.gate.comparison import Comparison
from adaptive_reasoner.gate.comparison_fitting import fit_comparison, wrong_after
from adaptive_reasoner.gate.curve import Floats, Knots, constant, read_curve
from adaptive_reasoner.gate.fitting import fit_loss_after, fit_mode
from adaptive_reasoner.gate.foresight import Foresight, fit_foresight
from adaptive_reasoner.gate.mode_profile import Alternative, ModeProfile
from adaptive_reasoner.gate.scored import Scored, risks_of
from adaptive_reasoner.gate.statistics import Flags, auroc, auroc_lower_bound
from adaptive_reasoner.state import Mode

_LEAST_FIT = 20  # deep answers that an expectation is fitted on

Modes = dict[Mode, ModeProfile]


def for_escalation(
    scored: Sequence[Scored], unknown: int, target: float, confidence: float
) -> tuple[Modes, Comparison | None, dict[str, Any]]:
    """Escalate at most the share `target` of all answers, `unknown` ones included, where it gains most.

    Returns:
        The modes, the accept-if-better step where deep answers are given, and the figures.

    Raises:
        CalibrationError: the signal is uninformative, or the unknown answers alone exceed the share.
    """
    wrong = np.array([example.fast_wrong for example in scored])
    fast = fit_mode([example.fast for example in scored], wrong.tolist())
    risks = risks_of(fast, [example.fast for example in scored])
    _check_informative(_cross_fitted_risks(scored), wrong, confidence)
    allowed = _allowed(len(scored) + unknown, unknown, target)
    comparison, compared = _comparison(scored, confidence)
    after = _loss_after(scored, risks, comparison)
    gains, foresight = _expected_gains(scored, risks, after, comparison)
    price = max(float(np.sort(gains)[::-1][allowed]), 0.0) if allowed < len(gains) else 0.0
    curve = tuple((risk, loss + price) for risk, loss in after)
    modes: Modes = {
        "fast": replace(
            fast,
            alternatives={"escalate": curve},
            tokens=expected_tokens(scored),
            price=ThinkingPrice(per_call=price),
            foresight=foresight,
        ),
        **_deep_mode(scored),
    }
    figures = {
        "max_escalation": target,
        "escalated": float((gains > price).sum() + unknown) / (len(scored) + unknown),
        "price": price,
        "auroc": auroc(risks, wrong),
        "comparison": compared,
        "foresight": None if foresight is None else {"source": foresight.source, "slope": foresight.slope},
    }
    return modes, comparison, figures


def _allowed(asked: int, unknown: int, target: float) -> int:
    """How many answers with log probabilities may escalate beside the unknown ones, which must."""
    allowed = int(target * asked + 1e-9) - unknown
    if allowed < 0:
        raise CalibrationError(
            f"{unknown} of {asked} answers have no usable log probabilities and must escalate: "
            f"that is more than max_escalation={target}."
        )
    return allowed


def _expected_gains(
    scored: Sequence[Scored], risks: Floats, after: Knots, comparison: Comparison | None
) -> tuple[Floats, Foresight | None]:
    """What thinking is expected to gain, shape (n,), in P(right), and what triage's predictions added to it."""
    gains = np.array([risk - read_curve(after, risk) for risk in risks])
    foresight = _foresight(scored, gains, comparison)
    if foresight:
        gains += np.array([foresight.shift(example.triage) for example in scored])
    return gains, foresight


def expected_tokens(scored: Sequence[Scored]) -> dict[Alternative, Knots]:
    """Tokens of a thinking call, on average over the questions that show them; empty where none does."""
    known = [example.deep_tokens for example in scored if example.deep_tokens is not None]
    return {"escalate": constant(float(np.mean(known)))} if known else {}


def _foresight(scored: Sequence[Scored], expected: Floats, comparison: Comparison | None) -> Foresight | None:
    """What triage's predictions add; nothing where it is not known what thinking led to."""
    after = wrong_after(scored, comparison or Comparison())
    known = [index for index, wrong in enumerate(after) if wrong is not None]
    if len(known) < _LEAST_FIT:
        return None
    gains = np.array([float(scored[i].fast_wrong) - float(bool(after[i])) for i in known])
    return fit_foresight([scored[i].triage for i in known], gains, expected[known])


def _comparison(scored: Sequence[Scored], confidence: float) -> tuple[Comparison | None, dict[str, Any]]:
    if all(example.deep_wrong is None for example in scored):
        return None, {"pairs": 0, "used": False}
    return fit_comparison(scored, confidence)


def _deep_mode(scored: Sequence[Scored]) -> Modes:
    known = [(e.deep, e.deep_wrong) for e in scored if e.deep is not None and e.deep_wrong is not None]
    if len(known) < 2:
        return {}
    return {"deep": fit_mode([signal for signal, _ in known], [label for _, label in known])}


def _cross_fitted_risks(scored: Sequence[Scored]) -> Floats:
    """Risks from a profile that was fitted on the other half: a fit flatters itself on its own answers."""
    risks = np.zeros(len(scored))
    for part in range(2):
        other = scored[1 - part :: 2]
        if len(other) >= 2:
            profile = fit_mode([e.fast for e in other], [e.fast_wrong for e in other])
            risks[part::2] = risks_of(profile, [e.fast for e in scored[part::2]])
    return risks


def _loss_after(scored: Sequence[Scored], risks: Floats, comparison: Comparison | None) -> Knots:
    """Risk -> P(wrong after thinking); 0 everywhere, so that the riskiest escalate, without deep answers."""
    labels = wrong_after(scored, comparison or Comparison())
    known = np.array([label is not None for label in labels])
    if known.sum() < _LEAST_FIT:
        return constant(0.0)
    return fit_loss_after(risks[known], np.array([float(label) for label in labels if label is not None]))


def _check_informative(risks: Floats, wrong: Flags, confidence: float) -> None:
    area, bound = auroc(risks, wrong), auroc_lower_bound(risks, wrong, confidence)
    if bound <= 0.5:
        raise CalibrationError(
            f"The signal is uninformative on these {len(risks)} answers, {int(wrong.sum())} of them wrong: "
            f"AUROC {area:.2f}, lower bound {bound:.2f}. Give more examples, or gate these questions otherwise."
        )
