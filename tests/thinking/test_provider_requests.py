"""What each integration package really sends for a wish, read off the wire, and what comes back of the thought."""

import pytest
from provider_answers import ANSWER, THOUGHT
from provider_models import claude, deepseek, gemini, mistral, ollama, server

from adaptive_reasoner.thinking import (
    keep_thoughts,
    settle_call,
    thinking_kwargs,
    thinking_took_effect,
    thought_text,
)

# Some of these models are near their end, which Anthropic's SDK warns of at every call.
pytestmark = pytest.mark.filterwarnings("ignore:The model '.*' is deprecated:DeprecationWarning")

SUMMARIZED = {"type": "adaptive", "display": "summarized"}
DISABLED, BETWEEN = {"type": "disabled"}, {"type": "between_tools"}
TOOL = {
    "type": "function",
    "function": {"name": "add", "description": "a + b", "parameters": {"type": "object", "properties": {}}},
}


def budget(tokens):
    return {"type": "enabled", "budget_tokens": tokens}


@pytest.mark.parametrize(
    ("name", "thinking", "sent"),
    [
        ("claude-sonnet-4-5", "off", {"thinking": DISABLED}),
        ("claude-sonnet-4-5", "on", {"thinking": budget(8192)}),
        ("claude-sonnet-4-5", {"budget_tokens": 2000}, {"thinking": budget(2000)}),
        ("claude-sonnet-4-5", {"budget_tokens": 1024}, {"thinking": budget(1024)}),
        ("claude-sonnet-4-5", {"budget_tokens": 1023}, {"thinking": DISABLED}),  # the API refuses less
        ("claude-sonnet-4-5", {"budget_tokens": 99999}, {"thinking": budget(12000)}),  # below max_tokens
        ("claude-3-7-sonnet-20250219", {"budget_tokens": 3000}, {"thinking": budget(3000)}),
        ("claude-opus-4-6", "on", {"thinking": {"type": "adaptive"}}),
        (
            "claude-opus-4-6",
            {"effort": "max"},
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}},
        ),
        (
            "claude-opus-4-6",
            {"budget_tokens": 3000},
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
        ),
        ("claude-opus-4-7", "off", {"thinking": DISABLED}),
        ("claude-opus-4-7", "on", {"thinking": SUMMARIZED}),
        (
            "claude-opus-4-7",
            {"budget_tokens": 9000},
            {"thinking": SUMMARIZED, "output_config": {"effort": "medium"}},
        ),
        (
            "claude-opus-5",
            {"effort": "xhigh"},
            {"thinking": SUMMARIZED, "output_config": {"effort": "xhigh"}},
        ),
        ("claude-sonnet-5-5", "off", {"thinking": BETWEEN}),
        ("claude-haiku-5-5", "off", {"thinking": DISABLED}),
        # These cannot stop: the least effort is the nearest.
        ("claude-opus-5-5", "off", {"thinking": SUMMARIZED, "output_config": {"effort": "low"}}),
        ("claude-fable-5-1", "off", {"thinking": SUMMARIZED, "output_config": {"effort": "low"}}),
        ("claude-3-5-haiku-latest", "on", {}),
    ],
)
def test_anthropic(provider, asked, name, thinking, sent):
    assert asked(claude(provider, name), thinking) == sent


@pytest.mark.parametrize(
    ("fields", "thinking", "sent"),
    [
        # What the model's owner set does not win over the call, but is what "on" means.
        ({"thinking": budget(5000)}, "off", {"thinking": DISABLED}),
        ({"thinking": budget(5000)}, "on", {}),
        ({"thinking": budget(5000)}, {"budget_tokens": 1500}, {"thinking": budget(1500)}),
        # Thinking allows no temperature but 1, and no top_k.
        ({"temperature": 0}, "on", {"thinking": budget(8192), "temperature": 1}),
        ({"temperature": 0}, "off", {"thinking": DISABLED}),
        ({"max_tokens": 2000}, "on", {"thinking": budget(1500)}),
        ({"max_tokens": 1000}, "on", {"thinking": DISABLED}),
    ],
)
def test_anthropic_beside_the_models_own_settings(provider, asked, fields, thinking, sent):
    assert asked(claude(provider, "claude-sonnet-4-5", **fields), thinking) == sent


