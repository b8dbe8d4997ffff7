"""From what a model did to one of the package's errors."""

import pytest
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import AIMessage

from adaptive_reasoner.errors import EmptyAnswerError, RefusalError
from adaptive_reasoner.nodes.problems import as_our_error, find_problem, was_cut_off

CALL = {"name": "search", "args": {}, "id": "1", "type": "tool_call"}
OFFERED = {"tools": [{"type": "function"}]}


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (AIMessage("42"), None),
        (AIMessage("0"), None),
        (AIMessage([{"type": "text", "text": "42"}]), None),
        (AIMessage(""), "empty_answer"),
        (AIMessage([]), "empty_answer"),
        (AIMessage([{"type": "reasoning", "reasoning": "hm"}]), "empty_answer"),
        (AIMessage("", tool_calls=[CALL]), None),
        (AIMessage("", additional_kwargs={"refusal": "No."}), "refusal"),
        (AIMessage("x", response_metadata={"finish_reason": "content_filter"}), "refusal"),
        (AIMessage("x", response_metadata={"stop_reason": "refusal"}), "refusal"),
        (AIMessage("x", response_metadata={"finish_reason": "SAFETY"}), "refusal"),
        (AIMessage("x", response_metadata={"finish_reason": "stop"}), None),
        (AIMessage("x", response_metadata={"finish_reason": None}), None),
    ],
)
def test_a_message_has_one_problem_or_none(message, code):
    problem = find_problem(message, OFFERED)
    assert (problem.code if problem else None) == code


def test_a_call_of_a_tool_that_was_not_offered_is_a_problem():
    assert find_problem(AIMessage("", tool_calls=[CALL]), {}).code == "model_failed"
    assert find_problem(AIMessage("42"), {}) is None


@pytest.mark.parametrize(
    ("metadata", "is_cut"),
    [
        ({"finish_reason": "length"}, True),
        ({"finish_reason": "MAX_TOKENS"}, True),
        ({"stop_reason": "max_tokens"}, True),
        ({"finish_reason": "stop"}, False),
        ({}, False),
    ],
)
def test_a_cut_off_answer_is_known_by_its_ending(metadata, is_cut):
    assert was_cut_off(AIMessage("x", response_metadata=metadata)) is is_cut


class ReadTimeoutError(Exception):
    pass


class ModelRefusalError(Exception):
    pass


class WithCodeError(Exception):
    def __init__(self, code):
        super().__init__("no")
        self.code = code


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (ValueError("no"), "model_failed"),
        (TimeoutError(), "model_timeout"),
        (ReadTimeoutError(), "model_timeout"),
        (ContextOverflowError("long"), "context_window_exceeded"),
        (WithCodeError("context_length_exceeded"), "context_window_exceeded"),
        (WithCodeError("content_filter"), "refusal"),
        (WithCodeError(None), "model_failed"),
        (WithCodeError(500), "model_failed"),
        (ModelRefusalError(), "refusal"),
        (EmptyAnswerError("ours"), "empty_answer"),
    ],
)
def test_whatever_is_raised_has_a_code(raised, code):
    assert as_our_error(raised).code == code


def test_the_message_names_what_was_raised():
    assert str(as_our_error(KeyError("choices"))) == "The model call failed: KeyError: 'choices'"
    assert isinstance(as_our_error(ModelRefusalError("I won't")), RefusalError)
