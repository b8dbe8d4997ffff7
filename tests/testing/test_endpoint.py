"""The endpoint, asked by the real openai client."""

import asyncio
import gc
import http.client
import json
import math
import socket
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import openai
import pytest
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.language_models.fake_chat_models import FakeListChatModel, FakeMessagesListChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import Field

from adaptive_reasoner.errors import ContextWindowExceededError, ModelTimeoutError
from adaptive_reasoner.testing import EndpointError, Reply, ScriptedChatModel, logprobs_of, serve_openai

TOKENS = [("Answer:", 0.9, [("So", 0.05)]), (" 4", 0.5, [(" 5", 0.25)]), (b"\xe2\x82", 0.9), (b"\xac", 1.0)]
ASKED = {"model": "any-name", "messages": [{"role": "user", "content": "What is 40 + 2?"}]}
USAGE = {"input_tokens": 5, "output_tokens": 9, "total_tokens": 14, "output_token_details": {"reasoning": 4}}
WEATHER = {"name": "weather", "args": {"city": "Rome", "days": 3}, "id": "call_7"}
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Forecast for a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        },
    },
}


@pytest.fixture
def client(serve):
    """A function that gives a client of an endpoint in front of a model."""
    clients = []

    def connect(model):
        clients.append(openai.OpenAI(base_url=serve(model).base_url, api_key="not-checked", max_retries=0))
        return clients[-1]

    yield connect
    for one in clients:
        one.close()


def scripted(*steps, **fields):
    return ScriptedChatModel(steps, **fields)


