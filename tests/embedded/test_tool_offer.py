from typing import Any

import pytest
from langchain_core.tools import tool
from langchain_core.utils.function_calling import convert_to_openai_tool

from adaptive_reasoner.embedded.tool_offer import ToolOffer, find_offer
from adaptive_reasoner.errors import ConfigurationError


@tool
def calculator(expression: str) -> str:
    """Compute."""
    return expression


@tool
def do_math(text: str, digits: int = 2) -> str:
    """Compute."""
    return text * digits


@tool
def search(query: str) -> str:
    """Look something up."""
    return query


@tool
def add(a: int, b: int) -> int:
    """Add."""
    return a + b


@tool
def clock() -> str:
    """Tell the time."""
    return ""


def offered(tools: list[Any], choice: Any = None) -> ToolOffer | None:
    return find_offer([convert_to_openai_tool(each) for each in tools], choice)


def test_a_calculator_is_known_by_its_parameter_or_by_its_name() -> None:
    assert offered([calculator]) == ToolOffer("calculator", "expression")
    assert offered([do_math]) == ToolOffer("do_math", "text")


def test_other_tools_are_left_alone() -> None:
    assert offered([search, add, clock]) is None
    assert offered([search, add, calculator]) == ToolOffer("calculator", "expression")


@pytest.mark.parametrize("choice", ["none", False])
def test_none_means_none(choice: Any) -> None:
    assert offered([calculator], choice) is None


@pytest.mark.parametrize("choice", ["any", "required", True])
def test_any_asks_for_a_call(choice: Any) -> None:
    assert offered([search, calculator], choice) == ToolOffer("calculator", "expression", must_call=True)


@pytest.mark.parametrize(
    "choice", ["do_math", {"type": "function", "function": {"name": "do_math"}}, {"name": "do_math"}]
)
def test_a_tool_can_be_named(choice: Any) -> None:
    assert offered([calculator, do_math], choice) == ToolOffer("do_math", "text", must_call=True)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ("any", "asks for a call of search, add, but .* Bind a calculator"),
        ("search", "asks for 'search', but"),
        ("serach", "names 'serach', which is none of the bound tools"),
    ],
)
def test_a_call_that_it_cannot_make_is_refused(choice: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        offered([search, add], choice)


def test_without_tools_nothing_is_offered() -> None:
    assert offered([], "any") is None
