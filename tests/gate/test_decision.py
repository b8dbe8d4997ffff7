from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signals import signal_of, unknown_signal

from adaptive_reasoner.config import Situation
from adaptive_reasoner.gate import ModeProfile
from adaptive_reasoner.gate.decision import decide
from adaptive_reasoner.state import Mode, Signal, Verdict

# risk = 1 - p: the logistic function of ln((1 - p) / p) is not linear in p, so the knots say it
IDENTITY = {
    "features": ("min_probability",),
    "weights": (-1.0,),
    "bias": 1.0,
    "knots": ((0.0, 0.0), (1.0, 1.0)),
}


def situation(mode: Mode = "fast", **can: bool) -> Situation:
    allowed = {"can_refine": False, "can_escalate": False, "can_review": False, **can}
    return Situation(mode=mode, **allowed)


def test_a_risk_below_the_price_of_thinking_is_accepted():
    profile = ModeProfile(**IDENTITY, alternatives={"escalate": ((0.0, 0.1),)})

    decision = decide(signal_of(0.95), situation(can_escalate=True), profile)

    assert decision.verdict == "accept"
    assert decision.risk == pytest.approx(0.05)
    assert decision.reason == "risk 0.050 <= 0.100: thinking is not expected to pay"


def test_a_risk_above_the_price_of_thinking_escalates():
    profile = ModeProfile(**IDENTITY, alternatives={"escalate": ((0.0, 0.1),)})

    decision = decide(signal_of(0.8), situation(can_escalate=True), profile)

    assert decision.verdict == "escalate"
    assert decision.reason == "risk 0.200 > 0.100: thinking is expected to cost less than accepting"


def test_the_cheapest_way_is_taken():
    # at risk .3: refining costs .05 + .5 * .3 = .2, thinking .1; at risk .1 refining costs .1
    refine = ((0.0, 0.05), (1.0, 0.55))
    profile = ModeProfile(**IDENTITY, alternatives={"refine": refine, "escalate": ((0.0, 0.12),)})

    at = {
        risk: decide(signal_of(1 - risk), situation(can_refine=True, can_escalate=True), profile)
        for risk in (0.11, 0.3)
    }

    assert at[0.11].verdict == "refine"
    assert at[0.3].verdict == "escalate"
    assert decide(signal_of(0.7), situation(can_refine=True), profile).verdict == "refine"


def test_a_tie_is_accepted():
    profile = ModeProfile(
        features=("token_count",), weights=(0.0,), bias=0.0, alternatives={"escalate": ((0.0, 0.5),)}
    )

    assert decide(signal_of(0.8), situation(can_escalate=True), profile).verdict == "accept"


def test_a_way_without_a_curve_is_not_taken():
    assert (
        decide(signal_of(0.6), situation(can_refine=True, can_escalate=True), ModeProfile(**IDENTITY)).verdict
        == "accept"
    )


@pytest.mark.parametrize(("can_review", "verdict"), [(True, "review"), (False, "give_up")])
def test_too_much_risk_with_nothing_left_is_not_accepted(can_review: bool, verdict: Verdict):
    profile = ModeProfile(**IDENTITY, alternatives={"escalate": ((0.0, 0.1),)}, max_accepted_risk=0.3)

    decision = decide(signal_of(0.6), situation(can_review=can_review), profile)

    assert decision.verdict == verdict
    assert decision.risk == pytest.approx(0.4)
    assert decision.reason.startswith("risk 0.400 > 0.300, the most that is accepted")


@pytest.mark.parametrize(
    ("can", "verdict"),
    [
        ({"can_refine": True, "can_escalate": True, "can_review": True}, "escalate"),
        ({"can_refine": True, "can_review": True}, "review"),
        ({"can_refine": True}, "give_up"),
    ],
)
@pytest.mark.parametrize("profile", [None, ModeProfile(**IDENTITY)])
def test_unknown_is_never_confident(can: dict[str, bool], verdict: Verdict, profile: ModeProfile | None):
    decision = decide(unknown_signal(), situation(**can), profile)

    assert decision.verdict == verdict
    assert decision.risk is None
    assert decision.reason.startswith("confidence unknown: no log probabilities")


