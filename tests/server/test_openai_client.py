"""The real `openai` client, sync, async and with its helpers."""

import json

import openai
import pytest
from langchain_openai import ChatOpenAI
from pydantic import BaseModel
from served import async_client_of, client_of, served, sure

from adaptive_reasoner.testing import Reply, ScriptedChatModel

QUESTION = [{"role": "user", "content": "How many pens?"}]


class Step(BaseModel):
    title: str
    cost: int


class Plan(BaseModel):
    name: str
    steps: list[Step]


PLAN = {"name": "move", "steps": [{"title": "pack", "cost": 3}, {"title": "carry", "cost": 5}]}
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Weather in a city",
        "parameters": {
            "type": "object",
            "properties": {"where": {"type": "object", "properties": {"city": {"type": "string"}}}},
            "required": ["where"],
        },
    },
}
CALLS = [
    {"name": "weather", "args": {"where": {"city": "Bergen"}}, "id": "call_1"},
    {"name": "weather", "args": {"where": {"city": "Lima"}}, "id": "call_2"},
]


def planner():
    return ScriptedChatModel([Reply(text=json.dumps(PLAN), probability=0.999)], cycle=True)


def test_a_plain_answer_carries_its_report_and_usage():
    with served(sure("Answer: 12")) as server, client_of(server) as client:
        completion = client.chat.completions.create(model="adaptive", messages=QUESTION)
    assert completion.choices[0].message.content == "Answer: 12"
    assert completion.choices[0].finish_reason == "stop"
    assert (
        completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens
    )
    assert completion.adaptive_reasoning["rounds"][0]["verdict"] == "accept"
    assert completion._request_id.startswith("req_")


def test_a_stream_joins_to_the_answer_and_ends_with_usage_and_report():
    with served(sure("one two three four five six seven eight")) as server, client_of(server) as client:
        chunks = list(
            client.chat.completions.create(
                model="adaptive", messages=QUESTION, stream=True, stream_options={"include_usage": True}
            )
        )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "one two three four five six seven eight"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens > 0
    assert chunks[-1].adaptive_reasoning["accepted_round"] == 0


def test_a_stream_without_usage_has_its_report_on_the_last_event():
    with served(sure()) as server, client_of(server) as client:
        *_, last = client.chat.completions.create(model="adaptive", messages=QUESTION, stream=True)
    assert last.choices[0].finish_reason == "stop"
    assert last.adaptive_reasoning["route"] == "fast"


def test_the_stream_helper_gathers_the_answer():
    with served(sure("Answer: 12")) as server, client_of(server) as client:
        with client.chat.completions.stream(model="adaptive", messages=QUESTION) as stream:
            kinds = {event.type for event in stream}
        assert stream.get_final_completion().choices[0].message.content == "Answer: 12"
    assert {"chunk", "content.delta", "content.done"} <= kinds


async def test_the_async_client_answers_and_streams():
    with served(sure("Answer: 12")) as server:
        async with async_client_of(server) as client:
            completion = await client.chat.completions.create(model="fast", messages=QUESTION)
            stream = await client.chat.completions.create(model="deep", messages=QUESTION, stream=True)
            parts = [chunk.choices[0].delta.content or "" async for chunk in stream]
    assert completion.choices[0].message.content == "".join(parts) == "Answer: 12"


def test_parse_gives_an_object_of_nested_models():
    model = planner()
    with served(model) as server, client_of(server) as client:
        completion = client.chat.completions.parse(model="adaptive", messages=QUESTION, response_format=Plan)
    assert completion.choices[0].message.parsed == Plan.model_validate(PLAN)
    sent = model.calls[0].kwargs["response_format"]["json_schema"]
    assert sent["strict"] is True
    assert sent["schema"]["$defs"]["Step"]["properties"]["cost"] == {"title": "Cost", "type": "integer"}


