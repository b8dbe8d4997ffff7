"""A thinking budget in two calls, against a server that continues what it is given, as vLLM does."""

import asyncio

import pytest
from langchain_openai import ChatOpenAI

from adaptive_reasoner import build_reasoning_graph
from adaptive_reasoner.testing import Reply, ScriptedChatModel
from adaptive_reasoner.thinking import keep_thoughts, settle_call, thinking_kwargs, thinking_took_effect
from adaptive_reasoner.thinking.continuation import CLOSING, HANDED_OVER
from adaptive_reasoner.uncertainty import parse_response

PREFIX = f"<think>\nTwo and\n\n{CLOSING}\n</think>\n\n"
OFF = {"enable_thinking": False}
MESSAGES = [{"role": "user", "content": "2 + 2 = ?"}]


def entries(*tokens):
    return {
        "content": [{"token": token, "logprob": -0.1, "bytes": None, "top_logprobs": []} for token in tokens]
    }


def completion(content, *, finish="stop", tokens=(5, 3), logprobs=None, **fields):
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}
    message = {"role": "assistant", "content": content, **fields}
    choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": logprobs}
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [choice],
        "usage": usage,
    }


def events(content):
    delta = {"index": 0, "delta": {"content": content}, "finish_reason": "stop"}
    head = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m"}
    usage = {"prompt_tokens": 30, "completion_tokens": 2, "total_tokens": 32}
    return [{**head, "choices": [delta]}, {**head, "choices": [], "usage": usage}]


def serving(provider, first, second=None):
    """The server: `first` for a fresh question, `second` for one whose answer has begun."""
    second = second or completion("4", tokens=(30, 2))

    def answer(body):
        if not body.get("continue_final_message"):
            return first
        return events("4") if body.get("stream") else second

    provider.answers["/v1/chat/completions"] = answer


def budgeted(provider, tokens=8, **others):
    model = ChatOpenAI(model="Qwen/Qwen3-8B", base_url=f"{provider.url}/v1", api_key="x", max_retries=0)
    kwargs = {**thinking_kwargs(model, {"budget_tokens": tokens}), **others}
    return settle_call(keep_thoughts(model), kwargs)


@pytest.mark.parametrize(
    "first",
    [
        completion("<think>\nTwo and", finish="length"),
        completion("Two and", finish="length"),  # the template had opened the thought already
        completion(None, finish="length", reasoning_content="Two and"),  # the server has a parser
        completion("", finish="length", reasoning="Two and"),
    ],
)
@pytest.mark.parametrize("is_async", [False, True])
def test_a_thought_that_was_cut_off_is_closed_and_continued(provider, first, is_async):
    serving(provider, first)
    model, kwargs = budgeted(provider)
    message = asyncio.run(model.ainvoke(MESSAGES, **kwargs)) if is_async else model.invoke(MESSAGES, **kwargs)
    assert (str(message.text), message.additional_kwargs["reasoning_content"]) == ("4", "Two and")
    one, two = provider.bodies
    assert one["chat_template_kwargs"] == {"enable_thinking": True}
    assert (one["max_tokens"], one["max_completion_tokens"]) == (8, 8)
    assert two["messages"] == [*MESSAGES, {"role": "assistant", "content": PREFIX}]
    assert (two["add_generation_prompt"], two["continue_final_message"]) == (False, True)
    assert two["chat_template_kwargs"] == OFF  # llama.cpp refuses to continue otherwise
    assert "max_tokens" not in two
    usage = message.usage_metadata
    assert (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) == (35, 5, 40)
    assert usage["output_token_details"] == {"reasoning": 3}
    assert thinking_took_effect(message, {"budget_tokens": 8}).took


def test_a_model_that_was_done_in_time_is_called_once(provider):
    serving(provider, completion("<think>\nTwo and two.\n</think>\n\n4"))
    model, kwargs = budgeted(provider, 50)
    assert str(model.invoke(MESSAGES, **kwargs).text).endswith("4")
    assert len(provider.bodies) == 1


