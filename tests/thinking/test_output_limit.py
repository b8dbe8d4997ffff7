"""A cap on a call's output reaches each provider in its own words."""

import pytest
from langchain_openai import ChatOpenAI
from provider_models import claude, gemini, ollama

from adaptive_reasoner import Budget, EmbeddedChatModel, ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.thinking import own_limit, settle_call, takes_max_tokens

pytestmark = pytest.mark.filterwarnings("ignore:The model '.*' is deprecated:DeprecationWarning")

QUESTION = {"messages": [("user", "2 + 2 = ?")]}


def sent(provider, model, **kwargs):
    called, settled = settle_call(model, kwargs)
    called.invoke("2 + 2 = ?", **settled)
    return provider.bodies[-1]


def test_gemini_is_told_its_own_word(provider):
    body = sent(provider, gemini(provider, "gemini-2.5-flash", max_output_tokens=900), max_tokens=64)
    assert body["generationConfig"]["maxOutputTokens"] == 64


def test_ollama_is_told_its_own_word_beside_its_own_settings(provider):
    model = ollama(provider, "qwen3:8b", num_predict=900, temperature=0.3, stop=["X"])
    body = sent(provider, model, max_tokens=64, seed=7)
    assert body["options"] == {"num_predict": 64, "temperature": 0.3, "stop": ["X"], "seed": 7}
    assert model.num_predict == 900


def test_the_owners_own_cap_is_known(provider):
    assert own_limit(gemini(provider, "gemini-2.5-flash", max_output_tokens=900)) == 900
    assert own_limit(ollama(provider, "qwen3:8b", num_predict=-1)) is None  # as many as it takes
    assert own_limit(claude(provider, "claude-haiku-4-5")) == 16000
    assert takes_max_tokens(ChatOpenAI(model="gpt-5", api_key="x"))
    assert takes_max_tokens(EmbeddedChatModel())


@pytest.mark.parametrize("make", [gemini, ollama])
def test_a_token_budget_caps_the_call(provider, make):
    model = make(provider, "gemini-2.5-flash" if make is gemini else "qwen3:8b")
    config = ReasonerConfig(budget=Budget(max_tokens=200), triage="off", max_refinements=0)
    report = build_reasoning_graph(model, config=config).invoke(QUESTION)["reasoning"]
    body = provider.bodies[0]
    limit = body["generationConfig"]["maxOutputTokens"] if make is gemini else body["options"]["num_predict"]
    assert limit == report["rounds"][0]["capped_to"] < 200
