"""Thoughts stay out of the answer in every way to run the graph, and a policy holds wherever they could be seen."""

import warnings

import pytest
from graph_ways import disbelieved, sure
from langchain_core._api import LangChainBetaWarning
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.load import dumps
from langgraph.checkpoint.memory import InMemorySaver

from adaptive_reasoner import AdaptiveChatModel, ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.testing import Reply, ScriptedChatModel

ASKED = {"messages": "How much is it?"}
SECRET = "Anna"
WRITTEN = Reply(
    tokens=[(word, 0.99) for word in ("<think>", "Ask ", "Anna", ".", "</think>", "\n\n", "It ", "is ", "42")]
)
BESIDE = sure("It is 42", reasoning="Ask Anna .")
MODES = ["messages", "custom", "updates", "values", "tasks", "checkpoints"]
HIDING = ("drop", "redact", (SECRET,), lambda thought: thought.replace(SECRET, "somebody"))


def config(thoughts="keep"):
    return ReasonerConfig(thoughts=thoughts, triage="off", max_refinements=0)


def test_a_written_thought_is_no_part_of_the_answer(build, ask):
    run = ask(build(WRITTEN, config=config()))
    message = run.state["messages"][-1]
    assert (str(message.text), message.additional_kwargs["reasoning_content"]) == ("It is 42", "Ask Anna.")
    [one] = run.state["reasoning"]["rounds"]
    assert (one["verdict"], one["signal"]["kind"], one["signal"]["token_count"]) == ("accept", "logprobs", 3)


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_written_thought_streams_as_a_thought(build, is_async):
    graph, pieces = build(WRITTEN, config=config()), []
    if is_async:
        pieces = [chunk async for chunk, _ in graph.astream(ASKED, stream_mode="messages")]
    else:
        pieces = [chunk for chunk, _ in graph.stream(ASKED, stream_mode="messages")]
    texts = [str(piece.text) for piece in pieces if piece.text]
    thoughts = [piece.additional_kwargs.get("reasoning_content", "") for piece in pieces]
    assert texts == ["It ", "is ", "42"]
    assert "".join(thoughts) == "Ask Anna."
    assert thoughts[0] == "" or "<think>" not in thoughts[0]


async def test_event_streams_keep_the_thought_out_of_the_text(build):
    graph = build(WRITTEN, config=config())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LangChainBetaWarning)
        run = graph.stream_events(ASKED, version="v3")
        assert ["".join(message.text) for message in run.messages] == ["It is 42"]
    graph = build(WRITTEN, config=config())
    chunks = [
        str(event["data"]["chunk"].text)
        async for event in graph.astream_events(ASKED, version="v2")
        if event["event"] == "on_chat_model_stream"
    ]
    assert "".join(chunks) == "It is 42"


@pytest.mark.parametrize("thoughts", HIDING, ids=["drop", "redact", "patterns", "callable"])
@pytest.mark.parametrize("reply", [WRITTEN, BESIDE], ids=["written", "beside"])
async def test_what_a_policy_hides_is_in_no_stream_state_or_record(thoughts, reply):
    seen, records = Seen(), []
    recorder = type("Kept", (), {"record": lambda _self, record: records.append(record)})()
    given = {"config": config(thoughts), "recorder": recorder, "checkpointer": InMemorySaver()}
    for way in ("invoke", "stream", "astream", "astream_events"):
        graph = build_reasoning_graph(ScriptedChatModel([reply], logprobs_in_chunks=True), **given)
        run = {"configurable": {"thread_id": way}, "callbacks": [seen]}
        shown = await run_through(graph, way, run)
        held = [state.values for state in graph.get_state_history(run)]
        assert "It is 42" in shown
        for place in (shown, repr(held), repr(records), repr(seen.all)):
            assert SECRET not in place


async def run_through(graph, way, run):
    if way == "invoke":
        return repr(graph.invoke(ASKED, run))
    if way == "stream":
        return repr(list(graph.stream(ASKED, run, stream_mode=MODES)))
    if way == "astream":
        return repr([part async for part in graph.astream(ASKED, run, stream_mode=MODES)])
    return repr([event async for event in graph.astream_events(ASKED, run, version="v2")])


class Seen(BaseCallbackHandler):
    """What tracers get of the model's calls."""

    def __init__(self):
        self.all = []

    def on_llm_new_token(self, token, *, chunk=None, **_kwargs):
        self.all.append([token, chunk])

    def on_llm_end(self, response, **_kwargs):
        self.all.append(response)


def test_what_may_be_seen_of_a_thought_comes_all_the_same(build, ask_few):
    run = ask_few(build(BESIDE, config=config((SECRET,))))
    [block] = [one for one in run.state["messages"][-1].content_blocks if one["type"] == "reasoning"]
    assert block["reasoning"] == "Ask [redacted] ."


def test_the_chat_model_hides_them_too():
    model = AdaptiveChatModel(fast=ScriptedChatModel([BESIDE], cycle=True), config=config("drop"))
    assert SECRET not in dumps(model.invoke("How much is it?"))
    assert SECRET not in "".join(dumps(chunk) for chunk in model.stream("How much is it?"))


def test_a_text_that_ends_inside_its_thought_is_no_answer(build, ask_few):
    endless = Reply(text="<think>Ask Anna", finish_reason="length")
    run = ask_few(build(endless, sure("It is 42"), config=config()))
    first, second = run.state["reasoning"]["rounds"]
    assert (first["error"], first["verdict"], second["verdict"]) == ("empty_answer", "escalate", "accept")


def test_a_doubted_draft_streams_its_thought_apart_as_well(build):
    graph = build(disbelieved("<think>Hm.</think>It is 41"), BESIDE, config=config())
    texts = {}
    for chunk, metadata in graph.stream(ASKED, stream_mode="messages"):
        texts[metadata["langgraph_node"]] = texts.get(metadata["langgraph_node"], "") + str(chunk.text)
    assert texts == {"fast_answer": "It is 41", "deep_think": "It is 42"}


@pytest.mark.parametrize("reply", [WRITTEN, BESIDE], ids=["written", "beside"])
async def test_without_a_policy_they_can_be_seen(reply):
    seen = Seen()
    graph = build_reasoning_graph(ScriptedChatModel([reply], logprobs_in_chunks=True), config=config())
    assert SECRET in await run_through(graph, "stream", {"callbacks": [seen]})
    assert SECRET in repr(seen.all)
