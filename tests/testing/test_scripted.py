import asyncio
import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph

from adaptive_reasoner.errors import AdaptiveReasonerError
from adaptive_reasoner.testing import (
    Reply,
    ScriptedChatModel,
    UnconsumedStepsError,
    UnexpectedCallError,
    logprobs_of,
)

# v3 event streaming is announced as beta.
pytestmark = pytest.mark.filterwarnings("ignore::langchain_core._api.beta_decorator.LangChainBetaWarning")

EMOJI = [
    ("So ", 0.9, [("It", 0.05)]),
    (b"\xf0\x9f", 0.5, [(b"\xf0\x9e", 0.25)]),
    (b"\x98\x80", 0.99),
    ("!", 1.0),
]
WEATHER = {"name": "weather", "args": {"city": "Rome", "days": 3}, "id": "call_7"}


@tool
def weather(city: str, days: int) -> str:
    """Forecast for a city."""
    return f"{city}: {days} sunny days"


def summed(chunks):
    first, *rest = chunks
    for chunk in rest:
        first += chunk
    return first


async def collected(stream):
    return [chunk async for chunk in stream]


def model_for(reply, **fields):
    return ScriptedChatModel([reply], cycle=True, logprobs=True, top_logprobs=2, **fields)


def graph_of(model):
    def answer(state):
        return {"messages": [model.invoke(state["messages"])]}

    return StateGraph(MessagesState).add_node("answer", answer).add_edge(START, "answer").compile()


def async_graph_of(model):
    async def answer(state):
        return {"messages": [await model.ainvoke(state["messages"])]}

    return StateGraph(MessagesState).add_node("answer", answer).add_edge(START, "answer").compile()


# --- one answer in every mode -------------------------------------------------------------------


def by_invoke(model):
    return model.invoke("q")


def by_ainvoke(model):
    return asyncio.run(model.ainvoke("q"))


def by_stream(model):
    return summed(model.stream("q"))


def by_astream(model):
    return summed(asyncio.run(collected(model.astream("q"))))


def by_graph_messages(model):
    modes = graph_of(model).stream({"messages": ["q"]}, stream_mode=["messages", "values"])
    return [data for mode, data in modes if mode == "values"][-1]["messages"][-1]


def by_graph_message_chunks(model):
    chunks = graph_of(model).stream({"messages": ["q"]}, stream_mode="messages", version="v2")
    return summed(part["data"][0] for part in chunks)


def by_async_graph_messages(model):
    modes = async_graph_of(model).astream({"messages": ["q"]}, stream_mode=["messages", "values"])
    parts = asyncio.run(collected(modes))
    return [data for mode, data in parts if mode == "values"][-1]["messages"][-1]


def by_events(model):
    return model.stream_events("q", version="v3").output


def by_graph_events(model):
    return graph_of(model).stream_events({"messages": ["q"]}, version="v3").output["messages"][-1]


def by_async_graph_events(model):
    async def run():
        events = await async_graph_of(model).astream_events({"messages": ["q"]}, version="v3")
        return (await events.output())["messages"][-1]

    return asyncio.run(run())


EVERY_WAY = [
    by_invoke,
    by_ainvoke,
    by_stream,
    by_astream,
    by_graph_messages,
    by_graph_message_chunks,
    by_async_graph_messages,
    by_events,
    by_graph_events,
    by_async_graph_events,
]
every_way = pytest.mark.parametrize("way", EVERY_WAY, ids=lambda way: way.__name__[3:])


@every_way
def test_every_way_gives_the_same_answer(way):
    message = way(model_for(Reply(tokens=EMOJI, reasoning="first this, then that")))
    assert message.text == "So 😀!"
    assert [block["type"] for block in message.content_blocks] == ["reasoning", "text"]
    assert message.content_blocks[0]["reasoning"] == "first this, then that"
    assert message.response_metadata["logprobs"] == logprobs_of(EMOJI, top_logprobs=2)
    assert message.response_metadata["model_name"] == "scripted"
    assert message.response_metadata["finish_reason"] == "stop"
    usage = message.usage_metadata
    assert (usage["output_tokens"], usage["output_token_details"]["reasoning"]) == (8, 4)


@every_way
def test_every_way_gives_the_same_tool_call(way):
    message = way(model_for(Reply(tool_calls=[WEATHER])))
    assert message.tool_calls == [{**WEATHER, "type": "tool_call"}]
    assert message.response_metadata["finish_reason"] == "tool_calls"
    tokens = message.response_metadata["logprobs"]["content"]
    assert "".join(token["token"] for token in tokens) == '{"city": "Rome", "days": 3}'


