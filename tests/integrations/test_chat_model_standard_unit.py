"""LangChain's standard unit tests of chat models."""

import pytest

pytest.importorskip("langchain_tests", reason="the dependency group `test` is not installed")
from langchain_openai import ChatOpenAI
from langchain_tests.unit_tests import ChatModelUnitTests

from adaptive_reasoner import AdaptiveChatModel
from adaptive_reasoner.testing import ScriptedChatModel


class _Adaptive(ChatModelUnitTests):
    @property
    def chat_model_class(self):
        return AdaptiveChatModel

    @property
    def standard_chat_model_params(self):
        return {"temperature": 0, "max_tokens": 100, "stop": []}  # timeouts and retries belong to the models


class TestEmbedded(_Adaptive):
    @property
    def chat_model_params(self):
        return {"fast": "embedded"}


class TestTwoModels(_Adaptive):
    @property
    def chat_model_params(self):
        hosted = ChatOpenAI(model="gpt-4.1", api_key="none", base_url="http://127.0.0.1:9/v1")
        return {"fast": ScriptedChatModel([]), "deep": hosted}
