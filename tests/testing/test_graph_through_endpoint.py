"""The whole graph on ChatOpenAI and a real HTTP endpoint: the same report in every mode."""

import asyncio

import pytest

from adaptive_reasoner import build_reasoning_graph
from adaptive_reasoner.testing import EndpointError, Reply, ScriptedChatModel

# v3 event streaming is announced as beta.
pytestmark = pytest.mark.filterwarnings("ignore::langchain_core._api.beta_decorator.LangChainBetaWarning")

QUESTION = {"messages": [("user", "What is 12 - 5 + 3?")]}
SURE = [("Answer", 0.99, [("So", 0.01)]), (":", 0.99), (" 10", 0.96, [(" 9", 0.03)])]
TORN = [("Answer", 0.99, [("So", 0.01)]), (":", 0.99), (" 4", 0.25, [(" 10", 0.24), (" 9", 0.2)])]


async def collected(stream):
    return [part async for part in stream]


def last_values(parts):
    return [data for mode, data in parts if mode == "values"][-1]


async def by_async_events(graph):
    events = await graph.astream_events(QUESTION, version="v3")
    return await events.output()


MODES = ["values", "updates", "messages", "custom"]
WAYS = {
    "invoke": lambda graph: graph.invoke(QUESTION),
    "ainvoke": lambda graph: asyncio.run(graph.ainvoke(QUESTION)),
    "stream": lambda graph: last_values(graph.stream(QUESTION, stream_mode=MODES)),
    "astream": lambda graph: last_values(asyncio.run(collected(graph.astream(QUESTION, stream_mode=MODES)))),
    "events": lambda graph: graph.stream_events(QUESTION, version="v3").output,
    "async_events": lambda graph: asyncio.run(by_async_events(graph)),
}
every_way = pytest.mark.parametrize("way", WAYS)


@every_way
def test_a_sure_answer_is_accepted_on_all_its_tokens(chat_openai, way):
    served = ScriptedChatModel([Reply(tokens=SURE)])
    result = WAYS[way](build_reasoning_graph(chat_openai(served)))
    report = result["reasoning"]
    assert result["messages"][-1].text == "Answer: 10"
    assert [(one["node"], one["verdict"]) for one in report["rounds"]] == [("fast_answer", "accept")]
    assert report["signal"]["kind"] == "logprobs"
    assert report["signal"]["min_probability"] == pytest.approx(0.96)
    assert report["usage"]["output_tokens"] == 3
    served.assert_exhausted()


@every_way
def test_a_doubtful_answer_is_thought_through(chat_openai, way):
    served = ScriptedChatModel(
        [Reply(tokens=TORN), Reply(tokens=SURE, reasoning="12 - 5 = 7 and 7 + 3 = 10")]
    )
    result = WAYS[way](build_reasoning_graph(chat_openai(served)))
    report = result["reasoning"]
    assert result["messages"][-1].text == "Answer: 10"
    assert [(one["node"], one["verdict"]) for one in report["rounds"]] == [
        ("fast_answer", "escalate"),
        ("deep_think", "accept"),
    ]
    assert report["accepted_round"] == 1
    assert report["rounds"][0]["signal"]["min_probability"] == pytest.approx(0.25)
    assert report["usage"]["reasoning_tokens"] == 11
    served.assert_exhausted()


@every_way
def test_a_failing_endpoint_ends_in_a_report(chat_openai, way):
    served = ScriptedChatModel([EndpointError("Overloaded.", status_code=503)], cycle=True)
    result = WAYS[way](build_reasoning_graph(chat_openai(served)))
    rounds = result["reasoning"]["rounds"]
    assert {one["error"] for one in rounds} == {"model_failed"}
    assert rounds[-1]["verdict"] == "give_up"
    assert result["messages"][0].text == "What is 12 - 5 + 3?"
