"""`adaptive-reasoner doctor`: the table, its JSON, and one line on stderr for what cannot be examined."""

import json
import socket

import pytest

from adaptive_reasoner.cli import main
from adaptive_reasoner.testing import Defect, EndpointError, Reply, ScriptedChatModel

ANSWER = Reply(tokens=[("Answer:", 0.9), (" 10", 0.5, [(" 9", 0.3)])])


@pytest.fixture
def examined(serve, capsys):
    """A function from an endpoint's defects and further arguments to exit code, stdout and stderr."""

    def run(*arguments, defects=(), model=None):
        served = serve(model or ScriptedChatModel([ANSWER], cycle=True), defects=defects)
        code = main(["doctor", "--base-url", served.base_url, "--model", "any", *arguments])
        return code, *capsys.readouterr()

    return run


def row(printed, call):
    return next(line for line in printed.splitlines() if line.startswith(f"|{call} "))


def test_prints_what_arrives_what_the_gate_uses_and_what_to_change(examined):
    code, printed, errors = examined(defects=[Defect.LOST_IN_STREAMS])
    assert (code, errors) == (0, "")
    assert printed.startswith("any (chat completions; probed; uncalibrated rule)")
    assert "2 tokens, top 2" in row(printed, "plain")
    assert "none" in row(printed, "streamed")
    assert "nothing: it thinks" in row(printed, "streamed")
    assert "- disable_streaming=True on the model: log probabilities do not survive its streams" in printed


def test_prints_json(examined):
    code, printed, _ = examined("--json", defects=[Defect.AT_MOST_FIVE])
    found = json.loads(printed)
    assert code == 0
    assert found["top_logprobs"] == 5
    assert found["findings"][0]["gate"] == {"state": "whole", "tokens": 2, "alternatives": 2, "reason": None}
    assert found["findings"][0]["gate_uses"] == "log probabilities"
    assert found["advice"][0]["setting"] == "ReasonerConfig(top_logprobs=5)"


def test_tries_the_efforts_that_it_is_given(examined):
    _, printed, _ = examined("--json", "--effort", "none", "--effort", "high")
    found = json.loads(printed)["findings"]
    assert [one["way"] for one in found if one["thinking"] == "high"] == ["plain", "streamed"]
    assert {one["is_fast"] for one in found if one["thinking"] == "none"} == {True}


@pytest.mark.usefixtures("shipped_weights")
def test_examines_the_embedded_model_by_default(capsys):
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["api"] == "in process"
    assert {one["gate"]["state"] for one in found["findings"]} == {"whole"}
    assert {one["thinking"] for one in found["findings"]} == {"off", "on"}


def test_without_a_probe_nothing_is_called_and_no_key_is_needed(capsys):
    assert main(["doctor", "--no-probe", "--model", "openai:gpt-5.1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["probed"] is False
    assert {one["thinking"] for one in found["findings"]} == {"none", "low", "medium", "high"}
    assert main(["doctor", "--no-probe", "--base-url", "http://127.0.0.1:9/v1", "--model", "any"]) == 0
    assert "not known" in row(capsys.readouterr().out, "plain")


def test_expects_of_the_responses_api_what_it_gives(capsys):
    assert main(["doctor", "--no-probe", "--responses", "--model", "openai:gpt-4.1-mini"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("gpt-4.1-mini (responses; expected, not probed; uncalibrated rule)")
    assert "nothing: it thinks" in row(printed, "tools")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model", "openai:gpt-4.1-mini"], "OPENAI_API_KEY is not set"),
        (
            ["--base-url", "http://127.0.0.1:1/v1", "--model", "any"],
            "Nothing answers at http://127.0.0.1:1/v1",
        ),
        (["--base-url", "http://127.0.0.1:1/v1"], "--base-url needs"),
        (["--responses"], "--responses needs"),
        (["--timeout", "0"], "timeout"),
    ],
)
def test_what_cannot_be_examined_is_one_line_and_exit_code_2(capsys, arguments, said):
    assert main(["doctor", *arguments]) == 2
    printed, errors = capsys.readouterr()
    assert (printed, errors.count("\n")) == ("", 1)
    assert said in errors


def test_a_key_that_is_refused_is_one_line(examined):
    refusing = ScriptedChatModel([EndpointError("Incorrect API key.", status_code=401)], cycle=True)
    code, printed, errors = examined(model=refusing)
    assert (code, printed, errors.count("\n")) == (2, "", 1)
    assert "Incorrect API key." in errors


def test_an_endpoint_that_never_answers_is_one_line(capsys):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        base_url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        code = main(["doctor", "--base-url", base_url, "--model", "any", "--timeout", "0.2"])
    errors = capsys.readouterr().err
    assert (code, errors.count("\n")) == (2, 1)
    assert "No answer came within 0.2 seconds" in errors