def send(base_url, method, path, body=None, headers=None):
    """One raw request; gives the status and the decoded body."""
    parts = urlsplit(base_url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    status, raw = answer.status, answer.read()
    connection.close()
    return status, json.loads(raw)


def post(base_url, body):
    return send(
        base_url, "POST", "/v1/chat/completions", body if isinstance(body, bytes) else json.dumps(body)
    )


# --- answers ------------------------------------------------------------------------------------


def test_answers_plainly(client):
    got = client(scripted(Reply(text="Answer: 42", usage=USAGE))).chat.completions.create(**ASKED)
    choice = got.choices[0]
    assert (got.object, got.model, choice.index, choice.finish_reason) == (
        "chat.completion",
        "any-name",
        0,
        "stop",
    )
    assert (choice.message.role, choice.message.content) == ("assistant", "Answer: 42")
    assert choice.logprobs is None
    assert (got.usage.prompt_tokens, got.usage.completion_tokens, got.usage.total_tokens) == (5, 9, 14)
    assert got.usage.completion_tokens_details.reasoning_tokens == 4


def test_sends_logprobs_as_openai_does(client):
    got = client(scripted(Reply(tokens=TOKENS))).chat.completions.create(
        **ASKED, logprobs=True, top_logprobs=2
    )
    tokens = got.choices[0].logprobs.content
    assert got.choices[0].message.content == "Answer: 4€"
    assert [token.token for token in tokens] == ["Answer:", " 4", "\\xe2\\x82", "\\xac"]
    assert b"".join(bytes(token.bytes) for token in tokens).decode() == "Answer: 4€"
    assert [(top.token, top.logprob) for top in tokens[1].top_logprobs] == [
        (" 4", math.log(0.5)),
        (" 5", math.log(0.25)),
    ]


def test_streams_each_token_with_its_logprobs(client):
    stream = client(scripted(Reply(tokens=TOKENS))).chat.completions.create(
        **ASKED, logprobs=True, top_logprobs=2, stream=True
    )
    chunks = list(stream)
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Answer: 4€"
    scored = [chunk.choices[0].logprobs.content for chunk in chunks if chunk.choices[0].logprobs]
    assert [len(entries) for entries in scored] == [1, 1, 1, 1]
    assert [entries[0].model_dump() for entries in scored] == logprobs_of(TOKENS, top_logprobs=2)["content"]
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * 5 + ["stop"]
    assert all(chunk.usage is None for chunk in chunks)


def test_streams_the_usage_when_it_is_asked_for(client):
    stream = client(scripted(Reply(text="42", usage=USAGE))).chat.completions.create(
        **ASKED, stream=True, stream_options={"include_usage": True}
    )
    *chunks, last = stream
    assert all(chunk.usage is None for chunk in chunks)
    assert last.choices == []
    assert (last.usage.total_tokens, last.usage.completion_tokens_details.reasoning_tokens) == (14, 4)


def test_sends_thoughts_beside_the_content(client):
    asking = client(scripted(Reply(text="42", reasoning="2 * 21"), cycle=True)).chat.completions
    message = asking.create(**ASKED).choices[0].message
    assert (message.content, message.reasoning_content) == ("42", "2 * 21")
    deltas = [chunk.choices[0].delta for chunk in asking.create(**ASKED, stream=True)]
    assert "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas) == "2 * 21"
    assert "".join(delta.content or "" for delta in deltas) == "42"


def test_sends_a_refusal(client):
    asking = client(scripted(Reply(text="", refusal="No."), cycle=True)).chat.completions
    message = asking.create(**ASKED).choices[0].message
    assert (message.content, message.refusal) == (None, "No.")  # as OpenAI does
    assert "No." in [chunk.choices[0].delta.refusal for chunk in asking.create(**ASKED, stream=True)]


def test_sends_tool_calls(client):
    model = scripted(Reply(tool_calls=[WEATHER]))
    choice = client(model).chat.completions.create(**ASKED, tools=[TOOL], tool_choice="auto").choices[0]
    call = choice.message.tool_calls[0]
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    assert (call.id, call.type, call.function.name) == ("call_7", "function", "weather")
    assert json.loads(call.function.arguments) == {"city": "Rome", "days": 3}
    assert model.calls[0].kwargs["tools"] == [TOOL]
    assert model.calls[0].kwargs["tool_choice"] == "auto"


def test_streams_tool_calls_in_pieces(client):
    second = {"name": "weather", "args": {"city": "Oslo"}, "id": "call_8"}
    model = scripted(Reply(tool_calls=[WEATHER, second]))
    chunks = list(client(model).chat.completions.create(**ASKED, tools=[TOOL], stream=True))
    pieces = [piece for chunk in chunks for piece in chunk.choices[0].delta.tool_calls or []]
    arguments = {index: "".join(p.function.arguments for p in pieces if p.index == index) for index in (0, 1)}
    assert [(p.index, p.id, p.function.name) for p in pieces if p.id] == [
        (0, "call_7", "weather"),
        (1, "call_8", "weather"),
    ]
    assert {index: json.loads(text) for index, text in arguments.items()} == {
        0: WEATHER["args"],
        1: {"city": "Oslo"},
    }
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


def test_tool_choice_none_hides_the_tools(client):
    model = scripted("42")
    client(model).chat.completions.create(**ASKED, tools=[TOOL], tool_choice="none")
    assert "tools" not in model.calls[0].kwargs


def test_tool_results_reach_the_model(client):
    model = scripted("Sunny.")
    call = {
        "id": "call_7",
        "type": "function",
        "function": {"name": "weather", "arguments": '{"city": "Rome"}'},
    }
    conversation = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Weather in Rome?"}]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_7", "content": "3 sunny days"},
    ]
    client(model).chat.completions.create(model="any-name", messages=conversation)
    system, human, ai, result = model.calls[0].messages
    assert [message.type for message in (system, human, ai, result)] == ["system", "human", "ai", "tool"]
    assert ai.tool_calls[0]["args"] == {"city": "Rome"}
    assert (result.tool_call_id, result.text) == ("call_7", "3 sunny days")


def test_gives_as_many_choices_as_are_asked_for(client):
    replies = [Reply(text=text, usage=USAGE) for text in ("a", "b", "c")]
    model = scripted(*replies)
    got = client(model).chat.completions.create(**ASKED, n=3, seed=7)
    assert [(choice.index, choice.message.content) for choice in got.choices] == [
        (0, "a"),
        (1, "b"),
        (2, "c"),
    ]
    assert (got.usage.prompt_tokens, got.usage.completion_tokens, got.usage.total_tokens) == (5, 27, 32)
    assert [call.kwargs["seed"] for call in model.calls] == [7, 8, 9]


