"""Whole runs with each integration: the answer without its thought, and what the report says of the switch."""

import pytest
from provider_answers import ANSWER, CHAT_COMPLETION, THOUGHT, VLLM_EVENTS
from provider_models import claude, deepseek, gemini, mistral, ollama, server

from adaptive_reasoner import build_reasoning_graph
from adaptive_reasoner.thinking import thought_text

# See test_provider_requests.py; and what google-genai does where aiohttp is installed.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The model '.*' is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning"),
]

QUESTION = {"messages": [("user", "2 + 2 = ?")]}
MODELS = [
    (claude, "claude-haiku-4-5"),
    (claude, "claude-opus-5"),
    (gemini, "gemini-2.5-flash"),
    (deepseek, "deepseek-flash"),
    (mistral, "mistral-small-latest"),
    (ollama, "qwen3:8b"),
    (server, "Qwen/Qwen3-8B"),
]


@pytest.mark.parametrize(("make", "name"), MODELS)
@pytest.mark.parametrize("is_async", [False, True])
async def test_a_switch_that_was_ignored_shows_in_the_report(provider, make, name, is_async):
    """The server thinks whatever it is told, and gives no log probabilities, so the fast answer is escalated."""
    graph = build_reasoning_graph(make(provider, name))
    result = await graph.ainvoke(QUESTION) if is_async else graph.invoke(QUESTION)
    fast, deep = result["reasoning"]["rounds"]
    assert [one["node"] for one in (fast, deep)] == ["fast_answer", "deep_think"]
    assert "thinking" not in deep
    if make is ollama:  # LangChain drops thoughts that were not asked for, so nobody can tell
        assert "thinking" not in fast
    else:
        assert fast["thinking"].startswith('asked for "off", but it thought all the same: thoughts came')
    answer = result["messages"][-1]
    assert (str(answer.text), thought_text(answer)) == (ANSWER, THOUGHT)
    off, on = provider.bodies
    assert off != on


def test_streamed_thoughts_reach_the_answer(provider):
    provider.answers["/v1/chat/completions"] = lambda body: (
        VLLM_EVENTS if body.get("stream") else CHAT_COMPLETION
    )
    graph = build_reasoning_graph(server(provider, "Qwen/Qwen3-8B"))
    given = {"context": {"importance": "high"}, "stream_mode": ["messages", "values"]}
    parts = list(graph.stream(QUESTION, **given))
    pieces = [part[0] for mode, part in parts if mode == "messages"]
    assert "".join(piece.additional_kwargs.get("reasoning_content", "") for piece in pieces[:4]) == THOUGHT
    answer = parts[-1][1]["messages"][-1]
    assert (str(answer.text), thought_text(answer)) == (ANSWER, THOUGHT)
    assert provider.bodies[0]["stream"]


def test_thoughts_in_the_text_are_no_part_of_the_answer(provider):
    written = f"<think>\n{THOUGHT}\n</think>\n\n{ANSWER}"
    choice = {**CHAT_COMPLETION["choices"][0], "message": {"role": "assistant", "content": written}}
    provider.answers["/v1/chat/completions"] = {**CHAT_COMPLETION, "choices": [choice]}
    result = build_reasoning_graph(server(provider, "Qwen/Qwen3-8B")).invoke(QUESTION)
    answer = result["messages"][-1]
    assert (answer.content, thought_text(answer)) == (ANSWER, THOUGHT)


@pytest.mark.parametrize(("make", "name"), [(server, "meta-llama/Llama-3.1-8B"), (ollama, "llama3.1")])
def test_models_without_a_known_switch_are_asked_in_writing_and_the_report_says_so(provider, make, name):
    result = build_reasoning_graph(make(provider, name)).invoke(QUESTION, context={"importance": "high"})
    (only,) = result["reasoning"]["rounds"]
    assert (
        only["thinking"] == f"no thinking switch is known for {name}; the prompt asked it to think in writing"
    )
    assert provider.bodies[0]["messages"][0]["content"].startswith("Think before you answer")


def test_a_models_own_budget_does_not_leak_into_fast_answers(provider):
    model = claude(provider, "claude-haiku-4-5", thinking={"type": "enabled", "budget_tokens": 2000})
    build_reasoning_graph(model).invoke(QUESTION)
    assert [body["thinking"] for body in provider.bodies] == [
        {"type": "disabled"},
        {"type": "enabled", "budget_tokens": 2000},
    ]
