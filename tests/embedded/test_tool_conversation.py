from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from adaptive_reasoner.embedded.runtime import shipped_runtime
from adaptive_reasoner.embedded.tokenizer import encoding
from adaptive_reasoner.embedded.tool_conversation import read_result

pytestmark = pytest.mark.usefixtures("shipped_weights")

QUESTION = HumanMessage("What is 7 * 14?")


def call(**arguments: Any) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": "calculator", "args": arguments, "id": "1"}])


def tail(*messages: BaseMessage) -> str | None:
    found = read_result([QUESTION, *messages], shipped_runtime())
    return None if found is None else encoding().decode(list(found.turn.tail))


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("98", "98"),
        ("98.0", "98"),
        ("7 * 14 = 98", "98"),
        ('{"result": 98}', "98"),
        ("-5", "-5"),
        ("1,234", "1234"),
        ("3.14159", "3.14"),
    ],
)
def test_the_last_number_is_the_result(said: str, number: str) -> None:
    written = tail(call(expression="7 * 14"), ToolMessage(said, tool_call_id="1"))
    assert written == f"<spare_0> 7 * 14<eos><spare_1> {number}<fast>"


def test_a_call_in_other_words_is_left_out() -> None:
    written = tail(call(a=7, b=14), ToolMessage("98", tool_call_id="1"))
    assert written == "<spare_0><eos><spare_1> 98<fast>"


@pytest.mark.parametrize(
    "result",
    [
        ToolMessage("no such function", tool_call_id="1"),
        ToolMessage("error at 12", tool_call_id="1", status="error"),
        ToolMessage("9" * 40, tool_call_id="1"),
    ],
)
def test_a_result_that_cannot_be_used_is_none(result: ToolMessage) -> None:
    assert tail(call(expression="7 * 14"), result) is None


def test_without_a_result_at_the_end_there_is_none() -> None:
    asked_again = HumanMessage("And 8 * 14?")
    assert tail() is None
    assert tail(call(expression="7 * 14")) is None
    assert tail(call(expression="7 * 14"), ToolMessage("98", tool_call_id="1"), asked_again) is None


def test_the_conversation_before_the_call_is_kept() -> None:
    messages = [QUESTION, call(expression="7 * 14"), ToolMessage("98", tool_call_id="1")]
    found = read_result(messages, shipped_runtime())
    assert found is not None
    assert list(found.before) == [QUESTION]