def test_streams_as_many_choices_as_are_asked_for(client):
    chunks = client(scripted("a", "b")).chat.completions.create(**ASKED, n=2, stream=True)
    texts = [(chunk.choices[0].index, chunk.choices[0].delta.content) for chunk in chunks]
    assert [(index, text) for index, text in texts if text] == [(0, "a"), (1, "b")]


def test_a_model_without_streaming_is_streamed_in_one_piece(client):
    model = FakeMessagesListChatModel(responses=[AIMessage("40 + 2 is 42", tool_calls=[WEATHER])])
    chunks = list(client(model).chat.completions.create(**ASKED, stream=True))
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["", "40 + 2 is 42", None]
    assert chunks[1].choices[0].delta.tool_calls[0].function.name == "weather"
    assert chunks[2].choices[0].finish_reason == "tool_calls"


class _Recording(BaseChatModel):
    """Declares no setting, takes any, and remembers what came."""

    received: list[dict] = Field(default_factory=list)

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        self.received.append(kwargs)
        return ChatResult(generations=[ChatGeneration(message=AIMessage("42"))])

    @property
    def _llm_type(self):
        return "recording"


class _Strict(_Recording):
    def _generate(self, messages, stop=None, run_manager=None):
        return super()._generate(messages)


SETTINGS = {"temperature": 0.5, "seed": 3, "logprobs": True, "top_logprobs": 4, "reasoning_effort": "high"}


def test_common_settings_reach_a_model_that_declares_none(client):
    model = _Recording()
    client(model).chat.completions.create(**ASKED, **SETTINGS, response_format={"type": "json_object"})
    assert model.received == [{"temperature": 0.5, "seed": 3, "logprobs": True, "top_logprobs": 4}]


def test_no_setting_reaches_a_model_that_takes_none(client):
    model = _Strict()
    assert client(model).chat.completions.create(**ASKED, **SETTINGS).choices[0].message.content == "42"
    assert model.received == [{}]


def test_passes_on_what_the_model_declares(client):
    model = scripted("42")
    client(model).chat.completions.create(
        **ASKED,
        temperature=0.5,
        seed=3,
        max_completion_tokens=20,
        stop="\n",
        reasoning_effort="high",
        logprobs=True,
        top_logprobs=4,
        response_format={"type": "json_object"},
        user="someone",
        top_p=0.5,
        extra_body={"thinking": "on"},
    )
    assert model.calls[0].kwargs == {
        "temperature": 0.5,
        "top_p": 0.5,
        "seed": 3,
        "max_tokens": 20,
        "stop": ["\n"],
        "reasoning_effort": "high",
        "logprobs": True,
        "top_logprobs": 4,
        "response_format": {"type": "json_object"},
        "thinking": "on",
    }


def test_a_null_setting_counts_as_left_out(serve):
    model = scripted("42")
    status, _ = post(serve(model).base_url, {**ASKED, "temperature": None, "logprobs": None, "tools": None})
    assert (status, model.calls[0].kwargs) == (200, {})


def test_lists_its_model(client, serve):
    assert [model.id for model in client(scripted()).models.list()] == ["adaptive-reasoner-embedded"]
    named = serve(scripted(), model_name="tiny").base_url
    assert send(named, "GET", "/v1/models/tiny")[1]["id"] == "tiny"


def test_keeps_the_bodies_that_it_received():
    with (
        serve_openai(scripted("a", "b")) as endpoint,
        openai.OpenAI(base_url=endpoint.base_url, api_key="x") as asking,
    ):
        asking.chat.completions.create(**ASKED)
        asking.chat.completions.create(**ASKED, seed=1)
    assert endpoint.requests == [ASKED, {**ASKED, "seed": 1}]