@pytest.mark.parametrize(
    "first",
    [
        completion("<think>\nTwo and two.\n</think>\n\nIt is ", finish="length"),
        completion("It is ", finish="length", reasoning_content="\nTwo and two.\n"),
    ],
)
def test_an_answer_that_was_cut_off_goes_on_where_it_stopped(provider, first):
    serving(provider, first)
    model, kwargs = budgeted(provider)
    assert str(model.invoke(MESSAGES, **kwargs).text) == "It is 4"
    assert provider.bodies[1]["messages"][1]["content"] == "<think>\nTwo and two.\n</think>\n\nIt is "


@pytest.mark.parametrize(
    "second",
    [completion(f"{PREFIX}4"), completion(None, reasoning_content="4")],
    ids=["a server that repeats", "a parser that takes the answer for a thought"],
)
def test_odd_continuations_are_understood(provider, second):
    serving(provider, completion("<think>\nTwo and", finish="length"), second)
    model, kwargs = budgeted(provider)
    assert str(model.invoke(MESSAGES, **kwargs).text) == "4"


@pytest.mark.parametrize(
    ("most", "first", "second"),
    [(100, 8, 97), (8, 6, 5)],  # the first call took 3 tokens; a quarter is left for the answer
)
def test_both_calls_keep_within_one_limit(provider, most, first, second):
    serving(provider, completion("<think>\nTwo and", finish="length"))
    model, kwargs = budgeted(provider, max_tokens=most)
    model.invoke(MESSAGES, **kwargs)
    assert [body["max_tokens"] for body in provider.bodies] == [first, second]


def test_nothing_is_continued_where_no_tokens_are_left(provider):
    serving(provider, completion("<think>\nTwo and", finish="length", tokens=(5, 8)))
    model, kwargs = budgeted(provider, max_tokens=8)
    model.invoke(MESSAGES, **kwargs)
    assert len(provider.bodies) == 1


