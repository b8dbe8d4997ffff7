"""What LangChain's model profiles let expect, without any call."""

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_openai import ChatOpenAI

from adaptive_reasoner import EmbeddedChatModel
from adaptive_reasoner.doctor import expect


def openai(**fields):
    return ChatOpenAI(**{"api_key": "not-used", **fields})


def states(diagnosis, side="gate"):
    return {(one.way, one.thinking): getattr(one, side).state for one in diagnosis.findings}


def test_the_embedded_model_gives_all():
    diagnosis = expect(EmbeddedChatModel())
    assert (diagnosis.api, diagnosis.probed) == ("in process", False)
    assert set(states(diagnosis).values()) == {"whole"}
    assert {one.thinking for one in diagnosis.findings} == {"off", "on"}


def test_a_model_that_does_not_reason_gives_all_and_v3_loses_them():
    diagnosis = expect(openai(model="gpt-4.1-mini"))
    assert set(states(diagnosis).values()) == {"whole"}
    assert states(diagnosis, "langchain")["events v3", "not switched"] == "unusable"


def test_a_reasoning_model_gives_them_at_effort_none_alone():
    diagnosis = expect(openai(model="gpt-5.1"))
    assert states(diagnosis)["plain", "none"] == "whole"
    assert {states(diagnosis)["plain", effort] for effort in ("low", "medium", "high")} == {"missing"}
    assert states(diagnosis, "langchain")["plain", "high"] == "failed"


@pytest.mark.parametrize("model", ["gpt-5-mini", "o3"])
def test_a_model_that_always_reasons_gives_none(model):
    diagnosis = expect(openai(model=model))
    assert {one.langchain.state for one in diagnosis.findings} == {"failed"}
    assert {one.gate.state for one in diagnosis.findings} <= {"failed", "missing"}
    assert diagnosis.advice[0].setting.startswith("another model")


def test_the_responses_api_gives_none_of_calls():
    diagnosis = expect(openai(model="gpt-4.1-mini", use_responses_api=True))
    assert diagnosis.api == "responses"
    assert states(diagnosis)["plain", "not switched"] == "whole"
    assert states(diagnosis)["tools", "not switched"] == "missing"
    assert set(states(diagnosis, "langchain").values()) == {"failed"}


def test_tools_alone_send_gpt_6_to_the_responses_api():
    diagnosis = expect(openai(model="gpt-6-luna"))
    assert diagnosis.api == "chat completions"
    assert states(diagnosis, "langchain")["plain", "none"] == "whole"
    assert states(diagnosis, "langchain")["tools", "none"] == "failed"
    assert states(diagnosis)["tools", "none"] == "missing"


def test_nothing_is_claimed_of_other_endpoints():
    diagnosis = expect(openai(model="gpt-4.1-mini", base_url="http://127.0.0.1:9/v1"))
    assert set(states(diagnosis).values()) == {"not_known"}
    assert diagnosis.advice == ()


def test_a_class_without_the_setting_has_none():
    diagnosis = expect(FakeListChatModel(responses=["42"]))
    assert set(states(diagnosis).values()) == {"missing"}
