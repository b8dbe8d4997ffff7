"""WholeLogprobs on the Responses API: what LangChain drops arrives, whichever way the model is called."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from adaptive_reasoner.nodes.whole_logprobs import WholeLogprobs
from adaptive_reasoner.testing import Defect, Reply, ScriptedChatModel
from adaptive_reasoner.uncertainty import parse_response

pytestmark = pytest.mark.filterwarnings("ignore::langchain_core._api.beta_decorator.LangChainBetaWarning")

TOKENS = [("Answer:", 0.9, [("So", 0.05)]), (" 4", 0.5, [(" 5", 0.25)]), (b"\xe2\x82", 0.9), (b"\xac", 1.0)]
LOGPROBS = pytest.approx([-0.105361, -0.693147, -0.105361, 0.0], abs=1e-6)
CALL = {"name": "weather", "args": {"city": "Rome"}, "id": "call_7"}


@tool
def weather(city: str) -> str:
    """Forecast for a city."""
    return f"{city}: sunny"


def summed(chunks):
    first, *rest = chunks
    for chunk in rest:
        first += chunk
    return first


async def collected(stream):
    return [chunk async for chunk in stream]


async def by_async_events(model, **kwargs):
    return await (await model.astream_events("q", version="v3", **kwargs)).output


WAYS = {
    "invoke": lambda model, **kwargs: model.invoke("q", **kwargs),
    "ainvoke": lambda model, **kwargs: asyncio.run(model.ainvoke("q", **kwargs)),
    "stream": lambda model, **kwargs: summed(model.stream("q", **kwargs)),
    "astream": lambda model, **kwargs: summed(asyncio.run(collected(model.astream("q", **kwargs)))),
    "events": lambda model, **kwargs: model.stream_events("q", version="v3", **kwargs).output,
    "async events": lambda model, **kwargs: asyncio.run(by_async_events(model, **kwargs)),
}
every_way = pytest.mark.parametrize("way", WAYS)


@pytest.fixture
def whole(chat_openai):
    """A function from a script to a wrapped ChatOpenAI that speaks the Responses API."""

    def make(*steps, **options):
        settings = {"use_responses_api": True, "stream_usage": None, **options}
        return WholeLogprobs.around(chat_openai(ScriptedChatModel(steps), **settings))

    return make


@every_way
@pytest.mark.parametrize("version", [None, "v0", "v1"])
def test_all_tokens_arrive(whole, way, version):
    options = {} if version is None else {"output_version": version}
    message = WAYS[way](whole(Reply(tokens=TOKENS, reasoning="40 + 2"), **options))
    parsed = parse_response(message)
    assert parsed.trusted, parsed.reason
    assert parsed.text == message.text == "Answer: 4€"
    assert [token.logprob for token in parsed.tokens] == LOGPROBS
    assert [len(token.top) for token in parsed.tokens] == [2, 2, 1, 1]
    assert message.usage_metadata["output_tokens"] == 7
    assert message.response_metadata["finish_reason"] == "stop"


@every_way
def test_they_can_be_asked_for_by_call(whole, way):
    model = whole(Reply(tokens=TOKENS), logprobs=None, top_logprobs=None)
    parsed = parse_response(WAYS[way](model, logprobs=True, top_logprobs=1))
    assert [len(token.top) for token in parsed.tokens] == [1, 1, 1, 1]


@every_way
def test_without_asking_none_arrive(whole, way):
    message = WAYS[way](whole(Reply(tokens=TOKENS), logprobs=None, top_logprobs=None))
    assert message.text == "Answer: 4€"
    assert "logprobs" not in message.response_metadata


@every_way
def test_an_answer_beside_tools_keeps_them_and_a_call_has_none(whole, way):
    tools = {"tools": weather_tools(whole())}
    model = whole(Reply(tokens=TOKENS), Reply(tool_calls=[CALL]))
    assert [token.logprob for token in parse_response(WAYS[way](model, **tools)).tokens] == LOGPROBS
    called = WAYS[way](model, **tools)
    assert called.tool_calls == [{**CALL, "type": "tool_call"}]
    assert not parse_response(called).trusted


def weather_tools(model):
    return model.inner.bind_tools([weather]).kwargs["tools"]


@every_way
def test_a_cut_off_answer_and_a_refusal_say_so(whole, way):
    model = whole(Reply(text="An", finish_reason="length"), Reply(text="", refusal="I cannot help."))
    assert WAYS[way](model).response_metadata["finish_reason"] == "length"
    assert WAYS[way](model).additional_kwargs["refusal"] == "I cannot help."


@pytest.mark.parametrize("way", ["invoke", "stream", "ainvoke", "astream"])
def test_response_headers_stay_available(whole, way):
    message = WAYS[way](whole(Reply(tokens=TOKENS), include_response_headers=True))
    assert message.response_metadata["headers"]
    assert [token.logprob for token in parse_response(message).tokens] == LOGPROBS


def test_gpt_6_keeps_them_when_tools_switch_the_api(whole):
    model = whole(
        Reply(tokens=TOKENS),
        Reply(tokens=TOKENS),
        model="gpt-6-luna",
        use_responses_api=None,
        stream_usage=True,
    )
    for kwargs in ({}, {"tools": weather_tools(model)}):
        assert [token.logprob for token in parse_response(model.invoke("q", **kwargs)).tokens] == LOGPROBS


def test_calls_at_the_same_time_do_not_mix(whole):
    words = [f"answer-{number}" for number in range(16)]

    def echo(call):
        return Reply(text=call.messages[-1].text, probability=0.5, delay_seconds=0.01)

    model = whole(*[echo] * 32)
    with ThreadPoolExecutor(8) as pool:
        messages = list(pool.map(model.invoke, words))

    async def together():
        return await asyncio.gather(*map(model.ainvoke, words))

    messages += asyncio.run(together())
    assert [parse_response(message).text for message in messages] == [*words, *words]
    assert all(parse_response(message).trusted for message in messages)


def test_a_server_that_loses_them_stays_unknown(serve):
    endpoint = serve(ScriptedChatModel([Reply(tokens=TOKENS)]), defects=[Defect.ONLY_THE_LAST])
    settings = {"use_responses_api": True, "logprobs": True, "max_retries": 0}
    model = ChatOpenAI(model="any", base_url=endpoint.base_url, api_key="x", **settings)
    parsed = parse_response(WholeLogprobs.around(model).invoke("q"))
    assert not parsed.trusted
    assert "do not add up" in parsed.reason
