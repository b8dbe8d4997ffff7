"""LangChain's standard integration tests of chat models.

On the embedded model, and through a loopback OpenAI endpoint whose tool calls, and whose words about files, are
scripted: what is tested there is how they travel.
"""

import base64
import json
from collections.abc import Iterator

import httpx
import pytest

pytest.importorskip("langchain_tests", reason="the dependency group `test` is not installed")
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests
from small_files import file_of
from tool_script import tool_caller

from adaptive_reasoner import AdaptiveChatModel, ReasonerConfig
from adaptive_reasoner.testing import serve_openai

# Their v3 event streams are LangChain's beta.
pytestmark = [
    pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning"),
    pytest.mark.filterwarnings("ignore:OpenAI may require a filename:UserWarning"),
]


class _Adaptive(ChatModelIntegrationTests):
    @property
    def chat_model_class(self):
        return AdaptiveChatModel

    @property
    def standard_chat_model_params(self):
        return {"temperature": 0, "max_tokens": 100}  # timeouts and retries belong to the models


@pytest.mark.usefixtures("shipped_weights")
class TestEmbedded(_Adaptive):
    @property
    def chat_model_params(self):
        return {"fast": "embedded"}

    @property
    def has_tool_calling(self):
        return False

    @property
    def has_structured_output(self):
        return False


class _ThroughEndpoint(_Adaptive):
    probability = 0.99  # of the fast model's words; the deep one is sure of its own

    @pytest.fixture(autouse=True)
    def endpoints(self) -> Iterator[None]:
        with serve_openai(tool_caller(self.probability)) as fast, serve_openai(tool_caller()) as deep:
            self.urls = {"fast": fast.base_url, "deep": deep.base_url}
            self.asked_first = fast
            yield

    @property
    def chat_model_params(self):
        models = {
            name: ChatOpenAI(model="scripted", base_url=url, api_key="none", max_retries=0)
            for name, url in self.urls.items()
        }
        return {**models, "config": ReasonerConfig(triage="off")}

    @pytest.fixture(autouse=True)
    def downloads(self, endpoints, monkeypatch) -> Iterator[None]:
        """Small files in place of what the tests would fetch from the network; each must reach the endpoint whole."""
        fetched = []

        def get(url, **_options):
            fetched.append(file_of(url))
            return httpx.Response(200, content=fetched[-1])

        monkeypatch.setattr(httpx, "get", get)
        monkeypatch.setenv("LANGCHAIN_TESTS_USER_AGENT", "none: nothing is fetched")
        yield
        sent = json.dumps(self.asked_first.requests)
        assert all(base64.b64encode(file).decode() in sent for file in fetched)

    @property
    def supports_json_mode(self):
        return True

    @property
    def supports_image_inputs(self):
        return True

    @property
    def supports_image_urls(self):
        return True

    @property
    def supports_pdf_inputs(self):
        return True

    @property
    def supports_audio_inputs(self):
        return True

    @property
    def supports_image_tool_message(self):
        return True

    @property
    def supports_pdf_tool_message(self):
        return True

    @property
    def supports_anthropic_inputs(self):
        return True


class TestAccepting(_ThroughEndpoint):
    """The first answer is accepted."""


class TestEscalating(_ThroughEndpoint):
    """The first answer is doubted and thought through."""

    probability = 0.3


class TestEscalatingByJsonSchema(TestEscalating):
    """The same with structured output by the provider's own means."""

    @property
    def structured_output_kwargs(self):
        return {"method": "json_schema"}