async def test_serves_the_asynchronous_client(serve):
    model = scripted(Reply(tokens=TOKENS), Reply(tokens=TOKENS), Reply(tool_calls=[WEATHER]))
    async with openai.AsyncOpenAI(base_url=serve(model).base_url, api_key="x", max_retries=0) as asking:
        plain = await asking.chat.completions.create(**ASKED, logprobs=True, top_logprobs=2)
        stream = await asking.chat.completions.create(
            **ASKED, logprobs=True, top_logprobs=2, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
        called = await asking.chat.completions.create(**ASKED, tools=[TOOL])
    streamed = [
        entry
        for chunk in chunks
        for choice in chunk.choices
        if choice.logprobs
        for entry in choice.logprobs.content
    ]
    assert streamed == plain.choices[0].logprobs.content
    assert chunks[-1].usage == plain.usage
    assert called.choices[0].message.tool_calls[0].function.name == "weather"


def test_answers_many_clients_at_once(client):
    model = scripted(lambda call: Reply(text=call.messages[-1].text, delay_seconds=0.2), cycle=True)
    asking = client(model)

    def ask(number):
        got = asking.chat.completions.create(model="m", messages=[{"role": "user", "content": str(number)}])
        return got.choices[0].message.content

    started = time.monotonic()
    with ThreadPoolExecutor(32) as pool:
        assert list(pool.map(ask, range(32))) == [str(number) for number in range(32)]
    assert time.monotonic() - started < 4  # one after the other: 6.4 s


# --- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"{", "could not parse the JSON"),
        (b"\xff", "could not parse the JSON"),
        (b"[]", "must be an object"),
        ({"model": "m"}, "provide a 'messages'"),
        ({"messages": ASKED["messages"]}, "provide a 'model'"),
        ({**ASKED, "messages": []}, "'messages': it must be a non-empty list"),
        ({**ASKED, "messages": ["hi"]}, "every message must be an object"),
        ({**ASKED, "messages": [{"role": "nobody", "content": "hi"}]}, "'messages'"),
        ({**ASKED, "messages": [{"content": "hi"}]}, "'messages'"),
        ({**ASKED, "messages": [{"role": "tool", "content": "hi"}]}, "'messages'"),
        ({**ASKED, "messages": [{"role": "assistant", "tool_calls": [{"id": "1"}]}]}, "'messages'"),
        ({**ASKED, "messages": [{"role": "user", "content": 5}]}, "'messages'"),
        ({**ASKED, "stream": "yes"}, "'stream': it must be true or false"),
        ({**ASKED, "temperature": 3}, "'temperature': it must be a number from 0 to 2"),
        ({**ASKED, "top_logprobs": 2}, "'top_logprobs' needs 'logprobs'"),
        (
            {**ASKED, "logprobs": True, "top_logprobs": 21},
            "'top_logprobs': it must be a whole number from 0 to 20",
        ),
        ({**ASKED, "n": 0}, "'n': it must be a whole number from 1 to 128"),
        ({**ASKED, "max_tokens": True}, "'max_tokens': it must be a whole number"),
        ({**ASKED, "stop": ["a", "b", "c", "d", "e"]}, "'stop': it must be a string or up to 4"),
        ({**ASKED, "stop": 5}, "'stop': it must be"),
    ],
)
def test_refuses_a_bad_request_with_what_to_change(serve, body, complaint):
    model = scripted()
    status, answer = post(serve(model).base_url, body)
    assert status == 400
    assert complaint in answer["error"]["message"]
    assert answer["error"]["type"] == "invalid_request_error"
    assert answer["error"]["code"] == "invalid_request"
    assert model.calls == []


def test_refuses_a_body_of_unknown_length(serve):
    status, answer = send(
        serve(scripted()).base_url,
        "POST",
        "/v1/chat/completions",
        iter([b"{}"]),
        {"Transfer-Encoding": "chunked"},
    )
    assert (status, answer["error"]["message"]) == (411, "The request needs a Content-Length header.")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("GET", "/v1/models/other"), ("POST", "/v1/embeddings")]
)
def test_does_not_know_other_paths(serve, method, path):
    status, answer = send(serve(scripted()).base_url, method, path, "{}" if method == "POST" else None)
    assert (status, answer["error"]["message"]) == (404, f"Unknown request URL: {method} {path}.")


