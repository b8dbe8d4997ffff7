"""Each integration's chat model, pointed at the loopback server; skips where its package is not installed."""

import pytest
from langchain_openai import ChatOpenAI


def claude(provider, name, **fields):
    package = pytest.importorskip("langchain_anthropic", reason="langchain-anthropic is not installed")
    settings = {"max_tokens": 16000, "max_retries": 0, **fields}
    return package.ChatAnthropic(model=name, base_url=provider.url, api_key="x", **settings)


def gemini(provider, name, **fields):
    package = pytest.importorskip("langchain_google_genai", reason="langchain-google-genai is not installed")
    return package.ChatGoogleGenerativeAI(
        model=name, base_url=provider.url, api_key="x", max_retries=1, **fields
    )


def deepseek(provider, name, **fields):
    package = pytest.importorskip("langchain_deepseek", reason="langchain-deepseek is not installed")
    return package.ChatDeepSeek(
        model=name, base_url=f"{provider.url}/v1", api_key="x", max_retries=0, **fields
    )


def mistral(provider, name):
    package = pytest.importorskip("langchain_mistralai", reason="langchain-mistralai is not installed")
    return package.ChatMistralAI(model=name, base_url=f"{provider.url}/mistral", api_key="x")


def ollama(provider, name, **fields):
    package = pytest.importorskip("langchain_ollama", reason="langchain-ollama is not installed")
    return package.ChatOllama(model=name, base_url=provider.url, **fields)


def server(provider, name, **fields):
    return ChatOpenAI(model=name, base_url=f"{provider.url}/v1", api_key="x", max_retries=0, **fields)
