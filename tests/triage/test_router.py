"""The rules in their order, then the estimator."""

import pytest
from langchain_core.messages import HumanMessage

from adaptive_reasoner import ReasonerConfig
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.triage import TriageRequest, choose_route


class Estimator:
    def __init__(self, gain):
        self.gain = gain

    def estimate(self, messages):
        return {"gain": self.gain, "difficulty": 0.6, "source": "mine", "reason": f"of {messages[-1].text}"}


EAGER, LAZY = Estimator(0.95), Estimator(0.1)
RULES = {"always_think": ("prove",), "never_think": ("prove|hello",)}


def choose(text="How much?", config=None, estimator=EAGER, **request):
    asked = TriageRequest(messages=[HumanMessage(text)], text=text, **request)
    return choose_route(asked, config or ReasonerConfig(think_at_gain=0.9), estimator)


@pytest.mark.parametrize(
    ("request_", "text", "config", "route", "source"),
    [
        ({"thinking": "off", "importance": "high"}, "prove it", RULES, "fast", "caller"),
        ({"thinking": "on"}, "hello", RULES, "deep", "caller"),
        ({"thinking": {"budget_tokens": 5}}, "hello", RULES, "deep", "caller"),
        ({"importance": "high"}, "hello", RULES, "deep", "importance"),
        ({}, "Please PROVE it", RULES, "deep", "rule"),
        ({"previous_route": "deep"}, "hello", RULES, "fast", "rule"),
        ({"previous_route": "deep"}, "yes", {}, "deep", "thread"),
        ({"previous_route": "fast"}, "and then?", {}, "fast", "thread"),
        ({"previous_route": "deep"}, "What is the capital of France?", {"triage": "off"}, "fast", "off"),
        ({"previous_route": "deep"}, "yes", {"triage": "off"}, "deep", "thread"),
        ({"previous_route": "deep"}, "What is the capital of France?", {}, "deep", "mine"),
        ({}, "yes", {}, "deep", "mine"),
    ],
)
def test_the_first_rule_that_applies_decides(request_, text, config, route, source):
    decision = choose(text, ReasonerConfig(think_at_gain=0.9, **config), **request_)
    assert (decision.route, decision.triage["source"]) == (route, source)
    assert decision.triage["reason"]


@pytest.mark.parametrize(
    ("gain", "threshold", "route"),
    [(0.9, 0.9, "deep"), (0.89, 0.9, "fast"), (-0.2, -0.5, "deep"), (0.5, 1.0, "fast")],
)
def test_the_predicted_gain_decides_against_the_threshold(gain, threshold, route):
    decision = choose(config=ReasonerConfig(think_at_gain=threshold), estimator=Estimator(gain))
    assert decision.route == route
    assert decision.triage["gain"] == gain
    assert f"predicted gain {gain:.2f}" in decision.triage["reason"]


def test_without_an_estimator_a_query_starts_fast():
    decision = choose(estimator=None)
    assert (decision.route, decision.triage["source"]) == ("fast", "none")


def test_the_estimator_is_not_asked_where_a_rule_decides():
    class Forbidden:
        def estimate(self, messages):
            raise AssertionError("must not be asked")

    assert choose(thinking="on", estimator=Forbidden()).route == "deep"


def test_a_pattern_names_itself_in_the_reason():
    decision = choose("prove it", ReasonerConfig(always_think=("lemma", "prove")), LAZY)
    assert decision.triage["reason"] == "matches the always-think pattern 'prove'"


@pytest.mark.parametrize("gain", [float("nan"), float("inf"), 1.5, -2, None, "0.5", True])
def test_a_gain_that_cannot_be_compared_is_one_error(gain):
    with pytest.raises(ConfigurationError, match="Estimator predicts the gain"):
        choose(estimator=Estimator(gain))


def test_an_estimator_for_other_models_informs_and_the_gate_decides():
    lent = Estimator(0.99)
    lent.think_at_gain = None
    decision = choose(config=ReasonerConfig(), estimator=lent)
    assert (decision.route, decision.triage["gain"]) == ("fast", 0.99)
    assert "the gate decides" in decision.triage["reason"]
    assert choose(config=ReasonerConfig(think_at_gain=0.5), estimator=lent).route == "deep"


@pytest.mark.parametrize("text", ["Which clause holds?", "commit it"])
def test_importance_and_always_think_beat_never_think(text):
    never = {"never_think": (".",)}
    assert choose(text, ReasonerConfig(**never), importance="high").triage["source"] == "importance"
    assert choose(text, ReasonerConfig(**never, always_think=("clause|it",))).route == "deep"
    assert choose(text, ReasonerConfig(**never)).route == "fast"


@pytest.mark.parametrize(("price", "route"), [(None, "deep"), (0.5, "deep"), (0.97, "fast")])
def test_a_price_of_thinking_only_ever_raises_the_bound(price, route):
    decision = choose(estimator=EAGER, price_of_thinking=price)
    assert decision.route == route
    assert ("the price of thinking" in decision.triage["reason"]) == (route == "fast")


def test_a_price_does_not_let_a_small_gain_think():
    assert choose(estimator=LAZY, price_of_thinking=0.05).route == "fast"
