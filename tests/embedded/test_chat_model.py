import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest
from embedded_weights import random_weights, tiny_shape
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState, StateGraph

from adaptive_reasoner.embedded.chat_model import EmbeddedChatModel
from adaptive_reasoner.embedded.dialogue import REFINE_REQUEST_ENDING
from adaptive_reasoner.embedded.runtime import Runtime
from adaptive_reasoner.embedded.tokenizer import encoding
from adaptive_reasoner.errors import ConfigurationError, ContextWindowExceededError

QUESTION = "What is 3 + 4?"
THINK = {"thinking": {"budget_tokens": 8}, "max_tokens": 24}


@pytest.fixture(scope="module")
def model() -> EmbeddedChatModel:
    """Random weights that write ASCII, because they never learned where a character ends."""
    weights = random_weights(tiny_shape(encoding().n_vocab), seed=5)
    weights.head[:, 128:256] = 0
    weights.head[:, :32] = 0
    return EmbeddedChatModel(runtime=Runtime(weights), logprobs=True, top_logprobs=5)


def spelled(message: AIMessage, key: str) -> str:
    return b"".join(bytes(entry["bytes"]) for entry in message.response_metadata[key]["content"]).decode()


def thought_of(message: AIMessage) -> str:
    return "".join(block["reasoning"] for block in message.content_blocks if block["type"] == "reasoning")


def same(one: AIMessage, other: AIMessage) -> bool:
    keys = ("logprobs", "reasoning_logprobs", "finish_reason", "model_name", "system_fingerprint")
    return (
        one.text == other.text
        and thought_of(one) == thought_of(other)
        and one.usage_metadata == other.usage_metadata
        and all(one.response_metadata.get(key) == other.response_metadata.get(key) for key in keys)
    )


