"""The embedded model behind the endpoint, asked by the real openai client and by ChatOpenAI."""

import openai
import pytest

from adaptive_reasoner import EmbeddedChatModel

QUESTION = {
    "model": "adaptive-reasoner-embedded",
    "messages": [{"role": "user", "content": "What is 17 + 25?"}],
}

pytestmark = pytest.mark.usefixtures("shipped_weights")


@pytest.fixture
def client(serve):
    with openai.OpenAI(base_url=serve(EmbeddedChatModel()).base_url, api_key="x", max_retries=0) as asking:
        yield asking


@pytest.fixture
def expected():
    """What the model answers in this process, without thinking."""
    return EmbeddedChatModel().invoke("What is 17 + 25?").text


def joined(tokens):
    return b"".join(bytes(token.bytes) for token in tokens).decode()


def test_answers_with_logprobs_of_every_visible_token(client, expected):
    choice = client.chat.completions.create(**QUESTION, logprobs=True, top_logprobs=20).choices[0]
    assert choice.message.content == expected
    assert joined(choice.logprobs.content) == expected
    assert {len(token.top_logprobs) for token in choice.logprobs.content} == {20}
    assert choice.finish_reason == "stop"


def test_streams_the_same_answer_with_the_same_logprobs(client, expected):
    asked = {**QUESTION, "logprobs": True, "top_logprobs": 5}
    plain = client.chat.completions.create(**asked)
    chunks = list(
        client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True})
    )
    scored = [chunk.choices[0].logprobs.content for chunk in chunks[:-1] if chunk.choices[0].logprobs]
    assert len(scored) > 1
    assert [token for tokens in scored for token in tokens] == plain.choices[0].logprobs.content
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1]) == expected
    assert chunks[-1].usage == plain.usage


def test_reasoning_effort_switches_thinking(client, expected):
    fast = client.chat.completions.create(**QUESTION, reasoning_effort="none")
    deep = client.chat.completions.create(**QUESTION, reasoning_effort="high")
    assert not hasattr(fast.choices[0].message, "reasoning_content")
    assert fast.usage.completion_tokens_details.reasoning_tokens == 0
    assert fast.choices[0].message.content == expected
    assert deep.choices[0].message.reasoning_content
    assert deep.choices[0].message.content
    assert deep.usage.completion_tokens_details.reasoning_tokens > 0
    assert deep.usage.completion_tokens > fast.usage.completion_tokens


def test_max_tokens_and_stop_hold(client):
    cut = client.chat.completions.create(**QUESTION, max_completion_tokens=1).choices[0]
    stopped = client.chat.completions.create(**QUESTION, stop=":").choices[0]
    assert cut.finish_reason == "length"
    assert stopped.message.content == "Answer"


def test_a_bad_effort_is_a_bad_request(client):
    with pytest.raises(openai.BadRequestError, match="use one of") as caught:
        client.chat.completions.create(**QUESTION, reasoning_effort="enormous")
    assert caught.value.code == "invalid_configuration"


def test_too_long_a_conversation_is_a_bad_request(client):
    long = [{"role": "user", "content": "What is 17 + 25? " * 60_000}]
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="adaptive-reasoner-embedded", messages=long)
    assert caught.value.code == "context_window_exceeded"


@pytest.mark.parametrize("streaming", [False, True])
def test_chat_openai_gets_what_the_model_gives_in_process(chat_openai, streaming):
    inside = EmbeddedChatModel(logprobs=True, top_logprobs=5).invoke("What is 17 + 25?")
    outside = chat_openai(EmbeddedChatModel(), streaming=streaming).invoke("What is 17 + 25?")
    assert outside.text == inside.text
    assert outside.response_metadata["logprobs"]["content"] == inside.response_metadata["logprobs"]["content"]
    for count in ("input_tokens", "output_tokens", "total_tokens"):
        assert outside.usage_metadata[count] == inside.usage_metadata[count]
