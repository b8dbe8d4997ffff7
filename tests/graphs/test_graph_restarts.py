"""A draft and its answer in every stream mode: never one glued to the other, and a restart that names the draft."""

import asyncio
import warnings

import pytest
from early_cuts import DRAFT, SURE, cutting, sure, worked
from graph_ways import disbelieved
from langchain_core._api import LangChainBetaWarning
from langchain_core.messages import AIMessageChunk

ASKED = {"messages": "How much is it?"}
CUT = "It is 41"  # what is out when the stream is cut

drafts = pytest.mark.parametrize("draft", ["cut", "whole"])
both = pytest.mark.parametrize("is_async", [False, True], ids=["stream", "astream"])


@pytest.fixture
def graph(build, draft):
    if draft == "cut":
        return build(worked(), sure(), config=cutting())
    return build(disbelieved(CUT), sure())


def parts_of(graph, is_async, modes, version):
    if not is_async:
        return list(graph.stream(ASKED, stream_mode=modes, version=version))

    async def collect():
        return [part async for part in graph.astream(ASKED, stream_mode=modes, version=version)]

    return asyncio.run(collect())


def pairs_of(graph, is_async, modes, version):
    parts = parts_of(graph, is_async, modes, version)
    return parts if version == "v1" else [(part["type"], part["data"]) for part in parts]


@drafts
@both
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_each_message_id_holds_one_answer_and_the_restart_names_the_draft(graph, is_async, version):
    texts, restarts, finals = {}, [], []
    for kind, data in pairs_of(graph, is_async, ["messages", "custom", "values"], version):
        if kind == "messages" and isinstance(data[0], AIMessageChunk):
            texts[data[0].id] = texts.get(data[0].id, "") + str(data[0].text)
        elif kind == "custom" and data["event"] == "restart":
            restarts.append((data, set(texts)))
        elif kind == "values":
            finals.append([str(message.text) for message in data.get("messages", [])])
    assert list(texts.values()) == [CUT, SURE]
    [(restart, out_before)] = restarts
    draft_id, _ = texts
    assert restart["message_id"] == draft_id
    assert (restart["index"], restart["next"]) == (0, "deep_think")
    assert restart["reason"]
    assert out_before == {draft_id}  # it is told before the answer begins
    assert finals[-1] == ["How much is it?", SURE]
    assert all(CUT not in texts_so_far for texts_so_far in finals)


@drafts
@both
def test_updates_hold_the_answer_alone(graph, is_async):
    updates = parts_of(graph, is_async, "updates", "v1")
    messages = [
        str(message.text)
        for part in updates
        for update in part.values()
        for message in (update or {}).get("messages", [])
    ]
    assert messages == [SURE]


@drafts
def test_v3_events_show_two_messages(graph):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LangChainBetaWarning)
        run = graph.stream_events(ASKED, version="v3")
        texts = ["".join(message.text) for message in run.messages]
        output = run.output
    assert texts == [CUT, SURE]
    assert [str(message.text) for message in output["messages"]] == ["How much is it?", SURE]


@drafts
def test_astream_events_keep_the_calls_apart(graph):
    async def collect():
        return [event async for event in graph.astream_events(ASKED, version="v2")]

    texts = {}
    for event in asyncio.run(collect()):
        if event["event"] == "on_chat_model_stream":
            text = str(event["data"]["chunk"].text)
            texts[event["run_id"]] = texts.get(event["run_id"], "") + text
    assert list(texts.values()) == [CUT, SURE]


def test_an_answer_that_is_accepted_restarts_nothing(build):
    events = list(build(sure()).stream(ASKED, stream_mode="custom"))
    assert [event["event"] for event in events] == ["triage", "call", "round", "hand_off"]


def test_the_rest_of_a_cut_draft_is_never_seen(build):
    graph = build(worked(), sure(), config=cutting())
    seen = str(parts_of(graph, False, ["messages", "custom", "values", "updates"], "v2"))
    assert CUT.rsplit(maxsplit=1)[-1] in seen
    assert DRAFT.split()[-1] not in seen
