"""Settings check themselves when they are built."""

import dataclasses
import math

import pytest

from adaptive_reasoner import Budget, GateProfile, ReasonerConfig
from adaptive_reasoner.errors import AdaptiveReasonerError, ConfigurationError


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("review", "always"),
        ("answer_order", "last"),
        ("triage", "sometimes"),
        ("triage", None),
        ("triage", object()),
        ("gate", "strict"),
        ("gate", GateProfile),
        ("max_refinements", -1),
        ("max_refinements", 11),
        ("max_refinements", 1.5),
        ("max_refinements", True),
        ("max_refinements", "2"),
        ("max_model_calls", 0),
        ("max_model_calls", None),
        ("top_logprobs", 1),
        ("top_logprobs", 21),
        ("think_at_gain", 1.5),
        ("think_at_gain", math.nan),
        ("think_at_gain", "0.5"),
        ("model_timeout_seconds", 0),
        ("model_timeout_seconds", -1.0),
        ("model_timeout_seconds", math.nan),
        ("model_timeout_seconds", "10"),
        ("max_output_tokens", 0),
        ("max_output_tokens", 1.5),
        ("always_think", ("(",)),
        ("always_think", "proof"),
        ("never_think", ("[",)),
        ("never_think", (5,)),
        ("never_think", None),
        ("answer_span", "("),
        ("answer_span", 5),
        ("answer_span", None),
        ("budget", 5),
        ("budget", None),
        ("budget", {"max_tokens": 5}),
        ("budget", (Budget(max_tokens=5), 5)),
    ],
)
def test_a_setting_that_cannot_be_is_named(name, value):
    with pytest.raises(ConfigurationError, match=name):
        ReasonerConfig(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_refinements", 0),
        ("think_at_gain", -1),
        ("think_at_gain", 1),
        ("model_timeout_seconds", None),
        ("model_timeout_seconds", 1),
        ("max_output_tokens", None),
        ("answer_span", "whole"),
        ("answer_span", r"= (\d+)"),
        ("answer_span", lambda text: (0, 1)),
        ("triage", "off"),
        ("gate", GateProfile.default()),
        ("always_think", []),
        ("always_think", ["prove", "why"]),
    ],
)
def test_a_setting_that_can_be_is_kept(name, value):
    assert getattr(ReasonerConfig(**{name: value}), name) == value


def test_settings_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ReasonerConfig().review = "never"
    with pytest.raises(dataclasses.FrozenInstanceError):
        Budget(max_tokens=5).max_tokens = 6


def test_budgets_are_a_tuple_whatever_was_given():
    one, two = Budget(max_tokens=5), Budget(max_seconds=1.5)
    assert ReasonerConfig().budgets == ()
    assert ReasonerConfig(budget=one).budgets == (one,)
    assert ReasonerConfig(budget=(one, two)).budgets == (one, two)
    assert ReasonerConfig(budget=[one, two]).budgets == (one, two)


@pytest.mark.parametrize(
    "limits",
    [
        {},
        {"per": "thread"},
        {"max_tokens": 0},
        {"max_tokens": -5},
        {"max_tokens": 1.5},
        {"max_tokens": "many"},
        {"max_tokens": True},
        {"max_model_calls": 0},
        {"max_model_calls": 2.5},
        {"max_usd": 0.0},
        {"max_usd": math.nan},
        {"max_usd": math.inf},
        {"max_seconds": -0.1},
        {"max_seconds": math.nan},
        {"max_tokens": 5, "per": "week"},
        {"max_tokens": 5, "per": None},
    ],
)
def test_a_budget_that_limits_nothing_or_too_much_is_refused(limits):
    with pytest.raises(ConfigurationError, match="Budget"):
        Budget(**limits)


@pytest.mark.parametrize("per", ["query", "thread", "tenant", "day"])
def test_a_budget_holds_for_its_scope(per):
    assert Budget(max_usd=0.5, per=per).per == per


def test_an_error_of_the_settings_is_a_value_error_too():
    with pytest.raises(ValueError, match="limits nothing") as error:
        Budget()
    assert isinstance(error.value, AdaptiveReasonerError)
    assert error.value.code == "invalid_configuration"
