"""A server on loopback, and what the tests of all of its rooms ask it with."""

from collections.abc import Generator
from contextlib import contextmanager

import httpx
from openai import AsyncOpenAI, OpenAI

from adaptive_reasoner.server.config import ServerSettings, load_settings
from adaptive_reasoner.server.in_thread import serving
from adaptive_reasoner.server.listening import Listening
from adaptive_reasoner.server.questions import ServedModels
from adaptive_reasoner.testing import Reply, ScriptedChatModel

PATIENCE_SECONDS = 30.0


def settings_of(**sections: dict[str, object]) -> ServerSettings:
    """Settings with these fields set, at a free port, whatever the environment says."""
    return load_settings(environment={}, given={"server": {"port": 0}, **sections})


@contextmanager
def served(fast, deep=None, **sections) -> Generator[Listening]:
    """These models, served with these settings."""
    with serving(settings_of(**sections), models=ServedModels(fast, deep)) as listening:
        yield listening


def sure(text="Answer: 12", **fields):
    """A model that says this, every time, and is sure of it."""
    return ScriptedChatModel([Reply(text=text, probability=0.999, **fields)], cycle=True)


def client_of(listening, **options) -> OpenAI:
    return OpenAI(base_url=listening.base_url, api_key="not-checked", **{"max_retries": 0, **options})


def async_client_of(listening, **options) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=listening.base_url, api_key="not-checked", **{"max_retries": 0, **options})


def http_of(listening, **options) -> httpx.Client:
    return httpx.Client(base_url=listening.url, timeout=PATIENCE_SECONDS, **options)


def body_of(text="How many pens?", **fields):
    """A request's body."""
    return {"model": "adaptive", "messages": [{"role": "user", "content": text}], **fields}