def test_the_stream_helper_parses_too():
    with (
        served(planner()) as server,
        client_of(server) as client,
        client.chat.completions.stream(model="adaptive", messages=QUESTION, response_format=Plan) as stream,
    ):
        parsed = stream.get_final_completion().choices[0].message.parsed
    assert parsed == Plan.model_validate(PLAN)


@pytest.mark.parametrize("is_streamed", [False, True])
def test_parallel_tool_calls_with_nested_arguments_arrive_whole(is_streamed):
    model = ScriptedChatModel([Reply(tool_calls=CALLS, probability=0.999)], cycle=True)
    options = {"model": "adaptive", "messages": QUESTION, "tools": [WEATHER], "parallel_tool_calls": True}
    with served(model) as server, client_of(server) as client:
        if is_streamed:
            with client.chat.completions.stream(**options) as stream:
                completion = stream.get_final_completion()
        else:
            completion = client.chat.completions.create(**options)
    choice = completion.choices[0]
    assert choice.finish_reason == "tool_calls"
    assert [call.id for call in choice.message.tool_calls] == ["call_1", "call_2"]
    cities = [json.loads(call.function.arguments)["where"]["city"] for call in choice.message.tool_calls]
    assert cities == ["Bergen", "Lima"]
    assert model.calls[0].kwargs["tools"][0]["function"]["parameters"] == WEATHER["function"]["parameters"]


def test_tool_results_reach_the_model_with_the_whole_conversation():
    model = sure("12 degrees")
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"where": {}}'}}
    conversation = [
        {"role": "system", "content": "Be brief."},
        *QUESTION,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "12"},
    ]
    with served(model) as server, client_of(server) as client:
        completion = client.chat.completions.create(model="adaptive", messages=conversation, tools=[WEATHER])
    assert completion.choices[0].message.content == "12 degrees"
    assert [message.type for message in model.calls[0].messages] == ["system", "human", "ai", "tool"]


def test_parts_that_are_no_text_are_passed_on_as_they_are(serve):
    upstream = serve(sure())
    model = ChatOpenAI(model="eyes", base_url=upstream.base_url, api_key="none", max_retries=0)
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"}},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
    ]
    with served(model) as server, client_of(server) as client:
        client.chat.completions.create(model="adaptive", messages=[{"role": "user", "content": parts}])
    assert upstream.requests[0]["messages"] == [{"role": "user", "content": parts}]


def test_log_probabilities_are_those_of_the_answer_as_many_as_asked_for():
    tokens = [("Answer", 0.999), (": ", 0.999), ("12", 0.99, [("13", 0.01), ("14", 0.001)])]
    model = ScriptedChatModel([Reply(tokens=tokens)], cycle=True)
    options = {"model": "fast", "messages": QUESTION, "logprobs": True, "top_logprobs": 2}
    with served(model) as server, client_of(server) as client:
        content = client.chat.completions.create(**options).choices[0].logprobs.content
        streamed = [
            entry
            for chunk in client.chat.completions.create(**options, stream=True)
            if chunk.choices and chunk.choices[0].logprobs
            for entry in chunk.choices[0].logprobs.content
        ]
        silent = client.chat.completions.create(model="fast", messages=QUESTION).choices[0].logprobs
    assert [entry.token for entry in content] == ["Answer", ": ", "12"] == [one.token for one in streamed]
    assert [len(entry.top_logprobs) for entry in content] == [1, 1, 2]
    assert silent is None


def test_several_choices_each_have_a_report_and_a_seed():
    model = sure()
    with served(model) as server, client_of(server) as client:
        completion = client.chat.completions.create(
            model="fast", messages=QUESTION, n=3, seed=7, temperature=0.5
        )
    assert [choice.index for choice in completion.choices] == [0, 1, 2]
    assert all(choice.adaptive_reasoning["route"] == "fast" for choice in completion.choices)
    assert sorted(call.kwargs["seed"] for call in model.calls) == [7, 8, 9]
    assert completion.usage.total_tokens == 3 * completion.adaptive_reasoning["usage"]["total_tokens"]


