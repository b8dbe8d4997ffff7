import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from adaptive_reasoner import build_reasoning_graph
from adaptive_reasoner.cli import main
from adaptive_reasoner.cli.conversation import Conversation
from adaptive_reasoner.cli.render import Display, make_console
from adaptive_reasoner.cli.session import Session
from adaptive_reasoner.testing import Endpoint, EndpointError, Reply, ScriptedChatModel

Serve = Callable[..., Endpoint]


@pytest.fixture
def chat(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[str, str]]:
    """A function that plays a conversation and gives what was printed to each stream."""

    def play(model: ScriptedChatModel, typed: Iterable[str], *options: str) -> tuple[str, str]:
        lines = iter(typed)

        def read(*_: object) -> str:
            line = next(lines, None)
            if line is None:
                raise EOFError
            return line

        monkeypatch.setattr("builtins.input", read)
        base_url = serve(model).base_url
        assert main(["chat", "--fast", "scripted", "--base-url", base_url, *options]) == 0
        printed = capsys.readouterr()
        return printed.out, printed.err

    return play


Chat = Callable[..., tuple[str, str]]


def _sure(text: str) -> Reply:
    return Reply(text=text, probability=0.999)


def test_turns_share_a_thread(chat: Chat) -> None:
    model = ScriptedChatModel(steps=[_sure("Answer: 43"), _sure("Answer: 44")])
    printed, _ = chat(model, ["What is 3 * 7 + 22?", "And one more?", "/quit", "never read"])
    assert "\nAnswer: 43\n" in printed
    assert "\nAnswer: 44\n" in printed
    assert [message.text for message in model.calls[1].messages][-3:] == [
        "What is 3 * 7 + 22?",
        "Answer: 43",
        "And one more?",
    ]


def test_end_of_input_ends_the_conversation(chat: Chat) -> None:
    printed, _ = chat(ScriptedChatModel(steps=[]), ["", "   "])
    assert printed.startswith("thread ")


def test_slash_commands_show_the_thoughts_and_the_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    thought = Reply(text="Answer: 43", probability=0.999, reasoning="3 * 7 = 21; 21 + 22 = 43")
    graph = build_reasoning_graph(ScriptedChatModel(steps=[thought]), checkpointer=InMemorySaver())
    lines = iter(["/report", "/thoughts", "What is 3 * 7 + 22?", "/thoughts", "/report", "/nope", "/quit"])
    monkeypatch.setattr("builtins.input", lambda *_: next(lines))
    session = Session(graph, {"thinking": "on"}, thread_id="monday")
    Conversation(session, Display(make_console(no_color=True))).run()

    before, after = capsys.readouterr().out.split("\nAnswer: 43\n")
    assert "No report yet." in before
    assert "No thoughts yet." in before
    assert "3 * 7 = 21; 21 + 22 = 43" in after
    report, _ = json.JSONDecoder().raw_decode(after[after.index("{\n") :])
    assert report["rounds"][0]["node"] == "deep_think"
    assert "/nope is no command" in after


def test_a_failed_turn_does_not_end_the_conversation(chat: Chat) -> None:
    refused = EndpointError("Incorrect API key provided.", status_code=401)
    model = ScriptedChatModel(steps=[refused, refused, _sure("Answer: 43")])
    printed, errors = chat(model, ["first", "What is 3 * 7 + 22?"])
    assert "Incorrect API key provided." in errors
    assert "\nAnswer: 43\n" in printed


def test_a_thread_in_a_file_goes_on_where_it_was(chat: Chat, tmp_path: Path) -> None:
    kept = ("--db", str(tmp_path / "talk.sqlite"), "--thread-id", "monday")
    chat(ScriptedChatModel(steps=[_sure("Answer: 43")]), ["What is 3 * 7 + 22?"], *kept)
    later = ScriptedChatModel(steps=[_sure("Answer: 44")])
    chat(later, ["And one more?"], *kept)
    assert [message.text for message in later.calls[0].messages][-3:] == [
        "What is 3 * 7 + 22?",
        "Answer: 43",
        "And one more?",
    ]


def test_a_thread_that_waits_for_a_person_asks_when_it_is_opened_again(
    chat: Chat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = (
        "--db",
        str(tmp_path / "talk.sqlite"),
        "--thread-id",
        "monday",
        "--review",
        "--thinking",
        "off",
    )
    unsure = Reply(text="Answer: 42", probability=0.4)
    printed, _ = chat(ScriptedChatModel(steps=[unsure] * 2), ["What is 3 * 7 + 22?"], *options)
    assert "Waits for a person: Answer: 42" in printed
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    printed, _ = chat(ScriptedChatModel(steps=[]), ["e", "Answer: 43", "/quit"], *options)
    assert "\nAnswer: 43\ncorrected by a person\n" in printed


def test_json_answers_each_line_with_one_object(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = EndpointError("Incorrect API key provided.", status_code=401)
    model = ScriptedChatModel(steps=[_sure("Answer: 43"), refused, refused])
    monkeypatch.setattr(sys, "stdin", ["What is 3 * 7 + 22?\n", "\n", "And one more?\n"])
    arguments = [
        "chat",
        "--json",
        "--fast",
        "scripted",
        "--base-url",
        serve(model).base_url,
        "--thread-id",
        "monday",
    ]
    assert main(arguments) == 0
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (first["answer"], first["thread_id"]) == ("Answer: 43", "monday")
    assert second["error"]["code"] == "model_failed"
