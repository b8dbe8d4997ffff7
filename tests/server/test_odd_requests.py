"""Requests that are JSON and hold what no store keeps: refused with 400, never a 500."""

import pytest
from served import body_of, http_of, served, sure

from adaptive_reasoner.server.wire.plain_json import problem_of
from adaptive_reasoner.server.wire.request_rules import EXAMPLES
from adaptive_reasoner.server.wire.requests import ChatCompletionRequest
from adaptive_reasoner.testing import Reply, ScriptedChatModel

COMPLETIONS = "/v1/chat/completions"
ODD_NUMBERS = (str(2**64), str(-(2**63) - 1), "1e999", "NaN", "[" * 70 + "]" * 70)


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "is_kept"),
    [
        (2**64 - 1, True),
        (2**64, False),
        (-(2**63), True),
        (-(2**63) - 1, False),
        (float("inf"), False),
        (True, True),
        ({"a": [1, {"b": float("nan")}]}, False),
        (nested(63), True),
        (nested(5000), False),
    ],
)
def test_numbers_beyond_64_bits_or_finiteness_and_depths_are_problems(value, is_kept):
    assert (problem_of(value) is None) == is_kept


@pytest.mark.parametrize("odd", ODD_NUMBERS)
def test_a_part_that_cannot_be_kept_is_refused(odd):
    raw = (
        '{"model":"adaptive","messages":[{"role":"user","content":[{"type":"text","text":"?","x":ODD}]}],'
        '"adaptive_reasoning":{"thread_id":"t"}}'
    )
    with served(sure()) as server, http_of(server) as http:
        answer = http.post(
            COMPLETIONS, content=raw.replace("ODD", odd), headers={"content-type": "application/json"}
        )
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "messages")
        assert http.get("/v1/threads/t").status_code == 404


@pytest.mark.parametrize("odd", ODD_NUMBERS)
def test_arguments_of_an_earlier_call_that_cannot_be_kept_are_refused(odd):
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"x": ' + odd + "}"}}
    messages = [
        {"role": "user", "content": "?"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "content": "1", "tool_call_id": "c"},
    ]
    with served(sure()) as server, http_of(server) as http:
        body = {"model": "adaptive", "messages": messages, "metadata": {"thread_id": "t"}}
        assert http.post(COMPLETIONS, json=body).status_code == 400


def test_an_edited_call_that_cannot_be_kept_is_refused():
    call = {"name": "f", "args": {"x": 1}}
    model = ScriptedChatModel([Reply(tool_calls=[call], probability=0.4)], cycle=True)
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    with served(model, policy={"review": "low_confidence"}) as server, http_of(server) as http:
        waiting = http.post(COMPLETIONS, json=body_of(tools=tools)).json()
        path = f"/v1/reviews/{waiting['adaptive_reasoning']['review']['id']}/edit"
        edited = http.post(path, json={"tool_calls": [{"name": "f", "args": {"x": 2**70}}]})
        assert edited.status_code == 400
        assert http.get(path.removesuffix("/edit")).json()["status"] == "pending"


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_the_document_is_answered(example):
    ChatCompletionRequest.model_validate(example)
    with served(sure()) as server, http_of(server) as http:
        answer = http.post(COMPLETIONS, json=example)
        assert answer.status_code == 200
