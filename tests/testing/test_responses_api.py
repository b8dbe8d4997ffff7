"""The endpoint's Responses API, asked by the real openai client."""

import openai
import pytest

from adaptive_reasoner.testing import EndpointError, Reply, ScriptedChatModel

TOKENS = [("Answer:", 0.9, [("So", 0.05)]), (" 4", 0.5, [(" 5", 0.25)]), (b"\xe2\x82", 0.9), (b"\xac", 1.0)]
ASKED = {"model": "any-name", "input": "What is 40 + 2?"}
SCORED = {**ASKED, "include": ["message.output_text.logprobs"], "top_logprobs": 2}
CALL = {"name": "weather", "args": {"city": "Rome"}, "id": "call_7"}
TOOL = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}}
SAYS_WHY = Reply(text="42", reasoning="40 + 2", finish_reason="length")


@pytest.fixture
def connect(serve):
    """A function that gives a client of an endpoint in front of a scripted model."""
    clients = []

    def connect(*steps):
        endpoint = serve(ScriptedChatModel(steps))
        clients.append(openai.OpenAI(base_url=endpoint.base_url, api_key="not-checked", max_retries=0))
        return clients[-1].responses

    yield connect
    for one in clients:
        one.close()


def final(stream):
    """The numbers of all events in order, and the last event's response."""
    events = list(stream)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    return events, events[-1].response


def test_answers_with_text_logprobs_and_usage(connect):
    response = connect(Reply(tokens=TOKENS)).create(**SCORED)
    scored = response.output[0].content[0].logprobs
    assert response.output_text == "Answer: 4€"
    assert [one.logprob for one in scored] == pytest.approx([-0.105361, -0.693147, -0.105361, 0.0], abs=1e-6)
    assert b"".join(bytes(one.bytes) for one in scored).decode() == "Answer: 4€"
    assert (response.status, response.usage.output_tokens) == ("completed", 4)


def test_sends_no_logprobs_that_were_not_asked_for(connect):
    assert connect(Reply(tokens=TOKENS)).create(**ASKED).output[0].content[0].logprobs == []


def test_streams_what_it_would_answer_as_a_whole(connect):
    responses = connect(Reply(tokens=TOKENS), Reply(tokens=TOKENS))
    whole = responses.create(**SCORED).output[0].content[0]
    events, last = final(responses.create(**SCORED, stream=True))
    deltas = [event for event in events if event.type == "response.output_text.delta"]
    assert "".join(event.delta for event in deltas) == whole.text == "Answer: 4€"
    assert [one.logprob for event in deltas for one in event.logprobs] == [
        one.logprob for one in whole.logprobs
    ]
    assert last.output[0].content[0] == whole
    assert last.usage.output_tokens == 4


@pytest.mark.parametrize("stream", [False, True])
def test_calls_tools_and_takes_their_results(connect, stream):
    responses = connect(Reply(tool_calls=[CALL]), "Sunny.")
    answer = responses.create(**SCORED, tools=[TOOL], stream=stream)
    call = (final(answer)[1] if stream else answer).output[0]
    assert (call.type, call.name, call.call_id, call.arguments) == (
        "function_call",
        "weather",
        "call_7",
        '{"city": "Rome"}',
    )
    result = {"type": "function_call_output", "call_id": "call_7", "output": "sunny"}
    given = [{"role": "user", "content": "Weather?"}, call.model_dump(exclude_none=True), result]
    assert responses.create(model="any-name", input=given).output_text == "Sunny."


def test_a_stream_that_was_cut_off_says_why(connect):
    events, last = final(connect(SAYS_WHY).create(**ASKED, stream=True))
    assert events[-1].type == "response.incomplete"
    assert last.incomplete_details.reason == "max_output_tokens"
    assert [item.type for item in last.output] == ["reasoning", "message"]
    assert last.output[0].summary[0].text == "40 + 2"


def test_passes_effort_format_and_limits_on(serve):
    model = ScriptedChatModel(["42"])
    schema = {"type": "json_schema", "name": "answer", "schema": {"type": "object"}}
    with openai.OpenAI(base_url=serve(model).base_url, api_key="x", max_retries=0) as client:
        client.responses.create(
            **ASKED,
            instructions="Be brief.",
            reasoning={"effort": "low"},
            text={"format": schema},
            max_output_tokens=9,
        )
    sent = model.calls[0]
    assert [(one.type, one.text) for one in sent.messages] == [
        ("system", "Be brief."),
        ("human", ASKED["input"]),
    ]
    assert (sent.kwargs["reasoning_effort"], sent.kwargs["max_tokens"]) == ("low", 9)
    assert sent.kwargs["response_format"]["json_schema"]["name"] == "answer"


@pytest.mark.parametrize(
    "wrong", [{"logprobs": True}, {"stop": ["x"]}, {"input": 3}, {"input": [{"type": "x"}]}]
)
def test_refuses_what_the_api_does_not_know(connect, wrong):
    with pytest.raises(openai.BadRequestError, match=next(iter(wrong))):
        connect("42").create(**{**ASKED, "extra_body": wrong})


@pytest.mark.parametrize("stream", [False, True])
def test_a_failing_model_keeps_its_status(connect, stream):
    failing = connect(EndpointError("Slow down.", status_code=429))
    with pytest.raises(openai.RateLimitError, match="Slow down"):
        failing.create(**ASKED, stream=stream)