def test_settings_reach_the_model():
    model = sure()
    with served(model) as server, client_of(server) as client:
        client.chat.completions.create(
            model="fast", messages=QUESTION, temperature=0.2, seed=3, max_completion_tokens=50, stop="END"
        )
    kwargs = model.calls[0].kwargs
    assert (kwargs["temperature"], kwargs["seed"], kwargs["max_tokens"], kwargs["stop"]) == (
        0.2,
        3,
        50,
        ["END"],
    )


@pytest.mark.parametrize(
    ("effort", "route"), [("none", "fast"), ("minimal", "fast"), ("low", "deep"), ("high", "deep")]
)
def test_reasoning_effort_is_thinking(effort, route):
    with served(sure()) as server, client_of(server) as client:
        completion = client.chat.completions.create(
            model="adaptive", messages=QUESTION, reasoning_effort=effort
        )
    assert completion.adaptive_reasoning["route"] == route


def test_thoughts_come_where_they_are_asked_for():
    model = ScriptedChatModel([Reply(text="12", reasoning="7 and 5", probability=0.999)], cycle=True)
    wish = {"adaptive_reasoning": {"include_thoughts": True}}
    with served(model) as server, client_of(server) as client:
        told = client.chat.completions.create(model="deep", messages=QUESTION, extra_body=wish)
        kept = client.chat.completions.create(model="deep", messages=QUESTION)
        stream = list(
            client.chat.completions.create(model="deep", messages=QUESTION, extra_body=wish, stream=True)
        )
    assert told.choices[0].message.reasoning_content == "7 and 5"
    assert "reasoning_content" not in kept.choices[0].message.model_extra
    thoughts = [chunk.choices[0].delta.model_extra.get("reasoning_content", "") for chunk in stream]
    assert "".join(thoughts) == "7 and 5"


def test_models_are_listed():
    with served(sure(), models={"aliases": {"gpt-4o": "adaptive"}}) as server, client_of(server) as client:
        names = [model.id for model in client.models.list()]
        assert client.models.retrieve("deep").id == "deep"
        answer = client.chat.completions.create(model="gpt-4o", messages=QUESTION)
        with pytest.raises(openai.NotFoundError) as unknown:
            client.models.retrieve("gpt-5")
    assert names == ["adaptive", "fast", "deep", "gpt-4o"]
    assert answer.model == "gpt-4o"
    assert unknown.value.code == "model_not_found"


def test_errors_are_the_clients_own():
    with served(sure()) as server, client_of(server) as client:
        with pytest.raises(openai.BadRequestError) as wrong:
            client.chat.completions.create(model="adaptive", messages=QUESTION, temperature=3)
        with pytest.raises(openai.NotFoundError):
            client.chat.completions.create(model="nobody", messages=QUESTION)
    assert (wrong.value.param, wrong.value.type) == ("temperature", "invalid_request_error")


def test_a_model_that_fails_is_an_upstream_error():
    model = ScriptedChatModel([RuntimeError("no route to host")], cycle=True)
    with served(model) as server, client_of(server) as client:
        with pytest.raises(openai.APIStatusError) as failed:
            client.chat.completions.create(model="fast", messages=QUESTION)
        with pytest.raises(openai.APIStatusError) as streamed:
            client.chat.completions.create(model="fast", messages=QUESTION, stream=True)
    assert failed.value.status_code == streamed.value.status_code == 502
    assert failed.value.code == "model_failed"


def test_a_refusal_is_the_answer():
    model = ScriptedChatModel([Reply(refusal="I cannot help with that.", text="")], cycle=True)
    with served(model) as server, client_of(server) as client:
        message = client.chat.completions.create(model="fast", messages=QUESTION).choices[0]
    assert message.message.refusal == "I cannot help with that."
