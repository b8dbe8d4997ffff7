"""Think or not: the line that decides what happens to an answer. Pure: signal + profile -> verdict."""

from collections.abc import Mapping

from adaptive_reasoner.config import Decision, Situation
from adaptive_reasoner.gate.mode_profile import Alternative, ModeProfile
from adaptive_reasoner.gate.pricing import cost, expected_loss
from adaptive_reasoner.state import Signal, Verdict

# Without calibration: an answer is doubted where its least probable token leaves more than this to others, and
# is thought through anew, instead of refined, where others are more probable than what was chosen.
DOUBTED = 0.2
HARDLY_BELIEVED = 0.5
# P(wrong) at the least of an answer whose own rationale comes to another result, where no profile has learnt it.
CONTRADICTED = 0.7
# What thinking might gain where nothing is known: half of all that there is to gain.
UNKNOWN_GAIN = 0.5

_DOING: dict[Verdict, str] = {"refine": "refining", "escalate": "thinking", "accept": "accepting"}


def decide(signal: Signal, situation: Situation, mode_profile: ModeProfile | None) -> Decision:
    """Choose among accepting, refining, escalating, asking a person and giving up.

    Args:
        signal: how sure the answer is.
        situation: what may still be done.
        mode_profile: calibration for (model, mode); None: an uncalibrated rule on the least probability.
    """
    doubt = _doubt(signal)
    if doubt is not None and _is_contradicted(signal):
        doubt = max(doubt, CONTRADICTED)
    if doubt is None:
        return _unknown(signal, situation)
    if mode_profile is None:
        return _uncalibrated(signal, doubt, situation)
    measured = signal["kind"] == "logprobs"
    risk = mode_profile.risk(signal) if measured else doubt
    if _is_contradicted(signal) and "contradicted" not in mode_profile.features:
        risk = max(risk, CONTRADICTED)
    return _least_loss(risk, situation, mode_profile)


def _doubt(signal: Signal) -> float | None:
    """What the answer's own numbers leave to other answers; None where there are none."""
    if signal["kind"] == "logprobs":
        return None if signal["min_probability"] is None else 1.0 - signal["min_probability"]
    return None if signal["kind"] == "unknown" else signal["risk"]


def _is_contradicted(signal: Signal) -> bool:
    return signal.get("rationale_agreement") == 0.0


def _least_loss(risk: float, situation: Situation, profile: ModeProfile) -> Decision:
    losses: dict[Verdict, float] = {"accept": risk}  # first: a tie is accepted
    for way in _allowed(situation):
        if way in profile.alternatives:
            losses[way] = expected_loss(way, risk, profile, situation)

    verdict = min(losses, key=losses.__getitem__)  # <- think or not

    if verdict != "accept":
        better = f"{_DOING[verdict]} is expected to cost less than accepting"
        priced = _priced(verdict, losses, profile, situation)
        return Decision(verdict, f"risk {risk:.3f} > {losses[verdict]:.3f}: {better}{priced}", risk)
    if risk > profile.max_accepted_risk:
        limit = f"risk {risk:.3f} > {profile.max_accepted_risk:.3f}, the most that is accepted"
        others = _priced(_best_other(losses), losses, profile, situation)
        return _hand_over(f"{limit}, and nothing left to try is expected to help{others}", situation, risk)
    return Decision(
        "accept", _why_accepted(losses) + _priced(_best_other(losses), losses, profile, situation), risk
    )


def _allowed(situation: Situation) -> list[Alternative]:
    ways: list[tuple[Alternative, bool]] = [
        ("refine", situation.can_refine),
        ("escalate", situation.can_escalate),
    ]
    return [way for way, allowed in ways if allowed]


def _best_other(losses: dict[Verdict, float]) -> Verdict:
    """The way of least loss beside accepting; "accept" where there is none."""
    return min(losses, key=lambda way: (way == "accept", losses[way]))


def _why_accepted(losses: dict[Verdict, float]) -> str:
    risk, best = losses["accept"], _best_other(losses)
    if best == "accept":
        return f"risk {risk:.3f} is within what is accepted"
    return f"risk {risk:.3f} <= {losses[best]:.3f}: {_DOING[best]} is not expected to pay"


def _priced(way: Verdict, losses: dict[Verdict, float], profile: ModeProfile, situation: Situation) -> str:
    """Gain against price, where an allocation sets one."""
    if situation.price is None or way not in ("refine", "escalate"):
        return ""
    risk, price = losses["accept"], cost(way, losses["accept"], profile, situation.price)
    gain = risk - losses[way] + price
    sign = ">" if gain > price else "<="
    return f" (gain {gain:.3f} {sign} price {price:.3f})"


def _uncalibrated(signal: Signal, doubt: float, situation: Situation) -> Decision:
    """A price raises the doubt from which anything is tried, since nothing tells what it would gain."""
    prices: dict[Alternative, float] = {
        way: cost(way, doubt, None, situation.price) for way in _allowed(situation)
    }
    bound = DOUBTED + min(prices.values(), default=0.0)
    sign = "<=" if doubt <= bound else ">"
    rule = f"uncalibrated default: doubt {doubt:.3f} {sign} {bound:.3f} at the least probable token"
    if doubt <= min(bound, DOUBTED):
        return Decision("accept", rule, None)
    can_think = "escalate" in prices and doubt > DOUBTED + prices["escalate"]
    can_refine = "refine" in prices and doubt > DOUBTED + prices["refine"] and bool(signal["spans"])
    if can_think and (doubt > HARDLY_BELIEVED or not can_refine):
        return Decision("escalate", f"{rule}: think it through", None)
    if can_refine:
        return Decision("refine", f"{rule}: look at it again", None)
    return _hand_over(f"{rule}, and nothing is left to try{_at_this_price(prices)}", situation, None)


def _unknown(signal: Signal, situation: Situation) -> Decision:
    why = f"confidence unknown: {signal['reason'] or 'it was not measured'}"
    price = cost("escalate", 0.5, None, situation.price)
    if situation.can_escalate and price < UNKNOWN_GAIN:
        return Decision("escalate", f"{why}; unknown is not confident, so think it through", None)
    if situation.accept_unknown and situation.mode != "fast" and not situation.can_review:
        return Decision("accept", f"{why}; accepted because accept_unknown is set", None)
    prices: dict[Alternative, float] = {"escalate": price} if situation.can_escalate else {}
    left = _at_this_price(prices)
    return _hand_over(f"{why}; nothing is left to try{left}", situation, None)


def _at_this_price(prices: Mapping[Alternative, float]) -> str:
    dear = [f"{_DOING[way]} costs {price:.3f}" for way, price in prices.items() if price > 0]
    return f" at this price: {', '.join(dear)}" if dear else ""


def _hand_over(reason: str, situation: Situation, risk: float | None) -> Decision:
    if situation.can_review:
        return Decision("review", f"{reason}: a person decides", risk)
    return Decision("give_up", f"{reason}: handed on as unsure", risk)
