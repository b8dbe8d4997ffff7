"""What calibration learns of tool calls, from made-up calls whose risk is known."""

from dataclasses import replace
from random import Random

import pytest

from adaptive_reasoner.config import Situation
from adaptive_reasoner.gate.shipped import profile_for
from adaptive_reasoner.state import EntropyBounds, Signal
from adaptive_reasoner.thinking.switch import EMBEDDED_MODEL_NAME
from adaptive_reasoner.training.embedded.calibrate_calls import fit_calls, with_calls
from adaptive_reasoner.training.embedded.tool_calls import Call

PRICE, STOP = 0.001, 0.2


def signal(probability: float) -> Signal:
    return Signal(
        kind="logprobs",
        risk=None,
        entropy_nats=EntropyBounds(lower=1 - probability, upper=1 - probability),
        covered_mass=1.0,
        min_probability=probability,
        perplexity=1 / probability,
        token_count=1,
        spans=[],
        reason=None,
        thought_logprob=-0.1,
    )


def calls(seed: int, *, thought: bool) -> list[Call]:
    """Calls that are right as often as their probability says; after a thought all of them nearly."""
    rng = Random(seed)
    found = []
    for _ in range(2000):
        probability = 0.98 if thought else rng.uniform(0.05, 0.99)
        found.append(Call("1 + 1", rng.random() < probability, signal(probability), 40 if thought else 6))
    return found


FITTED = fit_calls(calls(0, thought=False), calls(1, thought=True), PRICE, STOP)


def test_the_risk_is_what_the_calls_were_wrong() -> None:
    for probability in (0.2, 0.5, 0.9):
        assert FITTED.fast.risk(signal(probability)) == pytest.approx(1 - probability, abs=0.1)
    assert FITTED.figures["calls"] == 2000
    assert FITTED.figures["auroc"]["fast"] > 0.75


def test_thinking_costs_its_tokens_and_what_is_wrong_after_it() -> None:
    losses = [loss for _, loss in FITTED.fast.alternatives["escalate"]]
    assert losses == pytest.approx([40 * PRICE + 0.02] * len(losses), abs=0.03)
    assert {tokens for _, tokens in FITTED.fast.tokens["escalate"]} == {40.0}


def test_answers_in_words_are_left_out() -> None:
    fast, deep = calls(0, thought=False), calls(1, thought=True)
    fast[0] = replace(fast[0], formula=None)
    deep[1] = replace(deep[1], formula=None)
    assert fit_calls(fast, deep, PRICE, STOP).figures["calls"] == 1998


def test_calls_are_held_to_the_risk_and_texts_judged_as_before() -> None:
    before = profile_for(EMBEDDED_MODEL_NAME)
    after = with_calls(before, FITTED, {"n": 2000})
    text = Situation(mode="fast", can_refine=True, can_escalate=True, can_review=False)
    for probability in (0.3, 0.9, 0.99):
        assert after.decide(signal(probability), text) == before.decide(signal(probability), text)
    alone = replace(text, can_refine=False, can_escalate=False, is_call=True)
    verdicts = [after.decide(signal(probability), alone).verdict for probability in (0.6, 0.97)]
    assert verdicts == ["give_up", "accept"]
    assert after.decide(signal(0.4), replace(alone, can_escalate=True)).verdict == "escalate"
    assert after.provenance["calls"] == {"n": 2000}