def joined(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    total = chunks[0]
    for chunk in chunks[1:]:
        total += chunk
    return total


def test_without_thinking_the_content_is_plain_text(model: EmbeddedChatModel) -> None:
    message = model.invoke(QUESTION, max_tokens=6)
    assert isinstance(message.content, str)
    assert [block["type"] for block in message.content_blocks] == ["text"]
    assert spelled(message, "logprobs") == message.text
    assert "reasoning_logprobs" not in message.response_metadata
    assert message.usage_metadata == {
        "input_tokens": 4 + 6,  # <bos> <user> <assistant> <fast>, and one a word, digit or sign
        "output_tokens": 6,
        "total_tokens": 16,
        "output_token_details": {"reasoning": 0},
    }


def test_a_thought_is_a_reasoning_block_before_the_text(model: EmbeddedChatModel) -> None:
    message = model.invoke(QUESTION, **THINK)
    assert [block["type"] for block in message.content_blocks] == ["reasoning", "text"]
    assert spelled(message, "reasoning_logprobs") == thought_of(message) != ""
    assert spelled(message, "logprobs") == message.text != ""
    assert message.usage_metadata
    assert message.usage_metadata["output_token_details"] == {"reasoning": 8 + 1}
    assert message.usage_metadata["output_tokens"] == 24


def test_every_entry_has_openais_shape(model: EmbeddedChatModel) -> None:
    logprobs = model.invoke(QUESTION, max_tokens=4, top_logprobs=20).response_metadata["logprobs"]
    assert logprobs["refusal"] is None
    for entry in logprobs["content"]:
        assert set(entry) == {"token", "logprob", "bytes", "top_logprobs"}
        assert len(entry["top_logprobs"]) == 20
        assert entry["logprob"] == max(other["logprob"] for other in entry["top_logprobs"])
        assert all(set(other) == {"token", "logprob", "bytes"} for other in entry["top_logprobs"])


def test_log_probabilities_come_only_when_asked_for(model: EmbeddedChatModel) -> None:
    assert "logprobs" not in model.invoke(QUESTION, max_tokens=4, logprobs=False).response_metadata
    bare = model.invoke(QUESTION, max_tokens=4, top_logprobs=0).response_metadata["logprobs"]["content"]
    assert [entry["top_logprobs"] for entry in bare] == [[]] * 4


@pytest.mark.parametrize(
    "settings", [{"max_tokens": 12}, THINK, {"thinking": "answer_first", "max_tokens": 9}]
)
@pytest.mark.parametrize("in_chunks", [False, True])
async def test_all_ways_of_calling_give_the_same_message(
    model: EmbeddedChatModel, settings: dict[str, Any], in_chunks: bool
) -> None:
    settings = {**settings, "logprobs_in_chunks": in_chunks}
    expected = model.invoke(QUESTION, **settings)
    assert same(await model.ainvoke(QUESTION, **settings), expected)
    assert same(joined(list(model.stream(QUESTION, **settings))), expected)
    assert same(joined([chunk async for chunk in model.astream(QUESTION, **settings)]), expected)
    assert same(model.batch([QUESTION], **settings)[0], expected)


def test_log_probabilities_may_come_with_their_chunks(model: EmbeddedChatModel) -> None:
    chunks = list(model.stream(QUESTION, logprobs_in_chunks=True, max_tokens=5))
    assert [len(chunk.response_metadata["logprobs"]["content"]) for chunk in chunks[:-1]] == [1] * 5
    assert "logprobs" not in chunks[-1].response_metadata


def one_node_graph(model: EmbeddedChatModel, settings: dict[str, Any]) -> Any:
    def answer(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"], **settings)]}

    return (
        StateGraph(MessagesState).add_node(answer).add_edge(START, "answer").add_edge("answer", END).compile()
    )


def run_values(graph: Any, inputs: dict[str, Any]) -> AIMessage:
    return graph.invoke(inputs)["messages"][-1]


def run_messages_v1(graph: Any, inputs: dict[str, Any]) -> AIMessage:
    modes = list(graph.stream(inputs, stream_mode=["messages", "values"]))
    assert sum(mode == "messages" for mode, _ in modes) > 3
    return [value for mode, value in modes if mode == "values"][-1]["messages"][-1]


def run_messages_v2(graph: Any, inputs: dict[str, Any]) -> AIMessage:
    parts = list(graph.stream(inputs, stream_mode=["messages", "values"], version="v2"))
    return [part["data"] for part in parts if part["type"] == "values"][-1]["messages"][-1]


def run_events_v3(graph: Any, inputs: dict[str, Any]) -> AIMessage:
    return graph.stream_events(inputs, version="v3").output["messages"][-1]


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
@pytest.mark.parametrize("run", [run_values, run_messages_v1, run_messages_v2, run_events_v3])
@pytest.mark.parametrize("settings", [{"max_tokens": 12}, THINK])
def test_a_graph_sees_the_whole_message_however_it_is_streamed(
    model: EmbeddedChatModel, settings: dict[str, Any], run: Callable[[Any, dict[str, Any]], AIMessage]
) -> None:
    message = run(one_node_graph(model, settings), {"messages": [HumanMessage(QUESTION)]})
    assert same(message, model.invoke(QUESTION, **settings))


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
async def test_v3_events_of_the_model_itself_keep_every_log_probability(model: EmbeddedChatModel) -> None:
    stream = await model.astream_events(QUESTION, version="v3", **THINK)
    assert same(await stream, model.invoke(QUESTION, **THINK))


def test_text_ends_before_a_stop_string_and_its_tokens_still_spell_it(model: EmbeddedChatModel) -> None:
    free = model.invoke(QUESTION, max_tokens=10).text
    stop = free[3:5]
    message = model.invoke(QUESTION, max_tokens=10, stop=[stop])
    assert message.text == free[: free.index(stop)] == spelled(message, "logprobs")
    assert message.response_metadata["finish_reason"] == "stop"
    assert joined(list(model.stream(QUESTION, max_tokens=10, stop=[stop]))).text == message.text


def test_running_out_of_tokens_is_a_length_finish(model: EmbeddedChatModel) -> None:
    assert model.invoke(QUESTION, max_tokens=2).response_metadata["finish_reason"] == "length"


@pytest.mark.parametrize(
    ("settings", "reasoning_tokens"),
    [
        ({"reasoning_effort": "none"}, 0),
        ({"reasoning_effort": "minimal"}, 0),
        ({"reasoning_effort": "low"}, 49),
        ({"reasoning_effort": "medium"}, 97),
        ({"reasoning_effort": "high", "max_tokens": 100}, 100),
        ({"reasoning_effort": "high", "thinking": "off"}, 0),
        ({"thinking": {"budget_tokens": 0}}, 1),
        ({"thinking": "on", "max_tokens": 100}, 100),
    ],
)
def test_thinking_and_reasoning_effort_decide_how_long_it_thinks(
    model: EmbeddedChatModel, settings: dict[str, Any], reasoning_tokens: int
) -> None:
    usage = model.invoke(QUESTION, **{"max_tokens": 110, **settings}).usage_metadata
    assert usage
    assert usage["output_token_details"]["reasoning"] == reasoning_tokens


def test_fields_are_defaults_for_calls(model: EmbeddedChatModel) -> None:
    thinking = model.model_copy(update={"thinking": {"budget_tokens": 3}, "max_tokens": 6})
    assert same(
        thinking.invoke(QUESTION), model.invoke(QUESTION, thinking={"budget_tokens": 3}, max_tokens=6)
    )
    hard = model.model_copy(update={"reasoning_effort": "low"})
    assert thought_of(hard.invoke(QUESTION, max_tokens=60))


def test_sampling_repeats_with_its_seed(model: EmbeddedChatModel) -> None:
    hot = {"temperature": 1.5, "max_tokens": 12}
    assert model.invoke(QUESTION, seed=1, **hot).text == model.invoke(QUESTION, seed=1, **hot).text
    assert model.invoke(QUESTION, seed=1, **hot).text != model.invoke(QUESTION, seed=2, **hot).text


def test_a_refine_request_is_met_with_short_work(model: EmbeddedChatModel) -> None:
    turns = [HumanMessage(QUESTION), AIMessage("Answer: 8"), HumanMessage(REFINE_REQUEST_ENDING)]
    assert thought_of(model.invoke(turns, max_tokens=12))
    assert not thought_of(model.invoke(turns[:1], max_tokens=12))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"thinking": "hard"}, r'use "off", "on", "auto", "answer_first"'),
        ({"thinking": {"budget_tokens": -1}}, "n >= 0"),
        ({"reasoning_effort": "huge"}, "none, minimal, low"),
        ({"top_logprobs": 21}, "between 0 and 20"),
        ({"temperature": -0.1}, "0 or greater"),
        ({"max_tokens": -5}, "1 or greater"),
    ],
)
def test_a_setting_that_makes_no_sense_says_what_does(
    model: EmbeddedChatModel, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        model.invoke(QUESTION, **settings)


@pytest.mark.parametrize(
    "text", ["", "   ", "\x00", "😀 日本語 ¿qué?", "yes", "and then?", "\ud800", "word" * 60, "1 " * 150]
)
def test_text_outside_its_world_is_answered(text: str, model: EmbeddedChatModel) -> None:
    wide = model.model_copy(
        update={"runtime": Runtime(random_weights(tiny_shape(encoding().n_vocab, context=512), seed=5))}
    )
    message = wide.invoke(text, max_tokens=5)
    assert message.usage_metadata
    assert message.usage_metadata["output_tokens"] <= 5


def test_a_text_beyond_the_context_is_one_clear_error(model: EmbeddedChatModel) -> None:
    with pytest.raises(ContextWindowExceededError, match="Shorten it"):
        model.invoke("x" * 1_000_000)


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def test_bound_tools_that_are_no_calculators_are_never_called(model: EmbeddedChatModel) -> None:
    message = model.bind_tools([add]).invoke(QUESTION, max_tokens=5)
    assert message.tool_calls == []
    assert message.text
    with pytest.raises(ConfigurationError, match="Bind a calculator"):
        model.bind_tools([add], tool_choice="any").invoke(QUESTION, max_tokens=5)


def test_an_agent_runs_on_it(model: EmbeddedChatModel) -> None:
    from langchain.agents import create_agent

    short = model.model_copy(update={"max_tokens": 5})
    result = create_agent(short, tools=[add]).invoke({"messages": [HumanMessage(QUESTION)]})
    assert result["messages"][-1].text == short.invoke(QUESTION).text


def test_no_socket_is_opened(model: EmbeddedChatModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGSMITH_TRACING", "false")

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    assert model.invoke(QUESTION, max_tokens=3).text
    assert joined(list(model.stream(QUESTION, max_tokens=3))).text


def test_construction_reads_no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise AssertionError("weights were read")

    monkeypatch.setattr("adaptive_reasoner.embedded.runtime.load_weights", refuse)
    assert EmbeddedChatModel().model_name == "adaptive-reasoner-embedded"


def test_threads_and_tasks_share_one_model(model: EmbeddedChatModel) -> None:
    questions = [f"What is {n} + {n + 1}?" for n in range(12)]
    alone = [model.invoke(question, max_tokens=8).text for question in questions]
    assert [message.text for message in model.batch(questions, max_tokens=8)] == alone

    async def together() -> list[AIMessage]:
        return await asyncio.gather(*(model.ainvoke(question, max_tokens=8) for question in questions))

    assert [message.text for message in asyncio.run(together())] == alone


def test_tokens_are_counted_with_its_own_encoding(model: EmbeddedChatModel) -> None:
    assert model.get_num_tokens(" 12 + 3") == 4
    usage = model.invoke(QUESTION, max_tokens=3).usage_metadata
    assert usage
    assert model.get_num_tokens_from_messages([HumanMessage(QUESTION)]) == usage["input_tokens"]


def test_it_tells_what_it_can_do(model: EmbeddedChatModel) -> None:
    assert model.profile
    assert model.profile["reasoning_output"] is True
    assert model.profile["tool_calling"] is False
    assert model.profile["max_input_tokens"] == 496


def test_identifying_parameters_tell_weights_and_settings_apart(model: EmbeddedChatModel) -> None:
    other = model.model_copy(update={"temperature": 1.0})
    assert model._identifying_params != other._identifying_params
    assert model._get_ls_params()["ls_model_name"] == "adaptive-reasoner-embedded"
    assert model._llm_type == "adaptive-reasoner-embedded"
