"""Which calls go to the Responses API, how they are put, and what is read from what comes back."""

import openai
import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_openai import ChatOpenAI
from openai.types.responses import Response

from adaptive_reasoner.nodes.responses_logprobs import (
    LOGPROBS,
    Seen,
    goes_to_responses_api,
    prepare_call,
)
from adaptive_reasoner.testing import Reply, ScriptedChatModel

ASKED = {"logprobs": True, "top_logprobs": 3}
TOOLS = {"tools": [{"type": "function", "function": {"name": "weather", "parameters": {}}}]}


def chat(**fields):
    return ChatOpenAI(**{"model": "gpt-4.1-mini", "api_key": "not-used", **fields})


@pytest.mark.parametrize(
    ("fields", "kwargs", "goes"),
    [
        ({}, {}, False),
        ({}, ASKED | TOOLS, False),
        ({}, {"include": [LOGPROBS]}, True),
        ({}, {"reasoning": {"effort": "low"}}, True),
        ({}, {"tools": [{"type": "web_search"}]}, True),
        ({"use_responses_api": True}, {}, True),
        ({"use_responses_api": False, "include": [LOGPROBS]}, {}, False),
        ({"output_version": "responses/v1"}, {}, True),
        ({"model": "gpt-5.1-codex"}, {}, True),
        ({"model": "gpt-5-pro"}, {}, True),
        ({"model": "gpt-6-luna"}, {}, False),
        ({"model": "gpt-6-luna"}, TOOLS, True),
    ],
    ids=str,
)
def test_knows_which_api_langchain_chooses(fields, kwargs, goes):
    assert goes_to_responses_api(chat(**fields), kwargs) is goes


def test_other_models_have_no_responses_api():
    model = FakeListChatModel(responses=["42"])
    call = prepare_call(model, ASKED)
    assert not goes_to_responses_api(model, ASKED)
    assert (call.model, call.kwargs) == (model, ASKED)


@pytest.mark.parametrize(
    ("fields", "kwargs", "sent"),
    [
        ({}, ASKED, {"top_logprobs": 3, "include": [LOGPROBS]}),
        ({"logprobs": True}, {}, {"include": [LOGPROBS]}),
        ({"logprobs": True}, {"logprobs": False}, {}),
        ({}, {"max_tokens": 9}, {"max_tokens": 9}),
        (
            {"include": ["reasoning.encrypted_content"]},
            ASKED,
            {"include": ["reasoning.encrypted_content", LOGPROBS]},
        ),
        ({}, ASKED | {"include": [LOGPROBS]}, {"include": [LOGPROBS]}),
    ],
    ids=str,
)
def test_asks_in_the_apis_own_words(fields, kwargs, sent):
    model = chat(use_responses_api=True, **fields)
    call = prepare_call(model, kwargs)
    assert sent.items() <= call.kwargs.items()
    assert not {"logprobs"} & set(call.kwargs)
    assert call.model.logprobs is None
    assert model.logprobs is fields.get("logprobs")


def test_the_callers_model_and_arguments_stay_as_they_are():
    model, kwargs = chat(use_responses_api=True), dict(ASKED)
    call = prepare_call(model, kwargs)
    assert kwargs == ASKED
    assert isinstance(model.root_client, openai.OpenAI)
    assert call.model.root_client is not model.root_client
    assert call.model.root_client.chat is model.root_client.chat


def test_a_stream_that_broke_off_is_read_from_its_deltas(serve):
    endpoint = serve(ScriptedChatModel([Reply(tokens=[("Answer:", 0.9), (" 42", 0.5)])]))
    seen, asked = Seen(), {"include": [LOGPROBS], "stream": True}
    with openai.OpenAI(base_url=endpoint.base_url, api_key="x") as client:
        for event in client.responses.create(model="any", input="q", **asked):
            if event.type not in {"response.completed", "response.output_text.done"}:
                seen.read_event(event)
    assert [round(entry["logprob"], 3) for entry in seen.entries()] == [-0.105, -0.693]
    assert seen.finish_reason is None


def test_a_response_of_unknown_shape_has_no_logprobs():
    seen = Seen()
    seen.read_response(Response.model_construct(output=None, incomplete_details="?"))
    seen.read_response(object())
    assert (seen.entries(), seen.refusal) == ([], None)
