"""Streams that hold a draft and an answer: whoever joins their pieces gets the answer alone."""

import asyncio
import sys
import threading
from functools import reduce
from operator import add

import openai
import pytest
from chat_model_ways import WAYS, adaptive, disbelieved, report_of, steps_of, sure
from langchain_core.messages import AIMessageChunk
from langgraph.graph import START, MessagesState, StateGraph

from adaptive_reasoner import AdaptiveChatModel, GateProfile, ReasonerConfig
from adaptive_reasoner.gate.early_cut import EarlyCut
from adaptive_reasoner.testing import Reply, ScriptedChatModel, serve_openai

POLICIES = ("after_verdict", "drafts_as_thoughts")
policies = pytest.mark.parametrize("policy", POLICIES)


def doomed(policy, **fields):
    """Its draft is cut after one of four words, and thinking answers."""
    rule = EarlyCut(certainty="logprob", window=1, threshold=-0.7, max_accepted=0.05, confidence=0.9)
    gate = GateProfile(kind="default", model="", modes={}, early_cut=rule)
    config = ReasonerConfig(gate=gate, triage="off")
    return adaptive(
        disbelieved("41 it is surely"), sure("It is 42"), config=config, stream_policy=policy, **fields
    )


@policies
@pytest.mark.parametrize("way", WAYS)
def test_the_pieces_join_to_the_answer_alone(way, policy):
    message = WAYS[way](doomed(policy), "How much is it?")
    assert str(message.text) == "It is 42"
    assert steps_of(message) == [("fast_answer", "escalate"), ("deep_think", "accept")]
    assert report_of(message)["rounds"][0]["cut"]["after_tokens"] == 1
    assert message.usage_metadata["output_tokens"] == 1 + 3


@policies
def test_a_client_of_openais_gets_the_answer_alone(policy):
    with serve_openai(doomed(policy), model_name="adaptive") as endpoint:
        client = openai.OpenAI(base_url=endpoint.base_url, api_key="none")
        asked = {"model": "adaptive", "messages": [{"role": "user", "content": "How much is it?"}]}
        stream = client.chat.completions.create(**asked, stream=True)
        deltas = [chunk.choices[0].delta for chunk in stream if chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == "It is 42"
    thoughts = "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas)
    assert thoughts == ("" if policy == "after_verdict" else "41\n\nIt is 42")


def test_drafts_come_as_thoughts_before_the_answer():
    chunks = list(doomed("drafts_as_thoughts").stream("How much is it?"))
    first = chunks[0].content_blocks[0]
    assert (first["type"], first["reasoning"]) == ("reasoning", "41")
    kinds = [block["type"] for chunk in chunks for block in chunk.content_blocks]
    assert kinds == sorted(kinds)  # all reasoning, then all text
    whole = reduce(add, chunks)
    assert [block["type"] for block in whole.content_blocks] == ["reasoning", "text"]


def test_the_first_piece_comes_before_the_answer_is_whole():
    """The draft's first word is out while its model still waits to write the rest."""
    has_come = threading.Event()

    class Pausing(ScriptedChatModel):
        def _stream(self, *args, **kwargs):
            for chunk in super()._stream(*args, **kwargs):
                yield chunk
                assert has_come.wait(timeout=20)

    model = AdaptiveChatModel(
        fast=Pausing([sure("It is 42")], logprobs_in_chunks=True), stream_policy="drafts_as_thoughts"
    )
    stream = model.stream("How much is it?")
    assert next(stream).content_blocks[0]["reasoning"] == "It"
    has_come.set()
    assert str(reduce(add, stream).text) == "It is 42"


def test_thoughts_are_not_shown_twice():
    model = adaptive(sure("42", reasoning="40 and 2"), stream_policy="drafts_as_thoughts")
    whole = reduce(add, model.stream("How much is it?", thinking="on"))
    reasoning = [block["reasoning"] for block in whole.content_blocks if block["type"] == "reasoning"]
    assert reasoning == ["40 and 242"]  # the thought, and the draft after it
    assert str(whole.text) == "42"


def test_a_call_of_tools_comes_after_the_drafts():
    call = Reply(tool_calls=[{"name": "weather", "args": {"city": "Rom"}}], probability=0.99)
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    model = adaptive(call, stream_policy="drafts_as_thoughts").bind_tools([tool])
    whole = reduce(add, model.stream("Weather in Rom?"))
    assert [one["args"] for one in whole.tool_calls] == [{"city": "Rom"}]


@pytest.mark.parametrize("is_async", [False, True], ids=["stream", "astream"])
def test_an_early_leaver_ends_the_run(is_async):
    model = doomed("drafts_as_thoughts")

    async def leave():
        stream = model.astream("How much is it?")
        await anext(stream)
        await stream.aclose()

    if is_async:
        asyncio.run(leave())
    else:
        stream = model.stream("How much is it?")
        next(stream)
        stream.close()
    assert len(model.fast.calls) == 1
    assert sys.exception() is None


@policies
def test_a_graph_around_streams_one_message(policy):
    def answer(state):
        return {"messages": [model.invoke(state["messages"])]}

    model = doomed(policy)
    graph = StateGraph(MessagesState).add_node("answer", answer).add_edge(START, "answer").compile()
    parts = list(graph.stream({"messages": "How much is it?"}, stream_mode=["messages", "values"]))
    pieces = [data[0] for kind, data in parts if kind == "messages" and isinstance(data[0], AIMessageChunk)]
    assert len({piece.id for piece in pieces}) == 1
    assert "".join(str(piece.text) for piece in pieces) == "It is 42"
    assert parts[-1][1]["messages"][-1].text == "It is 42"
