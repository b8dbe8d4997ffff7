"""Whether a question lies in the world that the embedded model learned: whole numbers from 0 to 199.

Beyond it the model answers as if it knew. Its probabilities were measured inside, and say nothing there.
"""

import ast
import re
from collections.abc import Sequence
from warnings import catch_warnings

from langchain_core.messages import BaseMessage, HumanMessage

from adaptive_reasoner.embedded.dialogue import REFINE_REQUEST_ENDING
from adaptive_reasoner.embedded.plain_writing import as_learned
from adaptive_reasoner.embedded.problems import MAX_VALUE
from adaptive_reasoner.embedded.problems.formula import value_of

_LEARNED = f"the embedded model learned whole numbers from 0 to {MAX_VALUE} only"
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_CALCULATED = re.compile(r"[\d+\-*/^().% ]+")
_OPERATOR = re.compile(r"[-+*/^%]")
_LONGEST = 200  # signs of an expression; what is longer does not fit the model anyway


def why_outside(messages: Sequence[BaseMessage], *, only_numbers: bool = False) -> str | None:
    """Why the newest question is not one that the model learned to answer; None: nothing speaks against it.

    Args:
        messages: the conversation; requests to check an answer are no questions.
        only_numbers: what the numbers come to is left to a tool.
    """
    asked = (message.text for message in reversed(messages) if isinstance(message, HumanMessage))
    question = next((text for text in asked if not text.strip().endswith(REFINE_REQUEST_ENDING)), "")
    text = as_learned(question)
    for number in _NUMBER.findall(text):
        if "." in number or int(number[:9]) > MAX_VALUE:
            return f"{_LEARNED}, and the question holds {number[:20]}"
    return None if only_numbers else _leaving(text)


def _leaving(text: str) -> str | None:
    """The first operation of a bare expression that leaves the learned numbers."""
    for found in _expressions(text):
        for operation in _operations(found) if len(found) <= _LONGEST else ():
            value = value_of(operation)
            if value is None or value.denominator != 1 or not 0 <= value <= MAX_VALUE:
                return f"{_LEARNED}, and {operation} is none"
    return None


def _expressions(text: str) -> list[str]:
    """From a number or an opening bracket to a number or a closing one, with an operator between."""
    runs = (run.lstrip("+-*/^).% ").rstrip("+-*/^(.% ") for run in _CALCULATED.findall(text))
    return [run for run in runs if _OPERATOR.search(run)]


def _operations(expression: str) -> list[str]:
    """Every operation with its operands; none where it is no expression after all."""
    try:
        with catch_warnings(action="ignore"):  # "5 (3)" looks like a call to Python
            tree = ast.parse(expression, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return []
    return [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.BinOp)][::-1]
