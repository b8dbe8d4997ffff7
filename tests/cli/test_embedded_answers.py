"""The command line on the shipped model: no key, no endpoint, no option."""

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from adaptive_reasoner import EmbeddedChatModel
from adaptive_reasoner.cli import main
from adaptive_reasoner.testing import Endpoint

Serve = Callable[..., Endpoint]
QUESTION = "Ann has 8 pens. She buys 5 more. How many pens does Ann have now?"


def test_it_is_what_answers_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", QUESTION, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["answer"].startswith("Answer: ")
    assert printed["report"]["signal"]["kind"] == "logprobs"


def test_it_answers_alike_behind_an_endpoint(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", QUESTION, "--json"]) == 0
    here = json.loads(capsys.readouterr().out)
    base_url = serve(EmbeddedChatModel()).base_url
    assert (
        main(["ask", QUESTION, "--json", "--fast", "adaptive-reasoner-embedded", "--base-url", base_url]) == 0
    )
    there = json.loads(capsys.readouterr().out)
    assert there["answer"] == here["answer"]
    assert [one["verdict"] for one in there["report"]["rounds"]] == [
        one["verdict"] for one in here["report"]["rounds"]
    ]


def test_thoughts_are_shown_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", QUESTION, "--thinking", "on", "--show-thoughts"]) == 0
    assert "plan:" in capsys.readouterr().out
    assert main(["ask", QUESTION, "--thinking", "on"]) == 0
    assert "plan:" not in capsys.readouterr().out


def test_a_terminal_without_unicode_still_shows_the_bars() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "adaptive_reasoner", "ask", QUESTION],
        capture_output=True,
        timeout=60,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert b"   Answer: " in done.stdout
    assert b"bars: the token's entropy, _ < .05 < . < .2 < - < .5 < = < 1 nat < #" in done.stdout