def test_calls_of_tools_end_the_matter(provider):
    call = {"id": "1", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    serving(provider, completion(None, finish="length", tool_calls=[call]))
    model, kwargs = budgeted(provider)
    assert model.invoke(MESSAGES, **kwargs).tool_calls[0]["name"] == "add"
    assert len(provider.bodies) == 1


@pytest.mark.parametrize(
    ("first", "tokens"),
    [
        (completion("<think>Hm", finish="length", logprobs=entries("<think>", "Hm")), ["4"]),
        (
            completion(
                "<think>Hm</think>\n\nIt is ",
                finish="length",
                logprobs=entries("<think>", "Hm", "</think>", "\n\n", "It", " is", " "),
            ),
            ["<think>", "Hm", "</think>", "\n\n", "It", " is", " ", "4"],
        ),
    ],
    ids=["of a thought that was cut off they are left out", "of an answer that was cut off they are kept"],
)
def test_log_probabilities_belong_to_the_answer(provider, first, tokens):
    serving(provider, first, completion("4", logprobs=entries("4")))
    model, kwargs = budgeted(provider, logprobs=True)
    message = model.invoke(MESSAGES, **kwargs)
    assert [entry["token"] for entry in message.response_metadata["logprobs"]["content"]] == tokens
    assert parse_response(message).trusted
    assert message.response_metadata["finish_reason"] == "stop"


def test_a_stream_of_one_call_loses_nothing(provider):
    serving(provider, completion("4", logprobs=entries("4")))
    model, kwargs = budgeted(provider, 50)
    (chunk, *rest) = [chunk for chunk in model.stream(MESSAGES, **kwargs) if chunk.text]
    assert not rest
    metadata = chunk.response_metadata
    assert (metadata["finish_reason"], metadata["model_name"]) == ("stop", "m")
    assert [entry["token"] for entry in metadata["logprobs"]["content"]] == ["4"]


@pytest.mark.parametrize("is_async", [False, True])
def test_the_answer_streams_after_the_thought(provider, is_async):
    serving(provider, completion("<think>\nTwo and", finish="length"))
    model, kwargs = budgeted(provider)

    async def acollect():
        return [chunk async for chunk in model.astream(MESSAGES, **kwargs)]

    chunks = asyncio.run(acollect()) if is_async else list(model.stream(MESSAGES, **kwargs))
    assert chunks[0].additional_kwargs["reasoning_content"] == "Two and"
    assert [str(chunk.text) for chunk in chunks if chunk.text] == ["4"]
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    assert whole.usage_metadata["total_tokens"] == 40


@pytest.mark.parametrize("is_streamed", [False, True])
def test_the_graph_counts_both_calls(serve, is_streamed):
    cut = {"input_tokens": 10, "output_tokens": 6, "total_tokens": 16}
    rest = {"input_tokens": 40, "output_tokens": 1, "total_tokens": 41}
    script = ScriptedChatModel(
        [
            Reply(text="<think>\nTwo and", finish_reason="length", usage=cut),
            Reply(text="4", usage=rest),
        ]
    )
    endpoint = serve(script)
    model = ChatOpenAI(
        model="Qwen/Qwen3-8B", base_url=endpoint.base_url, api_key="x", max_retries=0, use_responses_api=False
    )
    graph = build_reasoning_graph(model)
    question = {"messages": [("user", "2 + 2 = ?")]}
    context = {"thinking": {"budget_tokens": 6}, "importance": "high"}
    if is_streamed:
        parts = list(graph.stream(question, context=context, stream_mode=["messages", "values"]))
        result = parts[-1][1]
    else:
        result = graph.invoke(question, context=context)
    assert str(result["messages"][-1].text) == "4"
    only = result["reasoning"]["rounds"][0]
    assert only["node"] == "deep_think"
    assert (only["usage"]["input_tokens"], only["usage"]["output_tokens"]) == (50, 7)
    assert only["usage"]["reasoning_tokens"] == 6
    assert "thinking" not in only
    assert [request.get("continue_final_message") for request in endpoint.requests] == [None, True]


@pytest.mark.parametrize(
    ("name", "key", "first", "thought"),
    [
        ("granite-3.3-8b-instruct", "thinking", "Here is my thought process: Two and", "Two and"),
        ("deepseek-ai/DeepSeek-V3.1", "thinking", "Two and", "Two and"),  # its template opens the thought
        ("zai-org/GLM-4.6", "enable_thinking", "<think>Two and", "Two and"),
        ("google/gemma-4-31b-it", "enable_thinking", "<|channel>thought\nTwo and", "Two and"),
        ("zai-org/GLM-4.6", "enable_thinking", "<think>Two and two.</think>It is", "Two and two."),
    ],
)
@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_where_nothing_can_be_continued_the_thought_is_handed_over(provider, name, key, first, thought, way):
    def answer(body):
        if len(body["messages"]) == 1:
            return completion(first, finish="length", tokens=(5, 8))
        return events("4") if body.get("stream") else completion("4", tokens=(30, 2))

    provider.answers["/v1/chat/completions"] = answer
    model = ChatOpenAI(model=name, base_url=f"{provider.url}/v1", api_key="x", max_retries=0)
    model, kwargs = settle_call(keep_thoughts(model), thinking_kwargs(model, {"budget_tokens": 8}))
    if way == "invoke":
        message = model.invoke(MESSAGES, **kwargs)
    else:
        message, *rest = list(model.stream(MESSAGES, **kwargs))
        for chunk in rest:
            message += chunk
    assert (str(message.text), message.additional_kwargs["reasoning_content"]) == ("4", thought)
    assert message.usage_metadata["output_tokens"] == 10
    one, two = provider.bodies
    assert (one["chat_template_kwargs"], two["chat_template_kwargs"]) == ({key: True}, {key: False})
    assert one["max_tokens"] == 8
    assert [said["content"] for said in two["messages"][1:]] == [thought, HANDED_OVER]
    assert "continue_final_message" not in two


def test_a_model_that_always_thinks_is_continued_where_its_template_allows(provider):
    serving(provider, completion("Two and", finish="length"))
    model = ChatOpenAI(
        model="Qwen/Qwen3-4B-Thinking-2507", base_url=f"{provider.url}/v1", api_key="x", max_retries=0
    )
    model, kwargs = settle_call(keep_thoughts(model), thinking_kwargs(model, {"budget_tokens": 8}))
    assert str(model.invoke(MESSAGES, **kwargs).text) == "4"
    assert provider.bodies[1]["messages"][-1]["content"] == PREFIX
    assert "chat_template_kwargs" not in provider.bodies[1]
