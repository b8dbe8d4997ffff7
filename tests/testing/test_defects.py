"""Servers that lose or spoil log probabilities: what arrives in ChatOpenAI."""

import openai
import pytest
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from adaptive_reasoner.testing import Defect, Reply, ScriptedChatModel
from adaptive_reasoner.uncertainty import parse_response

ANSWER = Reply(tokens=[("Answer:", 0.9), (" 4", 0.5), ("2", 0.9)])
CALL = Reply(tool_calls=[{"name": "weather", "args": {"city": "Rome"}}])


@tool
def weather(city: str) -> str:
    """Forecast for a city."""
    return f"{city}: sunny"


@pytest.fixture
def make(serve):
    """A function from defects to a ChatOpenAI of a server that has them."""

    def make(*defects, reply=ANSWER, **options):
        endpoint = serve(ScriptedChatModel([reply], cycle=True), defects=defects)
        settings = {"logprobs": True, "top_logprobs": 5, "max_retries": 0, **options}
        return ChatOpenAI(model="any", base_url=endpoint.base_url, api_key="x", **settings)

    return make


def logprobs_of(message):
    return [round(one.logprob, 3) for one in parse_response(message).tokens]


def by_stream(model):
    first, *rest = model.stream("q")
    for chunk in rest:
        first += chunk
    return first


WHOLE = [-0.105, -0.693, -0.105]


@pytest.mark.parametrize(
    ("defect", "plain", "streamed"),
    [
        (Defect.NEVER_SENDS, [], []),
        (Defect.LOST_IN_STREAMS, WHOLE, []),
        (Defect.LOST_WITH_TOOLS, WHOLE, WHOLE),
        (Defect.ONLY_THE_LAST, WHOLE[-1:], WHOLE[-1:]),
        (Defect.REPEATED_AT_THE_END, WHOLE, [*WHOLE, *WHOLE]),
        (Defect.PLACEHOLDERS, [-9999.0] * 3, [-9999.0] * 3),
    ],
)
def test_spoils_what_it_sends(make, defect, plain, streamed):
    model = make(defect)
    message, chunk = model.invoke("q"), by_stream(model)
    assert message.text == chunk.text == "Answer: 42"
    listed = [
        (one.response_metadata.get("logprobs") or {"content": []})["content"] for one in (message, chunk)
    ]
    assert [[round(token["logprob"], 3) for token in tokens] for tokens in listed] == [plain, streamed]


def test_loses_them_of_tool_calls_only(make):
    model = make(Defect.LOST_WITH_TOOLS, reply=CALL).bind_tools([weather])
    assert [logprobs_of(model.invoke("q")), logprobs_of(by_stream(model))] == [[], []]
    assert len(logprobs_of(make(reply=CALL).bind_tools([weather]).invoke("q"))) == 2


@pytest.mark.parametrize(
    ("defect", "asked"),
    [
        (Defect.REFUSES, {}),
        (Defect.REFUSES_WHILE_THINKING, {"reasoning_effort": "high"}),
        (Defect.AT_MOST_FIVE, {"top_logprobs": 6}),
    ],
)
def test_refuses_the_request(make, defect, asked):
    with pytest.raises(openai.BadRequestError):
        make(defect, **asked).invoke("q")
    assert make(defect, **{**asked, "logprobs": None, "top_logprobs": None}).invoke("q").text == "Answer: 42"


def test_refuses_streamed_tools_only(make):
    model = make(Defect.REFUSES_STREAMED_TOOLS)
    assert by_stream(model).text == model.bind_tools([weather]).invoke("q").text == "Answer: 42"
    with pytest.raises(openai.BadRequestError):
        by_stream(model.bind_tools([weather]))


@pytest.mark.parametrize("defect", [Defect.LOST_IN_STREAMS, Defect.ONLY_THE_LAST])
def test_spoils_the_responses_api_as_well(serve, defect):
    endpoint = serve(ScriptedChatModel([ANSWER]), defects=[defect])
    asked = {"include": ["message.output_text.logprobs"], "top_logprobs": 2, "stream": True}
    with openai.OpenAI(base_url=endpoint.base_url, api_key="x") as client:
        *_, last = client.responses.create(model="any", input="q", **asked)
    kept = {Defect.LOST_IN_STREAMS: 0, Defect.ONLY_THE_LAST: 1}
    assert len(last.response.output[0].content[0].logprobs) == kept[defect]
