"""What a watching caller sees while the graph runs."""

import asyncio
import warnings

import pytest
from graph_ways import disbelieved, doubted, sure
from langchain_core._api import LangChainBetaWarning
from langchain_core.messages import AIMessageChunk
from langchain_core.tools import tool

from adaptive_reasoner import build_reasoning_graph
from adaptive_reasoner.testing import Reply

ASKED = {"messages": "How much is it?"}


def stream(graph, mode, is_async, **options):
    if not is_async:
        return list(graph.stream(ASKED, stream_mode=mode, **options))

    async def collect():
        return [part async for part in graph.astream(ASKED, stream_mode=mode, **options)]

    return asyncio.run(collect())


both = pytest.mark.parametrize("is_async", [False, True], ids=["stream", "astream"])


@both
def test_messages_stream_each_answer_token_by_token(build, is_async):
    parts = stream(build(disbelieved("It is 41"), sure("It is 42")), "messages", is_async)
    pieces = {}
    for chunk, metadata in parts:
        pieces.setdefault(metadata["langgraph_node"], []).append(str(chunk.text))
    assert [piece for piece in pieces["fast_answer"] if piece] == ["It", " is", " 41"]
    assert [piece for piece in pieces["deep_think"] if piece] == ["It", " is", " 42"]
    assert set(pieces) == {"fast_answer", "deep_think"}


@both
def test_the_streamed_id_is_the_final_messages(build, is_async):
    parts = stream(build(disbelieved("It is 41"), sure("It is 42")), ["messages", "values"], is_async)
    final = parts[-1][1]["messages"][-1]
    ids = {
        data[0].id for kind, data in parts if kind == "messages" and data[1]["langgraph_node"] == "deep_think"
    }
    assert ids == {final.id}


@both
def test_what_the_graph_says_itself_streams_as_a_message_of_its_own(build, is_async):
    @tool
    def weather(city: str) -> str:
        """Forecast."""
        return city

    call = Reply(tool_calls=[{"name": "weather", "args": {"city": "Rom"}}], probability=0.5)
    parts = stream(build(call, call, tools=[weather]), ["messages", "values"], is_async)
    final = parts[-1][1]["messages"][-1]
    said = [data[0] for kind, data in parts if kind == "messages" and data[1]["langgraph_node"] == "hand_off"]
    assert [str(message.text) for message in said] == [str(final.text)]
    assert said[0].id == final.id
    streamed = {d[0].id for k, d in parts if k == "messages" and d[1]["langgraph_node"] != "hand_off"}
    assert final.id not in streamed


@both
def test_custom_events_tell_the_whole_story(build, is_async):
    events = stream(build(doubted("41"), sure("42")), "custom", is_async)
    assert [event["event"] for event in events] == [
        *("triage", "call", "round", "restart"),
        *("call", "round", "hand_off"),
    ]
    assert events[0]["route"] == "fast"
    assert [event["node"] for event in events if event["event"] == "call"] == ["fast_answer", "refine"]
    first, second = (event for event in events if event["event"] == "round")
    assert (first["index"], first["text"], first["round"]["verdict"]) == (0, "41", "refine")
    assert first["tokens"][0][0] == "41"
    assert first["tokens"][0][1] == pytest.approx(0.673, abs=0.001)  # of .6 and .4, in nats
    assert (second["index"], second["text"]) == (1, "42")
    assert events[-1]["report"]["accepted_round"] == 1


@both
def test_updates_name_the_nodes_in_their_order(build, is_async):
    parts = stream(build(doubted("41"), disbelieved("43"), sure("42")), "updates", is_async)
    assert [next(iter(part)) for part in parts] == [
        "triage",
        "fast_answer",
        "confidence_gate",
        "refine",
        "confidence_gate",
        "deep_think",
        "confidence_gate",
        "hand_off",
    ]


