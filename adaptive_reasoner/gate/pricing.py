"""What going a way costs: its expected loss at the price of the moment, and what triage foresaw of it."""

from adaptive_reasoner.config import Situation, ThinkingPrice
from adaptive_reasoner.gate.curve import read_curve
from adaptive_reasoner.gate.mode_profile import Alternative, ModeProfile


def expected_loss(way: Alternative, risk: float, profile: ModeProfile, situation: Situation) -> float:
    """P(wrong) of what a way leads to, plus what it costs; it compares with the risk of accepting.

    Args:
        way: one that the profile has a curve for.
        risk: of the answer that there is.
        profile: of the answer's mode.
        situation: with what triage expected, and the price of the moment, which takes the place of the one that
            the curve was made with.
    """
    loss = read_curve(profile.alternatives[way], risk)
    if way == "escalate" and profile.foresight is not None:
        loss -= profile.foresight.shift(situation.triage)
    if situation.price is None:
        return loss
    return loss + (cost(way, risk, profile, situation.price) - cost(way, risk, profile, profile.price))


def cost(way: Alternative, risk: float, profile: ModeProfile | None, price: ThinkingPrice | None) -> float:
    """What going a way costs in P(right); 0 without a price.

    Args:
        way: "refine" or "escalate".
        risk: of the answer that there is.
        profile: knows the tokens that a way takes; where it does not, they are those of a thinking call.
        price: what spending costs.
    """
    if price is None:
        return 0.0
    known = profile.tokens.get(way) if profile else None
    tokens = read_curve(known, risk) if known else price.tokens_a_call
    return price.per_1000_tokens * tokens / 1000 + (price.per_call if way == "escalate" else 0.0)