@every_way
def test_every_way_keeps_logprobs_that_do_not_belong_to_the_text(way):
    message = way(model_for(Reply(text="Answer: 42", tokens=[("Totally", 0.5), (" else", 0.25), ("!", 1.0)])))
    assert message.text == "Answer: 42"
    tokens = message.response_metadata["logprobs"]["content"]
    assert [token["token"] for token in tokens] == ["Totally", " else", "!"]


@every_way
def test_every_way_keeps_logprobs_of_another_shape(way):
    odd = {"tokens": ["42"], "token_logprobs": [-0.1], "top_logprobs": [{"42": -0.1}], "text_offset": [0]}
    assert way(model_for(Reply(text="42", logprobs=odd))).response_metadata["logprobs"] == odd


@every_way
def test_every_way_can_lack_the_logprobs(way):
    message = way(model_for(Reply(text="42", drop_logprobs=True)))
    assert message.response_metadata["logprobs"] is None


@every_way
def test_every_way_carries_a_refusal(way):
    message = way(model_for(Reply(text="", refusal="I would rather not.")))
    assert (message.text, message.additional_kwargs["refusal"]) == ("", "I would rather not.")


@every_way
def test_every_way_raises_what_the_script_says(way):
    with pytest.raises(TimeoutError, match="too slow"):
        way(ScriptedChatModel([TimeoutError("too slow")]))


# --- streaming ----------------------------------------------------------------------------------


def test_streams_a_chunk_a_token_with_its_own_logprobs():
    chunks = list(model_for(Reply(tokens=EMOJI), logprobs_in_chunks=True).stream("q"))
    shown = [
        (chunk.text, [t["bytes"] for t in chunk.response_metadata["logprobs"]["content"]])
        for chunk in chunks[:4]
    ]
    assert shown == [
        ("So ", [[83, 111, 32]]),
        ("", [[0xF0, 0x9F]]),
        ("😀", [[0x98, 0x80]]),
        ("!", [[33]]),
    ]
    assert len(chunks) == 5
    assert "logprobs" not in chunks[4].response_metadata


def test_streams_all_logprobs_with_the_last_chunk_unless_told_otherwise():
    *chunks, last = model_for(Reply(tokens=EMOJI)).stream("q")
    assert [chunk.text for chunk in chunks] == ["So ", "", "😀", "!"]
    assert all("logprobs" not in chunk.response_metadata for chunk in chunks)
    assert last.response_metadata["logprobs"] == logprobs_of(EMOJI, top_logprobs=2)


def test_chunks_with_their_own_logprobs_add_up_to_the_whole_answer():
    model = model_for(Reply(tokens=EMOJI, reasoning="first this"), logprobs_in_chunks=True)
    whole, streamed = model.invoke("q"), summed(model.stream("q"))
    assert (streamed.content, streamed.usage_metadata) == (whole.content, whole.usage_metadata)
    assert streamed.response_metadata == whole.response_metadata


def test_streams_thoughts_as_reasoning_blocks_before_the_text():
    chunks = list(model_for(Reply(text="42", reasoning="2 * 21")).stream("q"))
    assert [chunk.content for chunk in chunks] == [
        [{"type": "reasoning", "reasoning": "2", "index": 0}],
        [{"type": "reasoning", "reasoning": " *", "index": 0}],
        [{"type": "reasoning", "reasoning": " 21", "index": 0}],
        [{"type": "text", "text": "42", "index": 1}],
        [],
    ]


# --- what is asked for --------------------------------------------------------------------------


def test_sends_logprobs_only_when_asked():
    model = ScriptedChatModel(["42"], cycle=True)
    assert model.invoke("q").response_metadata["logprobs"] is None
    asked = model.invoke("q", logprobs=True, top_logprobs=2).response_metadata["logprobs"]["content"]
    assert [top["token"] for top in asked[0]["top_logprobs"]] == ["42", "42~1"]
    assert asked[0]["logprob"] == pytest.approx(math.log(0.99))


def test_a_call_may_decline_the_logprobs_that_the_field_asks_for():
    assert model_for("42").invoke("q", logprobs=False).response_metadata["logprobs"] is None


def test_gives_every_word_the_probability_of_the_reply():
    tokens = (
        model_for(Reply(text="maybe 42", probability=0.5))
        .invoke("q")
        .response_metadata["logprobs"]["content"]
    )
    assert [(t["token"], t["logprob"]) for t in tokens] == [("maybe", math.log(0.5)), (" 42", math.log(0.5))]


