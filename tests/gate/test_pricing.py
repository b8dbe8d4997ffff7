import math

import pytest
from signals import signal_of, unknown_signal

from adaptive_reasoner.config import Situation, ThinkingPrice
from adaptive_reasoner.errors import ProfileError
from adaptive_reasoner.gate import GateProfile, ModeProfile
from adaptive_reasoner.gate.decision import decide
from adaptive_reasoner.gate.foresight import Foresight
from adaptive_reasoner.gate.mode_profile import mode_profile_from_json
from adaptive_reasoner.gate.pricing import cost
from adaptive_reasoner.state import Triage

# risk = 1 - p; thinking leaves a risk of .05 and takes 200 tokens, refining leaves half the risk and takes 40
IDENTITY = {
    "features": ("min_probability",),
    "weights": (-1.0,),
    "bias": 1.0,
    "knots": ((0.0, 0.0), (1.0, 1.0)),
}
CURVES = {"escalate": ((0.0, 0.05),), "refine": ((0.0, 0.0), (1.0, 0.5))}
TOKENS = {"escalate": ((0.0, 200.0),), "refine": ((0.0, 40.0),)}
PROFILE = ModeProfile(**IDENTITY, alternatives=CURVES, tokens=TOKENS)


def situation(price: ThinkingPrice | None = None, triage: Triage | None = None, **can: bool) -> Situation:
    ways = {"can_refine": False, "can_escalate": True, "can_review": False, **can}
    return Situation(mode="fast", price=price, triage=triage, **ways)


def test_thinking_pays_while_its_gain_exceeds_the_price_of_a_call():
    below, above = (situation(ThinkingPrice(per_call=price)) for price in (0.14, 0.16))

    cheap, dear = (decide(signal_of(0.8), one, PROFILE) for one in (below, above))

    assert cheap.verdict == "escalate"
    assert cheap.reason.endswith("(gain 0.150 > price 0.140)")
    assert dear.verdict == "accept"
    assert dear.reason == "risk 0.200 <= 0.210: thinking is not expected to pay (gain 0.150 <= price 0.160)"


def test_refining_and_thinking_pay_for_their_own_tokens():
    # at risk .4 thinking gains .35 and refining .2; at 1 per 1,000 tokens they cost .2 and .04
    both = {"can_refine": True, "can_escalate": True}

    assert decide(signal_of(0.6), situation(**both), PROFILE).verdict == "escalate"
    assert (
        decide(signal_of(0.6), situation(ThinkingPrice(per_1000_tokens=1.0), **both), PROFILE).verdict
        == "refine"
    )
    assert (
        decide(signal_of(0.6), situation(ThinkingPrice(per_1000_tokens=6.0), **both), PROFILE).verdict
        == "accept"
    )


def test_only_thinking_pays_the_price_of_a_call():
    # at risk .4 refining gains .2 for nothing, thinking .35 for .3
    decision = decide(signal_of(0.6), situation(ThinkingPrice(per_call=0.3), can_refine=True), PROFILE)

    assert decision.verdict == "refine"
    assert cost("refine", 0.4, PROFILE, ThinkingPrice(per_call=0.3)) == 0.0
    assert cost("escalate", 0.4, PROFILE, ThinkingPrice(per_call=0.3)) == 0.3


def test_at_the_price_of_its_calibration_a_profile_decides_as_without_one():
    price = ThinkingPrice(per_1000_tokens=0.5, per_call=0.01)
    profile = ModeProfile(**IDENTITY, alternatives=CURVES, tokens=TOKENS, price=price)

    for p in (0.99, 0.94, 0.9, 0.8, 0.5):
        plain, priced = (
            decide(signal_of(p), situation(one, can_refine=True), profile) for one in (None, price)
        )
        assert plain.verdict == priced.verdict
        assert priced.reason.startswith(plain.reason)


def test_unknown_tokens_cost_what_a_thinking_call_takes():
    profile = ModeProfile(**IDENTITY, alternatives=CURVES)
    price = ThinkingPrice(per_1000_tokens=1.0, tokens_a_call=300)  # .3 a call

    assert decide(signal_of(0.7), situation(price), profile).verdict == "accept"  # gains .25
    assert decide(signal_of(0.6), situation(price), profile).verdict == "escalate"  # gains .35


