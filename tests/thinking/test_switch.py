"""How each kind of model is told to think, and whether its log probabilities are asked for."""

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_openai import ChatOpenAI

from adaptive_reasoner.testing import ScriptedChatModel
from adaptive_reasoner.thinking import (
    has_thinking_switch,
    is_embedded,
    logprob_kwargs,
    merged,
    model_name_of,
    takes_temperature,
    thinking_kwargs,
)

ASKED = {"logprobs": True, "top_logprobs": 20}


def openai(name, levels=()):
    profile = {"reasoning_effort_levels": list(levels)} if levels else {}
    return ChatOpenAI(model=name, api_key="x", profile=profile)


SIMPLE = FakeListChatModel(responses=["x"])
EMBEDDED = ScriptedChatModel([], model_name="adaptive-reasoner-embedded")
SERVED = openai("adaptive-reasoner-embedded")
PLAIN = openai("gpt-4.1-mini")
THINKER = openai("thinker", ["none", "minimal", "low", "medium", "high", "xhigh"])
ALWAYS = openai("always", ["low", "medium", "high"])
STRANGE = openai("strange", ["short", "long"])


@pytest.mark.parametrize(
    ("model", "thinking", "kwargs"),
    [
        (EMBEDDED, "off", {"thinking": "off"}),
        (EMBEDDED, {"budget_tokens": 9}, {"thinking": {"budget_tokens": 9}}),
        (SERVED, "off", {"reasoning_effort": "none"}),
        (SERVED, "on", {"reasoning_effort": "high"}),
        (SERVED, {"budget_tokens": 48}, {"reasoning_effort": "low"}),
        (SERVED, {"budget_tokens": 96}, {"reasoning_effort": "medium"}),
        (SERVED, {"budget_tokens": 97}, {"reasoning_effort": "high"}),
        (PLAIN, "on", {}),
        (SIMPLE, "on", {}),
        (THINKER, "off", {"reasoning_effort": "none"}),
        (THINKER, "on", {"reasoning_effort": "high"}),
        (THINKER, {"budget_tokens": 1023}, {"reasoning_effort": "minimal"}),
        (THINKER, {"budget_tokens": 1024}, {"reasoning_effort": "low"}),
        (THINKER, {"budget_tokens": 9000}, {"reasoning_effort": "medium"}),
        (THINKER, {"budget_tokens": 30000}, {"reasoning_effort": "high"}),
        (THINKER, {"effort": "xhigh"}, {"reasoning_effort": "xhigh"}),
        (ALWAYS, "off", {"reasoning_effort": "low"}),
        (STRANGE, "off", {"reasoning_effort": "short"}),
        (STRANGE, "on", {"reasoning_effort": "long"}),
    ],
)
def test_thinking_becomes_what_the_model_understands(model, thinking, kwargs):
    assert thinking_kwargs(model, thinking) == kwargs


@pytest.mark.parametrize(
    ("model", "thinking", "kwargs"),
    [
        (PLAIN, "off", ASKED),
        (PLAIN, "on", ASKED),
        (THINKER, "off", ASKED),
        (THINKER, "on", {}),  # OpenAI gives them at effort "none" only
        (SERVED, "on", ASKED),
        (EMBEDDED, "on", ASKED),
        (SIMPLE, "off", {}),
    ],
)
def test_log_probabilities_are_asked_for_where_they_may_come(model, thinking, kwargs):
    assert logprob_kwargs(model, thinking, 20) == kwargs


@pytest.mark.parametrize(
    ("model", "takes"),
    [
        (EMBEDDED, True),
        (SERVED, True),
        (PLAIN, True),
        (SIMPLE, True),
        (THINKER, False),
        (openai("Qwen/Qwen3-8B"), True),
    ],
)
def test_models_that_set_their_own_temperature_are_known(model, takes):
    assert takes_temperature(model) is takes


@pytest.mark.parametrize(
    ("model", "has_switch"),
    [(EMBEDDED, True), (SERVED, True), (THINKER, True), (PLAIN, False), (SIMPLE, False)],
)
def test_models_without_a_switch_are_known(model, has_switch):
    assert has_thinking_switch(model) is has_switch


@pytest.mark.parametrize(
    ("model", "name"),
    [(PLAIN, "gpt-4.1-mini"), (EMBEDDED, "adaptive-reasoner-embedded"), (SIMPLE, "FakeListChatModel")],
)
def test_a_models_name_is_found(model, name):
    assert model_name_of(model) == name


def test_a_calls_own_body_stays_beside_the_switch():
    switch = thinking_kwargs(openai("Qwen/Qwen3-8B"), "off")
    given = {"extra_body": {"top_k": 5, "chat_template_kwargs": {"documents": []}}, "stop": ["x"]}
    assert merged(given, switch) == {
        "extra_body": {"top_k": 5, "chat_template_kwargs": {"documents": [], "enable_thinking": False}},
        "stop": ["x"],
    }
    assert merged({"stop": ["x"]}, switch) == {"stop": ["x"], **switch}


def test_the_embedded_model_is_known_by_its_name():
    assert is_embedded(SERVED)
    assert is_embedded(openai("adaptive-reasoner-embedded-2"))
    assert not is_embedded(PLAIN)