def test_anthropics_top_k_is_taken_out_while_it_thinks(provider, asked):
    asked(claude(provider, "claude-sonnet-4-5", top_k=5), "on")
    assert [body.get("top_k") for body in provider.bodies] == [5, None]


def test_opus_5_stops_only_at_a_moderate_effort(provider, asked):
    model = claude(provider, "claude-opus-5", reasoning_effort="max")
    assert asked(model, "off") == {"thinking": DISABLED, "output_config": {"effort": "high"}}


def test_a_cap_of_one_call_shortens_the_thought(provider):
    model = claude(provider, "claude-sonnet-4-5")
    called, kwargs = settle_call(model, {**thinking_kwargs(model, "on"), "max_tokens": 4000})
    called.invoke("2 + 2 = ?", **kwargs)
    assert provider.bodies[0]["thinking"] == budget(3000)
    assert provider.bodies[0]["max_tokens"] == 4000


def test_a_tool_that_must_be_called_stops_the_thought(provider):
    model = claude(provider, "claude-opus-5")
    forced = model.bind_tools([TOOL], tool_choice="add").kwargs
    called, kwargs = settle_call(model, {**forced, **thinking_kwargs(model, {"effort": "low"})})
    called.invoke("2 + 2 = ?", **kwargs)
    assert provider.bodies[0]["thinking"] == DISABLED
    assert provider.bodies[0]["tool_choice"]["name"] == "add"


@pytest.mark.parametrize(
    ("name", "thinking", "config"),
    [
        ("gemini-2.5-flash", "off", {"thinking_budget": 0}),
        ("gemini-2.5-flash", "on", {"thinking_budget": -1, "include_thoughts": True}),
        (
            "gemini-2.5-flash",
            {"budget_tokens": 700},
            {"thinking_budget": 700, "include_thoughts": True},
        ),
        (
            "gemini-2.5-flash",
            {"budget_tokens": 99999},
            {"thinking_budget": 24576, "include_thoughts": True},
        ),
        (
            "gemini-2.5-flash-lite",
            {"budget_tokens": 500},
            {"thinking_budget": 0},
        ),  # it takes 512 at the least
        ("gemini-2.5-pro", "off", {"thinking_budget": 128, "include_thoughts": True}),  # it cannot stop
        ("gemini-3.6-flash", "off", {"thinking_level": "MINIMAL"}),
        ("gemini-3.6-flash", "on", {"thinking_level": "HIGH", "include_thoughts": True}),
        (
            "gemini-3.6-flash",
            {"budget_tokens": 8192},
            {"thinking_level": "MEDIUM", "include_thoughts": True},
        ),
        ("gemini-3-pro-preview", "off", {"thinking_level": "LOW"}),
        ("gemini-3-pro-preview", {"budget_tokens": 8192}, {"thinking_level": "LOW"}),
    ],
)
def test_gemini(provider, asked, name, thinking, config):
    assert asked(gemini(provider, name), thinking) == {"generationConfig": with_thinking(provider, config)}


@pytest.mark.parametrize(
    ("name", "fields", "config"),
    [  # Both units in one request are refused.
        ("gemini-2.5-flash", {"reasoning_effort": "low"}, {"thinking_budget": 0}),
        ("gemini-3.6-flash", {"thinking_budget": 900}, {"thinking_level": "MINIMAL"}),
        (
            "gemini-3.6-flash",
            {"thinking_config": {"thinking_budget": 900, "include_thoughts": True}},
            {"thinking_level": "MINIMAL", "include_thoughts": True},
        ),
    ],
)
def test_gemini_never_gets_a_level_and_a_budget(provider, asked, name, fields, config):
    sent = asked(gemini(provider, name, **fields), "off")
    assert sent == {"generationConfig": with_thinking(provider, config)}


