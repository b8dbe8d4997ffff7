"""The table in docs/thinking.md, made from the code: `python tests/thinking/provider_table.py` writes it anew."""

import json
from importlib import import_module
from pathlib import Path

from langchain_core.language_models import BaseChatModel

from adaptive_reasoner.embedded.chat_model import EmbeddedChatModel
from adaptive_reasoner.thinking import (
    Ways,
    family_of,
    has_thinking_switch,
    model_name_of,
    thinking_kwargs,
    ways_of,
)

PAGE = Path(__file__).parents[2] / "docs" / "thinking.md"
BEGIN, END = "<!-- table: begin -->\n", "<!-- table: end -->\n"
HEAD = "| family | for example | off | on | budget of 5,000 tokens | levels |\n|---|---|---|---|---|---|\n"
BUDGET = {"budget_tokens": 5000}

# Package and class of the integration, names of models.
EXAMPLES = (
    (
        "langchain_openai.ChatOpenAI",
        ("gpt-6-luna", "gpt-5", "o3", "adaptive-reasoner-embedded"),
    ),
    (
        "langchain_anthropic.ChatAnthropic",
        ("claude-haiku-4-5", "claude-opus-4-6", "claude-opus-5", "claude-sonnet-5-5", "claude-opus-5-5"),
    ),
    (
        "langchain_google_genai.ChatGoogleGenerativeAI",
        ("gemini-2.5-flash", "gemini-2.5-pro", "gemini-3.6-flash", "gemini-3.1-pro-preview"),
    ),
    ("langchain_deepseek.ChatDeepSeek", ("deepseek-flash",)),
    ("langchain_mistralai.ChatMistralAI", ("mistral-small-latest", "magistral-medium-latest")),
    ("langchain_ollama.ChatOllama", ("qwen3:8b", "gpt-oss:20b")),
    (
        "langchain_openai.ChatOpenAI",
        (
            "Qwen/Qwen3-8B",
            "Qwen/Qwen3-4B-Thinking-2507",
            "ibm-granite/granite-3.3-8b-instruct",
            "deepseek-ai/DeepSeek-V3.1",
            "zai-org/GLM-4.6",
            "google/gemma-4-31b-it",
            "openai/gpt-oss-120b",
            "meta-llama/Llama-3.3-70B-Instruct",
        ),
    ),
)
AT_DASHSCOPE = {"model": "qwen-plus", "base_url": "https://dashscope.aliyuncs.com/compatible-mode/v1"}


def examples() -> list[BaseChatModel]:
    """One model for each row."""
    models: list[BaseChatModel] = [EmbeddedChatModel()]
    for path, names in EXAMPLES:
        package, _, kind = path.rpartition(".")
        made = getattr(import_module(package), kind)
        models += [made(model=name, **({} if kind == "ChatOllama" else {"api_key": "x"})) for name in names]
    models.append(import_module("langchain_openai").ChatOpenAI(api_key="x", **AT_DASHSCOPE))
    return models


def table() -> str:
    """The whole table, with its head."""
    return HEAD + "".join(_row(model) for model in examples())


def _row(model: BaseChatModel) -> str:
    family, ways = family_of(model), ways_of(model)
    if family is None or ways is None or not has_thinking_switch(model):
        cells = ["no known switch", "asked for in the prompt", "-", "-"]
    elif ways.on == ways.off:
        cells = ["cannot stop", "always", "-", "-"]
    else:
        cells = [
            _off(ways),
            _code(ways.on),
            _code(thinking_kwargs(model, BUDGET)),
            ", ".join(ways.levels) or "-",
        ]
    name = family.name if family and ways else "unknown"
    return "| " + " | ".join([name, model_name_of(model), *cells]) + " |\n"


def _off(ways: Ways) -> str:
    return _code(ways.off) if ways.can_stop else f"cannot stop; least: {_code(ways.off)}"


def _code(kwargs: dict) -> str:
    said = ", ".join(f"{name}={json.dumps(value)}" for name, value in kwargs.items())
    return f"`{said}`"


def written(page: str) -> str:
    """The table between the page's marks."""
    return page.partition(BEGIN)[2].partition(END)[0]


if __name__ == "__main__":
    old = PAGE.read_text(encoding="utf-8")
    marked = f"{BEGIN}{written(old)}{END}"
    PAGE.write_text(old.replace(marked, f"{BEGIN}{table()}{END}"), encoding="utf-8")
