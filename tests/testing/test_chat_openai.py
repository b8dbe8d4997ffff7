"""ChatOpenAI, pointed at the endpoint: what users of any OpenAI-compatible server have."""

import asyncio

import openai
import pytest
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from pydantic import BaseModel

from adaptive_reasoner.testing import EndpointError, Reply, ScriptedChatModel, logprobs_of

TOKENS = [("Answer:", 0.9, [("So", 0.05)]), (" 4", 0.5, [(" 5", 0.25)]), (b"\xe2\x82", 0.9), (b"\xac", 1.0)]
USAGE = {"input_tokens": 5, "output_tokens": 9, "total_tokens": 14, "output_token_details": {"reasoning": 4}}


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


WAYS = {
    "invoke": lambda model: model.invoke("q"),
    "ainvoke": lambda model: asyncio.run(model.ainvoke("q")),
    "stream": lambda model: summed(model.stream("q")),
    "astream": lambda model: summed(asyncio.run(collected(model.astream("q")))),
    "batch": lambda model: model.batch(["q"])[0],
}


@pytest.mark.parametrize("way", WAYS)
def test_gets_text_logprobs_and_usage(chat_openai, way):
    model = chat_openai(ScriptedChatModel([Reply(tokens=TOKENS, usage=USAGE)]), top_logprobs=2)
    message = WAYS[way](model)
    assert message.text == "Answer: 4€"
    assert message.response_metadata["logprobs"]["content"] == logprobs_of(TOKENS, top_logprobs=2)["content"]
    assert message.response_metadata["finish_reason"] == "stop"
    assert message.usage_metadata["output_token_details"] == {"reasoning": 4}
    assert message.usage_metadata["total_tokens"] == 14


@pytest.mark.parametrize("way", WAYS)
def test_gets_tool_calls(chat_openai, way):
    served = ScriptedChatModel(
        [Reply(tool_calls=[{"name": "weather", "args": {"city": "Rome"}, "id": "call_7"}])]
    )
    message = WAYS[way](chat_openai(served).bind_tools([weather]))
    assert message.tool_calls == [
        {"name": "weather", "args": {"city": "Rome"}, "id": "call_7", "type": "tool_call"}
    ]
    assert served.calls[0].kwargs["tools"][0]["function"]["name"] == "weather"


def test_gives_a_tool_result_back(chat_openai):
    call = {"name": "weather", "args": {"city": "Rome"}, "id": "call_7"}
    served = ScriptedChatModel([Reply(tool_calls=[call]), "Sunny in Rome."])
    model = chat_openai(served).bind_tools([weather])
    asked = model.invoke("Weather in Rome?")
    result = weather.invoke(asked.tool_calls[0])
    answer = model.invoke([HumanMessage("Weather in Rome?"), asked, result])
    assert answer.text == "Sunny in Rome."
    last = served.calls[1].messages[-1]
    assert isinstance(last, ToolMessage)
    assert (last.tool_call_id, last.text) == ("call_7", "Rome: sunny")


def test_gets_structured_output_by_a_tool_call(chat_openai):
    class Forecast(BaseModel):
        city: str
        days: int

    served = ScriptedChatModel(
        [Reply(tool_calls=[{"name": "Forecast", "args": {"city": "Rome", "days": 3}}])]
    )
    model = chat_openai(served).with_structured_output(Forecast, method="function_calling")
    assert model.invoke("q") == Forecast(city="Rome", days=3)


def test_passes_its_settings_on(chat_openai):
    served = ScriptedChatModel(["42"])
    chat_openai(served, temperature=0.0, max_tokens=20, seed=5, reasoning_effort="low").invoke(
        "q", stop=["\n"]
    )
    sent = served.calls[0].kwargs
    assert {name: sent[name] for name in ("max_tokens", "seed", "reasoning_effort", "stop")} == {
        "max_tokens": 20,
        "seed": 5,
        "reasoning_effort": "low",
        "stop": ["\n"],
    }
    assert (sent["logprobs"], sent["top_logprobs"]) == (True, 5)


@pytest.mark.parametrize("streaming", [False, True])
def test_raises_the_endpoints_errors(chat_openai, streaming):
    failure = EndpointError("Slow down.", status_code=429, error_code="rate_limit_exceeded")
    with pytest.raises(openai.RateLimitError, match="Slow down"):
        chat_openai(ScriptedChatModel([failure]), streaming=streaming).invoke("q")


def test_retries_a_failure_that_passes(chat_openai):
    served = ScriptedChatModel([EndpointError("Busy.", status_code=503), "42"])
    assert chat_openai(served, max_retries=1).invoke("q").text == "42"
    served.assert_exhausted()


def test_times_out_on_a_model_that_is_too_slow(chat_openai):
    served = ScriptedChatModel([Reply(text="late", delay_seconds=0.5)])
    with pytest.raises(openai.APITimeoutError):
        chat_openai(served, timeout=0.1).invoke("q")