def test_a_negative_price_pays_for_thinking():
    assert decide(signal_of(0.99), situation(), PROFILE).verdict == "accept"
    assert decide(signal_of(0.99), situation(ThinkingPrice(per_call=-0.05)), PROFILE).verdict == "escalate"


def test_unknown_confidence_thinks_only_while_half_a_right_answer_is_worth_more():
    cheap, dear = (situation(ThinkingPrice(per_call=price)) for price in (0.4, 0.6))

    assert decide(unknown_signal(), cheap, PROFILE).verdict == "escalate"
    refused = decide(unknown_signal(), dear, PROFILE)
    assert refused.verdict == "give_up"  # never accepted as sure
    assert "at this price: thinking costs 0.600" in refused.reason


@pytest.mark.parametrize(("price", "verdict"), [(0.0, "escalate"), (0.3, "escalate"), (0.5, "give_up")])
def test_without_calibration_the_price_raises_the_doubt_that_is_thought_through(price: float, verdict: str):
    decision = decide(signal_of(0.4), situation(ThinkingPrice(per_call=price)), None)

    assert decision.verdict == verdict
    assert decide(signal_of(0.9), situation(ThinkingPrice(per_call=price)), None).verdict == "accept"


def test_a_promise_is_kept_at_any_price():
    promised = ModeProfile(**IDENTITY, alternatives={"escalate": ((0.0, 0.1),)}, max_accepted_risk=0.1)

    decision = decide(signal_of(0.8), situation(ThinkingPrice(per_call=0.5)), promised)

    assert decision.verdict == "give_up"
    assert "(gain 0.100 <= price 0.500)" in decision.reason


def test_what_triage_foresaw_counts_if_it_is_the_estimator_that_was_calibrated():
    profile = ModeProfile(
        **IDENTITY,
        alternatives={"escalate": ((0.0, 0.22),)},
        foresight=Foresight(source="linear:mine", slope=0.5, usual=0.1),
    )
    foreseen: Triage = {"gain": 0.2, "difficulty": 0.5, "source": "linear:mine", "reason": ""}

    assert decide(signal_of(0.8), situation(), profile).verdict == "accept"
    assert (
        decide(signal_of(0.8), situation(triage=foreseen), profile).verdict == "escalate"
    )  # .20 > .22 - .05
    assert (
        decide(signal_of(0.8), situation(triage={**foreseen, "source": "rule"}), profile).verdict == "accept"
    )
    assert decide(signal_of(0.75), situation(triage={**foreseen, "gain": -0.2}), profile).verdict == "accept"


def test_tokens_price_and_foresight_survive_json():
    profile = ModeProfile(
        **IDENTITY,
        alternatives=CURVES,
        tokens=TOKENS,
        price=ThinkingPrice(per_1000_tokens=1.5),
        foresight=Foresight(source="linear:mine", slope=0.5, usual=0.1),
    )

    assert mode_profile_from_json(profile.to_json()) == profile


def test_a_profile_from_before_prices_is_readable():
    data = ModeProfile(**IDENTITY, alternatives=CURVES).to_json()
    for name in ("tokens", "price", "foresight"):
        del data[name]

    assert mode_profile_from_json(data) == ModeProfile(**IDENTITY, alternatives=CURVES)


@pytest.mark.parametrize(
    "changed",
    [
        {"tokens": {"escalate": [[0.0, -5.0]]}},
        {"tokens": {"escalate": []}},
        {"tokens": {"escalate": [[0.0, math.nan]]}},
        {"price": {"per_call": math.nan}},
        {"price": {"per_kilometre": 1.0}},
        {"foresight": {"source": "x", "slope": -1.0, "usual": 0.0}},
        {"foresight": {"source": "x"}},
    ],
)
def test_a_corrupt_profile_is_one_clear_error(changed: dict[str, object]):
    data = {
        "version": 1,
        "kind": "calibrated",
        "model": "",
        "modes": {"fast": {**PROFILE.to_json(), **changed}},
    }

    with pytest.raises(ProfileError):
        GateProfile.from_json(data)