FAILURES = [
    (ContextWindowExceededError("128 tokens are too many."), 400, "context_window_exceeded"),
    (ModelTimeoutError("Nothing within 2 s."), 502, "model_timeout"),
    (ConnectionError("refused"), 502, None),
    (KeyError("lost"), 502, None),
    (
        EndpointError("Slow down.", status_code=429, error_code="rate_limit_exceeded"),
        429,
        "rate_limit_exceeded",
    ),
    (EndpointError("Who are you?", status_code=401, error_code="invalid_api_key"), 401, "invalid_api_key"),
]


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize(("failure", "status", "code"), FAILURES, ids=lambda value: type(value).__name__)
def test_a_failing_model_gives_an_error_status(client, failure, status, code, streams):
    with pytest.raises(openai.APIStatusError) as caught:
        client(scripted(failure)).chat.completions.create(**ASKED, stream=streams)
    assert (caught.value.status_code, caught.value.code) == (status, code)
    assert str(failure) in caught.value.message


def test_an_exhausted_script_is_told_as_such(client):
    with pytest.raises(openai.InternalServerError, match="add a step") as caught:
        client(scripted()).chat.completions.create(**ASKED)
    assert (caught.value.status_code, caught.value.code) == (500, "unexpected_call")


def test_a_model_that_cannot_bind_tools_is_a_bad_request(client):
    with pytest.raises(openai.BadRequestError):
        client(FakeListChatModel(responses=["42"])).chat.completions.create(**ASKED, tools=[TOOL])


def test_a_failure_inside_a_stream_is_told_inside_it(client):
    model = FakeListChatModel(responses=["abcdef"], error_on_chunk_number=3)
    stream = client(model).chat.completions.create(**ASKED, stream=True)
    seen = []
    with pytest.raises(openai.APIError, match="FakeListChatModelError"):
        seen.extend(chunk.choices[0].delta.content for chunk in stream)


# --- coming and going ---------------------------------------------------------------------------


def test_nothing_listens_any_more_after_the_block():
    before = threading.active_count()
    with serve_openai(scripted("42")) as endpoint:
        post(endpoint.base_url, ASKED)
    parts = urlsplit(endpoint.base_url)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((parts.hostname, parts.port), timeout=1)
    deadline = time.monotonic() + 2
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before


def test_leaves_no_socket_open():
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        with serve_openai(scripted("42")) as endpoint:
            post(endpoint.base_url, ASKED)
        gc.collect()


def test_stops_at_once_while_a_model_is_still_answering():
    model = scripted(Reply(text="late", delay_seconds=1.0))
    with serve_openai(model) as endpoint:
        asking = threading.Thread(target=post, args=(endpoint.base_url, ASKED))
        asking.start()
        while not model.calls:
            time.sleep(0.005)
        started = time.monotonic()
    assert time.monotonic() - started < 0.8
    asking.join()


def test_a_client_that_hangs_up_leaves_the_endpoint_serving(serve, capfd):
    def slow(call):
        return Reply(text=" ".join(["word"] * 20_000))

    endpoint = serve(scripted(slow, "42"))
    parts = urlsplit(endpoint.base_url)
    raw = json.dumps({**ASKED, "stream": True}).encode()
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as leaving:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(raw)}\r\n\r\n"
        leaving.sendall(head.encode() + raw)
        leaving.recv(100)
    status, answer = post(endpoint.base_url, ASKED)
    assert (status, answer["choices"][0]["message"]["content"]) == (200, "42")
    assert capfd.readouterr().err == ""


def test_takes_a_given_port():
    with serve_openai(scripted()) as first:
        taken = urlsplit(first.base_url).port
        with pytest.raises(OSError, match="in use"), serve_openai(scripted(), port=taken):
            pass
    with serve_openai(scripted(), port=taken) as again:
        assert again.base_url == f"http://127.0.0.1:{taken}/v1"


async def test_can_be_used_inside_an_event_loop():
    with serve_openai(scripted("42")) as endpoint:
        status, _ = await asyncio.to_thread(post, endpoint.base_url, ASKED)
    assert status == 200
