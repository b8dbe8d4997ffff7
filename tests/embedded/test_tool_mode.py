"""The embedded model with a calculator; how often its calls are right is in benchmarks/results/tool_gate.json."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool

from adaptive_reasoner.embedded.chat_model import EmbeddedChatModel
from adaptive_reasoner.embedded.dialogue import REFINE_REQUEST_ENDING
from adaptive_reasoner.embedded.problems import generate
from adaptive_reasoner.embedded.problems.formula import value_of
from adaptive_reasoner.embedded.runtime import Runtime
from adaptive_reasoner.embedded.tool_weights import tool_runtime
from adaptive_reasoner.embedded.weights import load_weights
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.uncertainty.message import score_message

pytestmark = pytest.mark.usefixtures("shipped_weights")

QUESTION = "What is 73 - 34?"
SHIPPED = "fb10e5662f4c"


@tool
def calculator(expression: str) -> str:
    """Compute a formula."""
    return str(value_of(expression))


@tool
def search(query: str) -> str:
    """Look something up."""
    return query


@pytest.fixture(scope="module")
def model() -> EmbeddedChatModel:
    return EmbeddedChatModel(logprobs=True, top_logprobs=20)


def arguments(message: AIMessage) -> dict[str, Any]:
    (call,) = message.tool_calls
    assert call["name"] == "calculator"
    return call["args"]


def spelled(message: AIMessage) -> str:
    return b"".join(bytes(e["bytes"]) for e in message.response_metadata["logprobs"]["content"]).decode()


def test_it_calls_the_calculator_with_what_the_question_says(model: EmbeddedChatModel) -> None:
    message = model.bind_tools([search, calculator]).invoke(QUESTION)
    assert arguments(message) == {"expression": "73 - 34"}
    assert message.text == ""
    assert message.response_metadata["finish_reason"] == "tool_calls"
    assert message.usage_metadata["output_tokens"] == 6  # 7, 3, -, 3, 4 and the end


def test_the_log_probabilities_cover_the_arguments(model: EmbeddedChatModel) -> None:
    message = model.bind_tools([calculator]).invoke(QUESTION)
    assert json.loads(spelled(message)) == arguments(message)
    signal = score_message(message)
    assert signal["kind"] == "logprobs"
    assert signal["token_count"] == 5
    assert signal["min_probability"] > 0.9


def test_most_calls_of_easy_problems_are_right(model: EmbeddedChatModel) -> None:
    problems = list(generate("test", 40, seed=1, level=1))
    messages = [model.bind_tools([calculator]).invoke(problem.question) for problem in problems]
    right = [
        value_of(arguments(m)["expression"]) == p.answer for m, p in zip(messages, problems, strict=True)
    ]
    assert np.mean(right) >= 0.9


def test_a_thought_comes_before_the_call(model: EmbeddedChatModel) -> None:
    message = model.bind_tools([calculator]).invoke(QUESTION, thinking="on")
    assert [block["type"] for block in message.content_blocks] == ["reasoning", "tool_call"]
    assert arguments(message) == {"expression": "73 - 34"}
    assert message.usage_metadata["output_token_details"]["reasoning"] > 20
    assert score_message(message)["thought_logprob"] < 0


def test_it_answers_from_the_result_even_if_it_knows_better(model: EmbeddedChatModel) -> None:
    bound = model.bind_tools([calculator])
    call = bound.invoke(QUESTION)
    for result in ("39", "171", "4521"):
        answer = bound.invoke(
            [HumanMessage(QUESTION), call, ToolMessage(result, tool_call_id=call.tool_calls[0]["id"])]
        )
        assert answer.text == f"Answer: {result}"
        assert not answer.tool_calls


def test_after_a_failed_tool_it_answers_by_itself(model: EmbeddedChatModel) -> None:
    bound = model.bind_tools([calculator])
    call = bound.invoke(QUESTION)
    failed = ToolMessage("broken", tool_call_id=call.tool_calls[0]["id"], status="error")
    assert bound.invoke([HumanMessage(QUESTION), call, failed]).text == model.invoke(QUESTION).text


@pytest.mark.parametrize("text", ["What is the capital of Peru?", "hello", "Write a short poem about hats."])
def test_where_there_is_nothing_to_compute_it_calls_nothing(text: str, model: EmbeddedChatModel) -> None:
    for thinking in ("off", "on"):
        message = model.bind_tools([calculator]).invoke(text, thinking=thinking)
        assert not message.tool_calls
        assert message.text == model.invoke(text, thinking=thinking).text


def test_tool_choice_is_kept_to(model: EmbeddedChatModel) -> None:
    assert not model.bind_tools([calculator], tool_choice="none").invoke(QUESTION).tool_calls
    assert not model.bind_tools([search]).invoke(QUESTION).tool_calls
    for choice in ("any", "calculator"):
        forced = model.bind_tools([search, calculator], tool_choice=choice).invoke("hello")
        assert len(forced.tool_calls) == 1
    with pytest.raises(ConfigurationError, match="writes formulas only"):
        model.bind_tools([search], tool_choice="any").invoke(QUESTION)


def test_numbers_beyond_its_own_are_left_to_the_calculator(model: EmbeddedChatModel) -> None:
    assert arguments(model.bind_tools([calculator]).invoke("What is 4523 * 823?")) == {
        "expression": "4523 * 823"
    }


@pytest.mark.parametrize("thinking", ["off", "on"])
def test_the_stream_adds_up_to_the_same_call(thinking: str, model: EmbeddedChatModel) -> None:
    whole = model.bind_tools([calculator]).invoke(QUESTION, thinking=thinking)
    chunks = list(model.bind_tools([calculator]).stream(QUESTION, thinking=thinking))
    total: AIMessageChunk = chunks[0]
    for chunk in chunks[1:]:
        total += chunk
    assert arguments(total) == arguments(whole)
    assert total.response_metadata["logprobs"] == whole.response_metadata["logprobs"]
    assert total.usage_metadata == whole.usage_metadata
    assert sum(bool(chunk.tool_call_chunks) for chunk in chunks) == 7  # opening, five tokens, closing


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
async def test_async_and_event_streams_give_the_call(model: EmbeddedChatModel) -> None:
    bound = model.bind_tools([calculator])
    assert arguments(await bound.ainvoke(QUESTION)) == {"expression": "73 - 34"}
    chunks = [chunk async for chunk in bound.astream(QUESTION)]
    assert "".join(c["args"] or "" for chunk in chunks for c in chunk.tool_call_chunks) == spelled(
        bound.invoke(QUESTION)
    )
    ends = [
        e async for e in bound.astream_events(QUESTION, version="v2") if e["event"] == "on_chat_model_end"
    ]
    assert arguments(ends[0]["data"]["output"]) == {"expression": "73 - 34"}
    output = model.stream_events(QUESTION, version="v3", tools=bound.kwargs["tools"]).output
    assert arguments(output) == {"expression": "73 - 34"}
    assert score_message(output)["kind"] == "logprobs"


def test_a_call_that_is_cut_off_is_no_valid_call(model: EmbeddedChatModel) -> None:
    message = model.bind_tools([calculator]).invoke(QUESTION, max_tokens=2)
    assert not message.tool_calls
    (cut,) = message.invalid_tool_calls
    assert cut["args"] == '{"expression": "73'
    assert message.response_metadata["finish_reason"] == "length"


def test_a_thought_that_is_cut_off_calls_nothing(model: EmbeddedChatModel) -> None:
    message = model.bind_tools([calculator]).invoke(QUESTION, thinking="on", max_tokens=5)
    assert not message.tool_calls
    assert message.usage_metadata["output_tokens"] == 5


def test_a_seed_repeats_a_sampled_call(model: EmbeddedChatModel) -> None:
    bound = model.bind_tools([calculator])
    one, two = (bound.invoke(QUESTION, temperature=1.5, seed=4) for _ in range(2))
    assert spelled(one) == spelled(two)


def test_only_a_formulas_characters_are_ever_written(model: EmbeddedChatModel) -> None:
    bound = model.bind_tools([calculator], tool_choice="any")
    for seed in range(20):
        message = bound.invoke(
            "Who wrote the book that Ann likes?", temperature=3.0, seed=seed, max_tokens=40
        )
        calls = [*message.tool_calls, *message.invalid_tool_calls]
        assert set(str(calls[0]["args"]).partition(":")[2]) <= set("0123456789.+-*/() '\"}")


def test_other_weights_have_no_tool_mode(model: EmbeddedChatModel) -> None:
    weights = load_weights()
    other = Runtime(replace(weights, fingerprint="x"))
    with pytest.raises(ConfigurationError, match="have no tool mode"):
        tool_runtime(other)
    strange = model.model_copy(update={"runtime": other})
    assert strange.bind_tools([calculator]).invoke(QUESTION).text.startswith("Answer:")
    with pytest.raises(ConfigurationError, match="have no tool mode"):
        strange.bind_tools([calculator], tool_choice="any").invoke(QUESTION)


def everything_said(model: EmbeddedChatModel) -> list[Any]:
    """What 100 problems get in all the modes that the model had before: text, token ids, log probabilities."""
    said: list[Any] = []
    for problem in generate("test", 20, seed=5):
        for thinking in ("off", "on", {"budget_tokens": 20}, "answer_first", "auto"):
            message = model.invoke(problem.question, thinking=thinking)
            said.append((message.content, message.response_metadata, message.usage_metadata))
        first = model.invoke(problem.question)
        thread: list[BaseMessage] = [
            HumanMessage(problem.question),
            first,
            HumanMessage(REFINE_REQUEST_ENDING),
        ]
        said.append(model.invoke(thread).response_metadata)
    return said


def test_the_tool_mode_leaves_every_other_mode_as_it_was(model: EmbeddedChatModel) -> None:
    before = everything_said(model)
    assert model.bind_tools([calculator]).invoke(QUESTION, thinking="on").tool_calls
    assert everything_said(model) == before  # to the bit
    assert load_weights().fingerprint == SHIPPED
