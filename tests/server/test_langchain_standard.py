"""LangChain's standard integration tests of ChatOpenAI, against the server over HTTP.

The server's own models are ChatOpenAI before a loopback endpoint whose tool calls are scripted: every request is read
and written twice on its way.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest

pytest.importorskip("langchain_tests", reason="the dependency group `test` is not installed")
pytest.importorskip("fastapi", reason="the extra `server` is not installed")
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests
from served import served
from tool_script import tool_caller

from adaptive_reasoner.testing import serve_openai

# Their v3 event streams are LangChain's beta; what OpenAI's client parsed, LangChain dumps
# under another type, and of old schemas it says that it calls a function.
pytestmark = [
    pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning"),
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning"),
    pytest.mark.filterwarnings("ignore:Received a Pydantic BaseModel V1 schema:UserWarning"),
]


# Connections that were kept open would be reported as never closed: LangChain keeps its clients for good.
CLOSING = {"Connection": "close"}


@pytest.fixture(scope="module")
def base_url_at() -> Iterator[Callable[[float], str]]:
    """A function from the probability of the fast model's words to a server, one for all tests of this file."""
    with ExitStack() as stack:

        @cache
        def start(probability: float) -> str:
            models = {}
            for name, its_own in (("fast", probability), ("deep", 0.99)):
                upstream = stack.enter_context(serve_openai(tool_caller(its_own)))
                models[name] = ChatOpenAI(
                    model=name, base_url=upstream.base_url, api_key="none", max_retries=0, stream_usage=True
                )
            return stack.enter_context(served(**models, policy={"triage": "off"})).base_url

        yield start


class _ThroughServer(ChatModelIntegrationTests):
    probability = 0.99  # of the fast model's words; the deep one is sure of its own
    served_model = "adaptive"

    @pytest.fixture(autouse=True)
    def server(self, base_url_at) -> None:
        self.base_url = base_url_at(self.probability)

    @property
    def chat_model_class(self):
        return ChatOpenAI

    @property
    def chat_model_params(self):
        return {
            "model": self.served_model,
            "base_url": self.base_url,
            "api_key": "none",
            "stream_usage": True,
            "default_headers": CLOSING,
        }

    @property
    def model_override_value(self):
        return "deep"

    @property
    def supports_json_mode(self):
        return True


class TestAccepting(_ThroughServer):
    """The first answer is accepted."""


class TestEscalating(_ThroughServer):
    """The first answer is doubted and thought through."""

    probability = 0.3


class TestFast(_ThroughServer):
    """The fast model alone."""

    served_model = "fast"


class TestByFunctionCalling(TestEscalating):
    """Structured output by a tool's call; LangChain's default is `response_format`."""

    @property
    def structured_output_kwargs(self):
        return {"method": "function_calling"}