def with_thinking(provider, config):
    return {**provider.bodies[0].get("generationConfig", {}), "thinkingConfig": config}


@pytest.mark.parametrize(
    ("name", "thinking", "sent"),
    [
        ("deepseek-flash", "off", {"thinking": DISABLED}),
        ("deepseek-flash", "on", {"thinking": {"type": "enabled"}}),
        (
            "deepseek-flash",
            {"effort": "max"},
            {"thinking": {"type": "enabled"}, "reasoning_effort": "max"},
        ),
        (
            "deepseek-flash",
            {"budget_tokens": 2000},
            {"thinking": {"type": "enabled"}, "reasoning_effort": "low"},
        ),
        ("deepseek-reasoner", "off", {}),
    ],
)
def test_deepseek(provider, asked, name, thinking, sent):
    assert asked(deepseek(provider, name), thinking) == sent


def test_a_models_own_extra_body_stays(provider, asked):
    model = deepseek(provider, "deepseek-flash", extra_body={"user_id": "u"})
    assert asked(model, "off") == {"thinking": DISABLED}
    assert provider.bodies[1]["user_id"] == "u"


@pytest.mark.parametrize(
    ("name", "thinking", "sent"),
    [
        ("mistral-small-latest", "off", {"reasoning_effort": "none"}),
        ("mistral-small-latest", "on", {"reasoning_effort": "high"}),
        ("mistral-medium-3.5", {"budget_tokens": 500}, {"reasoning_effort": "high"}),
        ("magistral-medium-latest", "off", {}),
        ("open-mistral-nemo", "on", {}),
    ],
)
def test_mistral(provider, asked, name, thinking, sent):
    assert asked(mistral(provider, name), thinking) == sent


@pytest.mark.parametrize(
    ("name", "fields", "thinking", "sent"),
    [
        ("qwen3:8b", {}, "off", {"think": False}),
        ("qwen3:8b", {}, "on", {"think": True}),
        ("gpt-oss:20b", {}, "off", {"think": "low"}),
        ("gpt-oss:20b", {}, "on", {"think": "high"}),
        ("gpt-oss:20b", {}, {"effort": "medium"}, {"think": "medium"}),
        ("llama3.1", {}, "on", {}),
        ("my-thinker", {"reasoning": True}, "off", {"think": False}),
        ("my-thinker", {"reasoning": "low"}, "on", {}),
    ],
)
def test_ollama(provider, asked, name, fields, thinking, sent):
    assert asked(ollama(provider, name, **fields), thinking) == sent


@pytest.mark.parametrize(
    ("name", "thinking", "sent"),
    [
        ("gpt-5", "off", {"reasoning_effort": "minimal"}),
        ("gpt-5.4", "off", {"reasoning_effort": "none"}),
        ("gpt-5.4", "on", {"reasoning_effort": "high"}),
        ("gpt-5.4", {"effort": "xhigh"}, {"reasoning_effort": "xhigh"}),
        ("gpt-5.4", {"budget_tokens": 5000}, {"reasoning_effort": "low"}),
        ("o3", "off", {"reasoning_effort": "low"}),
        ("gpt-4.1", "on", {}),
        ("openai/gpt-oss-20b", "off", {"reasoning_effort": "low"}),
        ("Qwen/Qwen3-8B", "off", {"chat_template_kwargs": {"enable_thinking": False}}),
        ("Qwen/Qwen3-8B", "on", {"chat_template_kwargs": {"enable_thinking": True}}),
        ("Qwen/Qwen3-4B-Thinking-2507", "off", {}),
        ("Qwen/Qwen3-4B-Instruct-2507", "on", {}),
        ("ibm-granite/granite-3.3-8b-instruct", "on", {"chat_template_kwargs": {"thinking": True}}),
        ("ibm-granite/granite-3.3-8b-instruct", "off", {"chat_template_kwargs": {"thinking": False}}),
        ("deepseek-ai/DeepSeek-V3.1", "on", {"chat_template_kwargs": {"thinking": True}}),
        ("zai-org/GLM-4.6", "off", {"chat_template_kwargs": {"enable_thinking": False}}),
    ],
)
def test_openai_and_servers_that_speak_like_it(provider, asked, name, thinking, sent):
    assert asked(server(provider, name), thinking) == sent


