"""LiteLLM's proxy in front of the server, and behind it: its own process, its own environment.

`ADAPTIVE_REASONER_LITELLM` names its command, such as `…/bin/litellm`; without it these tests are skipped.
"""

import json
import os
import socket
import subprocess
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import httpx
import pytest
from langchain_openai import ChatOpenAI
from openai import OpenAI
from pydantic import BaseModel
from served import served

from adaptive_reasoner.testing import Reply, ScriptedChatModel, serve_openai

COMMAND = os.environ.get("ADAPTIVE_REASONER_LITELLM", "")
START_SECONDS = 300  # a busy machine takes minutes to import it
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not COMMAND, reason="ADAPTIVE_REASONER_LITELLM names no litellm command"),
]

QUESTION = [{"role": "user", "content": "How many pens?"}]
TOKENS = [("Answer", 0.999), (": ", 0.999), ("12", 0.99, [("13", 0.01)])]
CALLS = [
    {"name": "look", "args": {"at": {"shelf": place}}, "id": f"call_{place}"} for place in ("left", "right")
]
LOOK = {
    "type": "function",
    "function": {
        "name": "look",
        "parameters": {"type": "object", "properties": {"at": {"type": "object"}}, "required": ["at"]},
    },
}


class Shelf(BaseModel):
    side: str
    pens: list[int]


def answering():
    """A model that calls where it is offered a tool, keeps to a schema where it is given one, and else answers."""

    def reply(call):
        if call.kwargs.get("tools"):
            return Reply(tool_calls=CALLS, probability=0.999)
        if call.kwargs.get("response_format"):
            return Reply(text=json.dumps({"side": "left", "pens": [7, 5]}), probability=0.999)
        return Reply(tokens=TOKENS)

    return ScriptedChatModel([reply], cycle=True, logprobs_in_chunks=True)


@contextmanager
def litellm(base_url: str, names: dict[str, str], folder) -> Generator[str]:
    """LiteLLM's proxy before `base_url`; gives its own base URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    models = [
        {
            "model_name": ours,
            "litellm_params": {"model": f"openai/{theirs}", "api_base": base_url, "api_key": "none"},
        }
        for ours, theirs in names.items()
    ]
    config = folder / "litellm.yaml"
    config.write_text(json.dumps({"model_list": models}))  # JSON is YAML
    environment = {
        **os.environ,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
    }
    command = [COMMAND, "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "litellm.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder)
    try:
        _wait_for(f"http://127.0.0.1:{port}/health/liveliness", process)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(url: str, process) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(url, timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.3)
    pytest.fail("LiteLLM's proxy did not start")


@dataclass(frozen=True)
class Chain:
    """A way through both servers: the client at its front, and the scripted model at its end."""

    client: OpenAI
    model: ScriptedChatModel
    is_in_front: bool


@pytest.fixture(scope="module", params=["in front", "behind"])
def chain(request, tmp_path_factory) -> Iterator[Chain]:
    folder, model = tmp_path_factory.mktemp("litellm"), answering()
    with ExitStack() as stack:
        if request.param == "in front":
            url = stack.enter_context(served(model)).base_url
            url = stack.enter_context(litellm(url, {"adaptive": "adaptive"}, folder))
        else:
            url = stack.enter_context(serve_openai(model)).base_url
            url = stack.enter_context(litellm(url, {"small": "small"}, folder))
            upstream = ChatOpenAI(model="small", base_url=url, api_key="none", max_retries=0)
            url = stack.enter_context(served(upstream)).base_url
        client = stack.enter_context(OpenAI(base_url=url, api_key="none", max_retries=0))
        yield Chain(client, model, request.param == "in front")


def test_a_plain_answer_with_its_report(chain):
    completion = chain.client.chat.completions.create(model="adaptive", messages=QUESTION)
    assert completion.choices[0].message.content == "Answer: 12"
    assert completion.usage.completion_tokens > 0
    if not chain.is_in_front:  # what LiteLLM does not know it may leave out
        assert completion.adaptive_reasoning["rounds"][0]["signal"]["kind"] == "logprobs"


def test_a_stream_with_usage(chain):
    options = {"model": "adaptive", "messages": QUESTION, "stream_options": {"include_usage": True}}
    chunks = list(chain.client.chat.completions.create(**options, stream=True))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "Answer: 12"
    assert any(chunk.usage and chunk.usage.completion_tokens for chunk in chunks)


@pytest.mark.parametrize("is_streamed", [False, True])
def test_parallel_tool_calls(chain, is_streamed):
    options = {"model": "adaptive", "messages": QUESTION, "tools": [LOOK]}
    if is_streamed:
        with chain.client.chat.completions.stream(**options) as stream:
            completion = stream.get_final_completion()
    else:
        completion = chain.client.chat.completions.create(**options)
    calls = completion.choices[0].message.tool_calls
    assert [json.loads(call.function.arguments)["at"]["shelf"] for call in calls] == ["left", "right"]
    assert completion.choices[0].finish_reason == "tool_calls"


def test_nested_schemas(chain):
    completion = chain.client.chat.completions.parse(
        model="adaptive", messages=QUESTION, response_format=Shelf
    )
    assert completion.choices[0].message.parsed == Shelf(side="left", pens=[7, 5])


def test_log_probabilities(chain):
    options = {"model": "adaptive", "messages": QUESTION, "logprobs": True, "top_logprobs": 2}
    logprobs = chain.client.chat.completions.create(**options).choices[0].logprobs
    assert [entry.token for entry in logprobs.content] == ["Answer", ": ", "12"]
    assert [one.token for one in logprobs.content[2].top_logprobs] == ["12", "13"]


def test_several_choices(chain):
    completion = chain.client.chat.completions.create(model="adaptive", messages=QUESTION, n=2)
    assert [choice.message.content for choice in completion.choices] == ["Answer: 12"] * 2


def test_settings_reach_the_model(chain):
    chain.client.chat.completions.create(
        model="adaptive", messages=QUESTION, temperature=0.3, seed=11, stop=["END"], max_tokens=40
    )
    kwargs = chain.model.calls[-1].kwargs
    assert (kwargs["temperature"], kwargs["seed"], kwargs["max_tokens"], kwargs["stop"]) == (
        0.3,
        11,
        40,
        ["END"],
    )


def test_an_unknown_model_is_not_found(chain):
    with pytest.raises(Exception, match="nobody") as wrong:
        chain.client.chat.completions.create(model="nobody", messages=QUESTION)
    assert wrong.value.status_code in (400, 404)


def test_a_model_name_that_is_served(chain):
    assert "adaptive" in [model.id for model in chain.client.models.list()]