@both
def test_debug_modes_run_too(build, is_async):
    parts = stream(build(sure("42")), ["tasks", "debug", "checkpoints"], is_async)
    assert parts


def test_event_streaming_shows_the_messages(build):
    graph = build(disbelieved("It is 41"), sure("It is 42", reasoning="40 and 2"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LangChainBetaWarning)
        run = graph.stream_events(ASKED, version="v3")
        texts = ["".join(message.text) for message in run.messages]
        output = run.output
    assert texts == ["It is 41", "It is 42"]
    assert output["messages"][-1].text == "It is 42"
    assert output["reasoning"]["signal"]["token_count"] == 3


def test_event_streaming_keeps_every_log_probability_of_chat_openai(chat_openai, scripted):
    """LangChain alone would keep the last token's only."""
    graph = build_reasoning_graph(chat_openai(scripted(sure("It is 42 euros"))))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LangChainBetaWarning)
        output = graph.stream_events(ASKED, version="v3").output
    [one] = output["reasoning"]["rounds"]
    assert one["signal"]["token_count"] == 4
    assert one["usage"]["output_tokens"] == 4
    assert "usage_estimated" not in one


@pytest.mark.parametrize("way", ["invoke", "stream", "ainvoke", "astream"])
def test_chat_openai_behind_an_endpoint_gives_the_same_report(chat_openai, scripted, way):
    graph = build_reasoning_graph(chat_openai(scripted(doubted("It is 41"), sure("It is 42"))))
    if way.endswith("stream"):
        state = stream(graph, ["messages", "values"], way == "astream")[-1][1]
    else:
        state = graph.invoke(ASKED) if way == "invoke" else asyncio.run(graph.ainvoke(ASKED))
    assert [one["verdict"] for one in state["reasoning"]["rounds"]] == ["refine", "accept"]
    assert [one["signal"]["token_count"] for one in state["reasoning"]["rounds"]] == [3, 3]
    assert all("usage_estimated" not in one for one in state["reasoning"]["rounds"])
    assert state["messages"][-1].text == "It is 42"


def test_thoughts_stream_before_the_answer(build):
    parts = stream(
        build(sure("42", reasoning="40 and 2")), "messages", is_async=False, context={"thinking": "on"}
    )
    kinds = [
        block["type"]
        for chunk, _ in parts
        if isinstance(chunk, AIMessageChunk)
        for block in chunk.content_blocks
    ]
    assert kinds == ["reasoning"] * 3 + ["text"]


def test_a_caller_that_stops_watching_stops_the_run(build):
    graph = build(disbelieved("41"), sure("42"))
    for _ in graph.stream(ASKED, stream_mode="updates"):
        break
    assert len(graph.model.calls) <= 1


@both
def test_earlier_answers_do_not_stream_again(build, is_async):
    graph = build(sure("It is 41"), sure("It is 42"))
    first = graph.invoke(ASKED)["messages"]
    given = {"messages": [*first, ("user", "And now?")]}
    if is_async:

        async def collect():
            return [part async for part in graph.astream(given, stream_mode="messages")]

        parts = asyncio.run(collect())
    else:
        parts = list(graph.stream(given, stream_mode="messages"))
    assert "".join(str(chunk.text) for chunk, _ in parts) == "It is 42"


def test_the_graph_streams_out_of_a_parent_as_it_does_alone(build):
    from langgraph.graph import START, MessagesState, StateGraph

    parent = StateGraph(MessagesState)
    parent.add_node("reasoner", build(disbelieved("It is 41"), sure("It is 42")))
    parent.add_edge(START, "reasoner")
    parts = list(parent.compile().stream(ASKED, stream_mode=["messages", "custom"], subgraphs=True))
    texts = [str(data[0].text) for _, kind, data in parts if kind == "messages"]
    events = [data["event"] for _, kind, data in parts if kind == "custom"]
    assert "".join(texts) == "It is 41It is 42"
    assert events[-1] == "hand_off"
