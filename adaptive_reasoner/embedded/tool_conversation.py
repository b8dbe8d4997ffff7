"""Tools in a conversation: the newest result, and the call that asked for it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from adaptive_reasoner.embedded.runtime import Runtime
from adaptive_reasoner.embedded.tool_format import render_call, render_result
from adaptive_reasoner.embedded.tool_mode import CallTurn, ResultTurn
from adaptive_reasoner.embedded.tool_offer import ToolOffer
from adaptive_reasoner.embedded.tool_weights import has_tools, tool_runtime

_NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?")
_FORMULA = re.compile(r"[0-9.+\-*/() ]{1,200}")
_DECIMALS = 2
_LONGEST_RESULT = 20  # digits


@dataclass(frozen=True, slots=True)
class ToolResult:
    """A call that was run.

    Attributes:
        before: the messages up to the call.
        turn: answers from the number that the tool gave.
    """

    before: Sequence[BaseMessage]
    turn: ResultTurn


def call_turn(messages: Sequence[BaseMessage], runtime: Runtime, offer: ToolOffer | None) -> CallTurn | None:
    """How the newest message may be met with a call; None: with an answer only.

    Raises:
        ConfigurationError: a call is asked for of weights that have no tool mode.
    """
    if offer is None:
        return None
    if offer.must_call:
        return CallTurn(tool_runtime(runtime), must_call=True)
    is_question = bool(messages) and isinstance(messages[-1], HumanMessage)
    return CallTurn(tool_runtime(runtime), must_call=False) if is_question and has_tools(runtime) else None


def read_result(messages: Sequence[BaseMessage], runtime: Runtime) -> ToolResult | None:
    """The newest call and the number that its tool gave.

    Returns:
        None where the newest message is no tool's, the tool failed, or what it said holds no number; and where
        the weights have no tool mode.
    """
    last = len(messages)
    while last and isinstance(messages[last - 1], ToolMessage):
        last -= 1
    calling = messages[last - 1] if last else None
    if last == len(messages) or not isinstance(calling, AIMessage) or not calling.tool_calls:
        return None
    numbers = [number for message in messages[last:] if (number := _number_in(message)) is not None]
    if not numbers or not has_tools(runtime):
        return None
    tail = [*render_call(_formula_of(calling.tool_calls[-1]["args"])), *render_result(numbers[-1])]
    return ToolResult(messages[: last - 1], ResultTurn(tool_runtime(runtime), tuple(tail)))


def _number_in(message: BaseMessage) -> str | None:
    """The last number of a result: "98", "7 * 14 = 98" and {"result": 98.0} are all "98"."""
    if not isinstance(message, ToolMessage) or message.status == "error":
        return None
    found = _NUMBER.findall(message.text)
    if not found or len(found[-1]) > _LONGEST_RESULT:
        return None
    text = found[-1].replace(",", "")
    return f"{float(text):.{_DECIMALS}f}".rstrip("0").rstrip(".") if "." in text else text


def _formula_of(arguments: dict[str, Any]) -> str:
    """The formula among a call's arguments; "" where another model wrote something else."""
    texts = [value for value in arguments.values() if isinstance(value, str)]
    return texts[0] if len(texts) == 1 and _FORMULA.fullmatch(texts[0]) else ""
