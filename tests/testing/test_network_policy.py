"""What tests/conftest.py and pyproject.toml promise to every test."""

import os
import socket
from pathlib import Path

import pytest
import tiktoken
from langsmith.utils import tracing_is_enabled
from pytest_socket import SocketConnectBlockedError


# Newer releases of pytest-socket warn beside raising.
@pytest.mark.filterwarnings("ignore:A test tried to use socket:UserWarning")
def test_no_test_reaches_another_machine():
    with socket.socket() as outgoing, pytest.raises(SocketConnectBlockedError):
        outgoing.connect(("192.0.2.1", 443))


def test_no_trace_is_sent():
    assert tracing_is_enabled() is False


def test_no_key_of_whoever_runs_the_tests_is_seen():
    assert not [name for name in os.environ if name.startswith("OPENAI_")]


def test_tiktoken_finds_no_cached_files():
    assert list(Path(os.environ["TIKTOKEN_CACHE_DIR"]).iterdir()) == []
    assert "o200k_base" in tiktoken.list_encoding_names()
