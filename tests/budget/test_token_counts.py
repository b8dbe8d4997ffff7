"""Counting tokens with the best counter at hand, and saying which one it was."""

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from adaptive_reasoner.budget.tokens import count_tokens

EMBEDDED = "adaptive-reasoner-embedded"
TOOL = {"type": "function", "function": {"name": "search", "description": "Search the web for it."}}


def test_the_embedded_models_tokens_are_its_own():
    count = count_tokens([HumanMessage("3 + 4")], EMBEDDED)
    assert (count.exact, count.counter) == (True, "adaptive_reasoner")
    assert count.tokens == 4 + len(["3", "+", "4"])


@pytest.mark.parametrize("name", ["gpt-4.1-mini", "claude-opus-4-1", "nobody-knows", ""])
def test_without_its_file_or_name_a_count_is_approximate(name):
    count = count_tokens([HumanMessage("How much is it?")], name)
    assert (count.exact, count.counter) == (False, "approximation")
    assert 4 <= count.tokens <= 12


def test_nothing_is_nothing():
    assert count_tokens([], "any").tokens == 0
    assert count_tokens([], EMBEDDED).tokens == 0


@pytest.mark.parametrize("name", ["any", EMBEDDED])
def test_tool_calls_their_results_and_schemas_count(name):
    call = AIMessage("", tool_calls=[{"name": "search", "args": {"query": "rain in Rome"}, "id": "1"}])
    bare = count_tokens([AIMessage("")], name).tokens
    assert count_tokens([call], name).tokens > bare + 5
    assert count_tokens([AIMessage("")], name, [TOOL]).tokens > bare + 15
    assert count_tokens([ToolMessage("It rains in Rome today.", tool_call_id="1")], name).tokens > 5


def test_scripts_without_spaces_are_not_taken_for_four_characters_a_token():
    """Japanese is about a token a character; a quarter of that would break a hard budget."""
    assert count_tokens([HumanMessage("東京の人口は何人ですか" * 10)], "any").tokens >= 110


def test_an_image_is_not_counted_as_text():
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 100_000}}
    for name in ("any", EMBEDDED):
        count = count_tokens([HumanMessage([{"type": "text", "text": "What is it?"}, image])], name)
        assert not count.exact
        assert 50 < count.tokens < 2000


def test_text_in_blocks_counts_like_text():
    blocks = HumanMessage([{"type": "text", "text": "3 + 4"}])
    assert count_tokens([blocks], EMBEDDED) == count_tokens([HumanMessage("3 + 4")], EMBEDDED)


def test_text_that_looks_like_a_control_token_is_text():
    assert count_tokens([HumanMessage("<eos> <|endoftext|>")], EMBEDDED).tokens > 4