def test_an_unknown_deep_answer_is_accepted_only_where_that_was_asked_for():
    asked = Situation(
        mode="deep", can_refine=False, can_escalate=False, can_review=False, accept_unknown=True
    )
    fast = Situation(mode="fast", can_refine=False, can_escalate=False, can_review=False, accept_unknown=True)

    assert decide(unknown_signal(), asked, None).verdict == "accept"
    assert decide(unknown_signal(), situation("deep"), None).verdict == "give_up"
    assert decide(unknown_signal(), fast, None).verdict == "give_up"


@pytest.mark.parametrize(
    ("p", "can", "verdict"),
    [
        (0.85, {"can_refine": True, "can_escalate": True}, "accept"),
        (0.7, {"can_refine": True, "can_escalate": True}, "refine"),
        (0.4, {"can_refine": True, "can_escalate": True}, "escalate"),
        (0.7, {"can_escalate": True}, "escalate"),
        (0.4, {"can_refine": True}, "refine"),
        (0.4, {"can_review": True}, "review"),
        (0.4, {}, "give_up"),
    ],
)
def test_without_calibration_the_least_probability_decides(p: float, can: dict[str, bool], verdict: Verdict):
    decision = decide(signal_of(p), situation(**can), None)

    assert decision.verdict == verdict
    assert decision.risk is None
    assert decision.reason.startswith(f"uncalibrated default: doubt {1 - p:.3f}")


def test_without_calibration_a_doubt_without_a_span_is_thought_through():
    signal: Signal = {**signal_of(0.7), "spans": []}

    assert decide(signal, situation(can_refine=True, can_escalate=True), None).verdict == "escalate"
    assert decide(signal, situation(can_refine=True), None).verdict == "give_up"


def test_without_calibration_an_answer_that_its_rationale_contradicts_is_doubted():
    signal: Signal = {**signal_of(0.99), "rationale_agreement": 0.0}
    agreed: Signal = {**signal, "rationale_agreement": 1.0}

    doubted = decide(signal, situation(can_escalate=True), None)

    assert doubted.verdict == "escalate"
    assert doubted.reason.startswith("uncalibrated default: doubt 0.700")
    assert decide(agreed, situation(can_escalate=True), None).verdict == "accept"


def test_a_profile_that_never_saw_rationales_doubts_a_contradicted_answer():
    signal: Signal = {**signal_of(0.99), "rationale_agreement": 0.0}
    profile = ModeProfile(**IDENTITY, alternatives={"escalate": ((0.0, 0.1),)})

    decision = decide(signal, situation(can_escalate=True), profile)

    assert (decision.verdict, decision.risk) == ("escalate", 0.7)


@pytest.mark.parametrize("profile", [None, ModeProfile(**IDENTITY)])
def test_log_probabilities_without_a_least_one_are_unknown(profile: ModeProfile | None):
    signal: Signal = {**signal_of(0.99), "min_probability": None}

    decision = decide(signal, situation(can_escalate=True), profile)

    assert (decision.verdict, decision.risk) == ("escalate", None)


def test_another_kind_of_signal_brings_its_own_risk():
    signal: Signal = {**unknown_signal(), "kind": "agreement", "risk": 0.4, "reason": None}
    profile = ModeProfile(**IDENTITY, alternatives={"escalate": ((0.0, 0.1),)})

    assert decide(signal, situation(can_escalate=True), profile).verdict == "escalate"
    assert decide({**signal, "risk": 0.05}, situation(can_escalate=True), profile).verdict == "accept"
    assert decide({**signal, "risk": None}, situation(), profile).verdict == "give_up"


situations = st.builds(
    Situation,
    mode=st.sampled_from(get_args(Mode)),
    can_refine=st.booleans(),
    can_escalate=st.booleans(),
    can_review=st.booleans(),
)


@given(st.floats(0.001, 1.0), situations, st.floats(0, 1), st.floats(0, 1))
def test_only_what_the_situation_allows_is_chosen(p: float, chosen: Situation, price: float, limit: float):
    curves = {"refine": ((0.0, price),), "escalate": ((0.0, 1 - price),)}
    profile = ModeProfile(**IDENTITY, alternatives=curves, max_accepted_risk=limit)
    allowed = {"refine": chosen.can_refine, "escalate": chosen.can_escalate, "review": chosen.can_review}

    for decision in (decide(signal_of(p), chosen, profile), decide(signal_of(p), chosen, None)):
        assert allowed.get(decision.verdict, True)
        assert decision.reason
        assert decision.risk is None or 0 <= decision.risk <= 1
