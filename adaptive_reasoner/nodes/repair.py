"""A doubted call of tools goes back to its model: what it nearly wrote instead, in place of the tools' results.

The call stays a call and gets an answer for each of its parts, as every provider wants it; none of it enters the
thread, where only the call stands that was settled in the end.
"""

import json
from collections.abc import Sequence

from langchain_core.messages import AIMessage, BaseMessage, ToolCall, ToolMessage

from adaptive_reasoner.prompts import call_not_run
from adaptive_reasoner.state import UncertainSpan
from adaptive_reasoner.uncertainty.call_values import DoubtedValue, doubted_values
from adaptive_reasoner.uncertainty.logprobs import parse_response


def repair_messages(doubted: AIMessage, spans: Sequence[UncertainSpan]) -> list[BaseMessage]:
    """The doubted message, and why nothing was run.

    Args:
        doubted: a message with tool calls.
        spans: of its signal; empty: nothing is fed back but the request to check.
    """
    values, sent_back = _values(doubted, spans), _with_ids(doubted)
    answers = [
        ToolMessage(
            call_not_run([value for value in values if value.call == place], is_one_of_several=bool(values)),
            tool_call_id=call["id"] or "",
            name=call["name"],
            status="error",
        )
        for place, call in enumerate(sent_back.tool_calls)
    ]
    return [sent_back, *answers]


def said(message: AIMessage) -> str:
    """All that a message says, to tell whether two say the same: its text and its calls."""
    calls = [[call["name"], call["args"]] for call in message.tool_calls]
    text = str(message.text).strip()
    return f"{text}\n{json.dumps(calls, sort_keys=True, default=str)}" if calls else text


def _with_ids(doubted: AIMessage) -> AIMessage:
    """The message as its model gave it: signed thoughts belong before its calls, and some providers insist on them."""
    if all(call["id"] for call in doubted.tool_calls):
        return doubted
    calls = [
        ToolCall(name=call["name"], args=call["args"], id=call["id"] or f"call_{place + 1}", type="tool_call")
        for place, call in enumerate(doubted.tool_calls)
    ]
    return AIMessage(str(doubted.text), tool_calls=calls)


def _values(doubted: AIMessage, spans: Sequence[UncertainSpan]) -> list[DoubtedValue]:
    if not spans:
        return []
    answer = parse_response(doubted)
    if not answer.is_tool_call:
        return []
    return doubted_values(answer.text, [call["args"] for call in doubted.tool_calls], spans)