def test_reports_the_usage_of_the_reply():
    usage = {"input_tokens": 5, "output_tokens": 7, "total_tokens": 12}
    assert model_for(Reply(text="42", usage=usage)).invoke("q").usage_metadata == usage


# --- the script ---------------------------------------------------------------------------------


def test_plays_the_steps_in_order_and_records_the_calls():
    model = ScriptedChatModel(["one", Reply(text="two")])
    answers = [
        model.invoke("first").text,
        model.invoke([HumanMessage("second")], stop=["x"], thinking="on").text,
    ]
    assert answers == ["one", "two"]
    assert [call.messages[0].text for call in model.calls] == ["first", "second"]
    assert [call.kwargs for call in model.calls] == [{}, {"stop": ["x"], "thinking": "on"}]
    model.assert_exhausted()


def test_a_step_may_answer_what_it_is_asked():
    model = ScriptedChatModel([lambda call: Reply(text=call.messages[-1].text.upper())], cycle=True)
    assert [model.invoke(word).text for word in ("a", "b")] == ["A", "B"]


def test_raises_the_scripted_exception_and_goes_on():
    model = ScriptedChatModel([ConnectionError("gone"), "back"])
    with pytest.raises(ConnectionError, match="gone"):
        model.invoke("q")
    assert model.invoke("q").text == "back"


def test_says_when_it_is_called_beyond_its_script():
    model = ScriptedChatModel(["one"])
    model.invoke("q")
    with pytest.raises(UnexpectedCallError, match="holds 1 steps and the model was called 2 times"):
        model.invoke("q")


def test_an_unexpected_call_is_still_seen_when_a_caller_hid_its_error():
    model = ScriptedChatModel([])
    answers = model.with_fallbacks([ScriptedChatModel(["spare"])])
    assert answers.invoke("q").text == "spare"
    with pytest.raises(UnexpectedCallError):
        model.assert_exhausted()


def test_says_how_many_steps_were_never_played():
    model = ScriptedChatModel(["one", "two", "three"])
    model.invoke("q")
    with pytest.raises(UnconsumedStepsError, match="2 of 3"):
        model.assert_exhausted()


def test_its_errors_belong_to_the_tree_with_codes_of_their_own():
    errors = {UnexpectedCallError, UnconsumedStepsError}
    assert all(issubclass(error, AdaptiveReasonerError) for error in errors)
    assert {error.code for error in errors} == {"unexpected_call", "unconsumed_steps"}


def test_starts_again_when_cycling():
    model = ScriptedChatModel(["one", "two"], cycle=True)
    assert [model.invoke("q").text for _ in range(5)] == ["one", "two", "one", "two", "one"]
    model.assert_exhausted()


def test_a_copy_plays_on_in_the_same_script():
    model = ScriptedChatModel(["one", "two"])
    copy = model.model_copy(update={"thinking": "on"})
    assert (copy.invoke("q").text, model.invoke("q").text) == ("one", "two")


def test_plays_every_step_once_when_many_threads_call():
    model = ScriptedChatModel([f"answer {place}" for place in range(200)])
    with ThreadPoolExecutor(16) as pool:
        answers = set(pool.map(lambda _: model.invoke("q").text, range(200)))
    assert len(answers) == 200
    model.assert_exhausted()


def test_waits_before_it_answers():
    model = model_for(Reply(text="42", delay_seconds=0.05))
    started = time.monotonic()
    model.invoke("q")
    asyncio.run(model.ainvoke("q"))
    assert time.monotonic() - started >= 0.1


async def test_a_slow_answer_can_be_cancelled_and_leaves_no_thread():
    model = model_for(Reply(text="42", delay_seconds=30))
    before = threading.active_count()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(model.ainvoke("q"), 0.02)
    assert threading.active_count() <= before


# --- tools --------------------------------------------------------------------------------------


def test_bound_tools_are_recorded_in_openai_shape():
    model = ScriptedChatModel([Reply(tool_calls=[WEATHER])])
    message = model.bind_tools([weather], tool_choice="auto").invoke("q")
    assert isinstance(message, AIMessage)
    recorded = model.calls[0].kwargs
    assert recorded["tool_choice"] == "auto"
    assert [entry["function"]["name"] for entry in recorded["tools"]] == ["weather"]


def test_names_tool_calls_that_the_script_left_unnamed():
    calls = [{"name": "weather", "args": {}}, {"name": "weather", "args": {}}]
    message = ScriptedChatModel([Reply(tool_calls=calls)]).invoke("q")
    assert [call["id"] for call in message.tool_calls] == ["call_1", "call_2"]