def test_a_chat_templates_own_settings_stay(provider, asked):
    own = {"chat_template_kwargs": {"documents": []}, "top_k": 20}
    sent = asked(server(provider, "Qwen/Qwen3-8B", extra_body=own), "off")
    assert sent == {"chat_template_kwargs": {"documents": [], "enable_thinking": False}}
    assert provider.bodies[1]["top_k"] == 20


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"use_responses_api": True}, {"effort": "none"}),
        ({"reasoning": {"summary": "auto"}}, {"effort": "none", "summary": "auto"}),
    ],
)
def test_the_responses_api_gets_its_own_words(provider, asked, fields, sent):
    assert asked(server(provider, "gpt-5.4", **fields), "off") == {"reasoning": sent}


def as_openais_own(provider, **fields):
    """ChatOpenAI that takes the server for OpenAI's."""
    model = server(provider, "gpt-5.4", **fields)
    object.__setattr__(model, "openai_api_base", None)
    return model


@pytest.mark.parametrize(("thinking", "sent"), [("off", (0.2, True, 5)), ("on", (1, None, None))])
def test_what_openai_refuses_while_a_model_thinks_is_taken_out(provider, thinking, sent):
    fields = {"reasoning_effort": "none", "temperature": 0.2, "logprobs": True, "top_logprobs": 5}
    model = as_openais_own(provider, **fields)
    called, kwargs = settle_call(model, thinking_kwargs(model, thinking))
    called.invoke("2 + 2 = ?", **kwargs)
    (body,) = provider.bodies
    assert tuple(body.get(name) for name in ("temperature", "logprobs", "top_logprobs")) == sent


def test_tools_beside_an_effort_go_to_the_responses_api(provider):
    model = as_openais_own(provider)
    for thinking in ("off", "on"):
        called, kwargs = settle_call(model, {**thinking_kwargs(model, thinking), "tools": [TOOL]})
        called.invoke("2 + 2 = ?", **kwargs)
    assert [body.get("reasoning_effort") for body in provider.bodies] == ["none", None]
    assert [body.get("reasoning") for body in provider.bodies] == [None, {"effort": "high"}]


@pytest.mark.parametrize(
    ("make", "name", "tokens"),
    [
        (claude, "claude-sonnet-4-5", 4),
        (gemini, "gemini-3.6-flash", 4),
        (deepseek, "deepseek-flash", 4),
        (mistral, "mistral-small-latest", None),
        (ollama, "qwen3:8b", None),
        (server, "Qwen/Qwen3-8B", 4),
    ],
)
@pytest.mark.parametrize(("thinking", "took"), [("on", True), ("off", False)])
def test_thoughts_come_back_and_tell_whether_the_switch_took_effect(
    provider, make, name, tokens, thinking, took
):
    model = keep_thoughts(make(provider, name))
    called, kwargs = settle_call(model, thinking_kwargs(model, thinking))
    message = called.invoke("2 + 2 = ?", **kwargs)
    if (make, thinking) == (ollama, "off"):  # LangChain drops thoughts that it did not ask for
        assert thinking_took_effect(message, thinking).took is None
        return
    assert (str(message.text), thought_text(message)) == (ANSWER, THOUGHT)
    effect = thinking_took_effect(message, thinking)
    assert effect.took is took
    assert ("not counted" if tokens is None else f"{tokens} thinking tokens") in effect.reason


def test_a_summary_of_the_responses_api_is_a_thought(provider):
    message = server(provider, "gpt-5.4", use_responses_api=True).invoke("2 + 2 = ?")
    assert thought_text(message) == THOUGHT
    assert not thinking_took_effect(message, "off").took
