"""What all tests share: a sealed environment, endpoints on loopback, and skips for what is not installed.

Sockets to anywhere but this machine are blocked by pytest-socket; pyproject.toml holds the allow-list.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_openai import ChatOpenAI

from adaptive_reasoner.testing import Endpoint, serve_openai

# Keys, endpoints and proxies of whoever runs the tests must not reach them.
FORGOTTEN_PREFIXES = (
    "ANTHROPIC_",
    "DEEPSEEK_",
    "GOOGLE_",
    "MISTRAL_",
    "OLLAMA_",
    "OPENAI_",
    "LANGSMITH_",
    "LANGCHAIN_",
    "ADAPTIVE_REASONER_FAST",
    "ADAPTIVE_REASONER_DEEP",
    "ADAPTIVE_REASONER_LEDGER",
    "ADAPTIVE_REASONER_PRICES",
)
FORGOTTEN_NAMES = {"http_proxy", "https_proxy", "all_proxy"}

ServeModel = Callable[..., Endpoint]
MakeChatOpenAI = Callable[..., ChatOpenAI]


def pytest_configure(config: pytest.Config) -> None:
    """Seal the environment before any test module is imported: LangSmith reads its switch once."""
    for name in list(os.environ):
        if name.startswith(FORGOTTEN_PREFIXES) or name.lower() in FORGOTTEN_NAMES:
            del os.environ[name]
    # An empty cache: tests see tiktoken as a machine without its files does.
    cache = TemporaryDirectory(prefix="tiktoken-")
    config.add_cleanup(cache.cleanup)
    os.environ.update(LANGSMITH_TRACING="false", TIKTOKEN_CACHE_DIR=cache.name)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is marked `train` where torch is not installed."""
    if find_spec("torch") is not None:
        return
    without_torch = pytest.mark.skip(reason="torch is not installed (extra `train`)")
    for item in items:
        if item.get_closest_marker("train"):
            item.add_marker(without_torch)


@pytest.fixture
def serve() -> Iterator[ServeModel]:
    """A function with `serve_openai`'s arguments, whose endpoint runs until the test ends."""
    with ExitStack() as stack:

        def start(model: BaseChatModel, **options: object) -> Endpoint:
            return stack.enter_context(serve_openai(model, **options))

        yield start


@pytest.fixture
def chat_openai(serve: ServeModel) -> MakeChatOpenAI:
    """A function that gives ChatOpenAI, pointed at an endpoint of its own in front of a model.

    Keyword arguments are ChatOpenAI's; `logprobs=True, top_logprobs=5` and no retries unless told otherwise.
    """

    def make(model: BaseChatModel, /, **options: object) -> ChatOpenAI:
        settings = {
            "model": "scripted",
            "logprobs": True,
            "top_logprobs": 5,
            "max_retries": 0,
            "stream_usage": True,
            "use_responses_api": False,
        }
        return ChatOpenAI(base_url=serve(model).base_url, api_key="not-checked", **{**settings, **options})

    return make


@pytest.fixture(scope="session")
def repository() -> Path:
    """The repository's root."""
    return Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shipped_weights(repository: Path) -> Path:
    """The folder with the embedded model's weights."""
    folder = repository / "adaptive_reasoner" / "embedded" / "weights"
    assert (folder / "model.json").is_file(), "the weights are a part of the package"
    return folder
