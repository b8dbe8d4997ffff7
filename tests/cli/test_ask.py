import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from adaptive_reasoner.cli import main
from adaptive_reasoner.cli.question import MAX_BYTES
from adaptive_reasoner.testing import Endpoint, EndpointError, Reply, ScriptedChatModel

Serve = Callable[..., Endpoint]

CLEAR = Reply(tokens=[("Answer", 0.999), (":", 0.999), (" 4", 0.999), ("3", 0.999)])
DOUBTED = Reply(
    tokens=[
        ("Answer", 0.999),
        (":", 0.999),
        (" 4", 0.5, [(" 5", 0.4), (" 6", 0.1)]),
        ("2", 0.9, [("3", 0.1)]),
    ]
)
THOUGHT = Reply(reasoning="3 * 7 = 21; 21 + 22 = 43", tokens=CLEAR.tokens)


def _ask(serve: Serve, steps: list[object], *options: str, question: str = "What is 3 * 7 + 22?") -> int:
    endpoint = serve(ScriptedChatModel(steps=steps))
    return main(["ask", question, "--fast", "scripted", "--base-url", endpoint.base_url, *options])


def test_doubt_is_shown_thought_through_and_settled(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    assert _ask(serve, [DOUBTED, THOUGHT], "--max-refinements", "0") == 0
    printed = capsys.readouterr().out
    assert printed.startswith("triage answer at once: ")
    first, second = printed.index("1. fast_answer"), printed.index("2. deep_think")
    assert "   Answer: 42\n   ▁▁▁▁▁▁▁ ▆▄\n   → think: " in printed[first:second]
    assert "   Answer: 43\n   ▁▁▁▁▁▁▁ ▁▁\n   → accepted: " in printed[second:]
    assert "\nAnswer: 43\naccepted; no calibrated risk is known for this model\n" in printed
    assert "in 2 model calls" in printed
    assert "always thinking: " in printed
    assert "bars: the token's entropy" in printed


def test_a_clear_answer_costs_one_call(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    assert _ask(serve, [CLEAR]) == 0
    printed = capsys.readouterr().out
    assert "in 1 model call:" in printed
    assert "always thinking" not in printed


def test_compare_runs_the_always_thinking_answer(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    assert _ask(serve, [CLEAR, THOUGHT], "--compare") == 0
    assert "always thinking: Answer: 43 (accepted;" in capsys.readouterr().out


def test_json_is_one_object_and_nothing_else(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    assert _ask(serve, [DOUBTED, THOUGHT], "--json", "--max-refinements", "0") == 0
    printed = json.loads(capsys.readouterr().out)
    assert set(printed) == {"answer", "report", "thread_id"}
    assert printed["answer"] == "Answer: 43"
    assert [one["node"] for one in printed["report"]["rounds"]] == ["fast_answer", "deep_think"]
    assert printed["report"]["accepted_round"] == 1


def test_json_comparison_is_part_of_the_object(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    assert _ask(serve, [CLEAR, THOUGHT], "--json", "--compare") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["always_thinking"]["report"]["rounds"][0]["node"] == "deep_think"


def test_thinking_off_never_thinks(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    assert _ask(serve, [DOUBTED], "--thinking", "off", "--max-refinements", "0") == 0
    assert "\nnot sure; " in capsys.readouterr().out


def test_importance_high_thinks_at_once(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    assert _ask(serve, [THOUGHT], "--importance", "high") == 0
    assert capsys.readouterr().out.startswith("triage think first: ")


def test_no_escape_codes_reach_a_file(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    assert _ask(serve, [CLEAR], "--no-color") == 0
    assert "\x1b" not in capsys.readouterr().out


def test_markup_in_an_answer_is_printed_as_it_is(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    assert _ask(serve, [Reply(text="[red]x[/red] :smile:", probability=0.999)]) == 0
    assert "\n[red]x[/red] :smile:\n" in capsys.readouterr().out


def test_answers_without_logprobs_are_printed_plain(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    silent = Reply(text="It is 43.", drop_logprobs=True)
    assert _ask(serve, [silent, silent], "--max-refinements", "0") == 0
    printed = capsys.readouterr().out
    assert "   It is 43.\n   → think: " in printed
    assert "\nnot sure; " in printed


def test_question_comes_from_standard_input(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "question.txt"
    file.write_text("What is 3 * 7 + 22?\n")
    with file.open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert _ask(serve, [CLEAR], question="-") == 0
    assert "Answer: 43" in capsys.readouterr().out


def test_review_without_a_terminal_prints_the_answer_and_exits_3(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--review", "--thinking", "off", "--max-refinements", "0")
    assert _ask(serve, [DOUBTED], *options) == 3
    assert "Waits for a person: Answer: 42" in capsys.readouterr().out
    assert _ask(serve, [DOUBTED], *options, "--json") == 3
    printed = json.loads(capsys.readouterr().out)
    assert printed["answer"] is None
    assert printed["waiting"]["answer"] == "Answer: 42"


@pytest.mark.parametrize(
    ("typed", "outcome"),
    [
        (["x", "a"], "\nAnswer: 42\napproved by a person\n"),
        (["e", "", "e", "Answer: 43"], "\nAnswer: 43\ncorrected by a person\n"),
        (["r"], "rejected by a person\n"),
    ],
)
def test_review_at_a_terminal_asks_the_person(
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: list[str],
    outcome: str,
) -> None:
    lines = iter(typed)
    monkeypatch.setattr("builtins.input", lambda *_: next(lines))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    assert _ask(serve, [DOUBTED], "--review", "--thinking", "off", "--max-refinements", "0") == 0
    assert outcome in capsys.readouterr().out


def _line(capsys: pytest.CaptureFixture[str]) -> str:
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert "Traceback" not in printed.err
    return printed.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ask", ""], "The question is empty"),
        (["ask", "7" * MAX_BYTES], "1,000,000 bytes or more"),
        (["ask"], "Missing argument"),
        (["ask", "x", "--nope"], "No such option: --nope"),
        (["ask", "x", "--thinking", "maybe"], "--thinking is 'maybe'"),
        (["ask", "x", "--importance", "huge"], "--importance"),
        (["ask", "x", "--budget-tokens", "0"], "--budget-tokens"),
        (["ask", "x", "--max-refinements", "11"], "--max-refinements"),
        (["ask", "x", "--fast", "openai:small"], "OPENAI_API_KEY is not set"),
        (["ask", "x", "--fast", "nobody:small"], "nobody"),
        (["ask", "x", "--base-url", "http://127.0.0.1:9/v1"], "--base-url needs --fast"),
        (["nothing"], "No such command 'nothing'"),
        (["chat", "--db", "/nowhere/at/all.sqlite"], "unable to open database file"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert message in _line(capsys)


def test_unreachable_endpoint_is_one_line_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "x", "--fast", "small", "--base-url", "http://127.0.0.1:9/v1"]) == 2
    assert "Nothing answers at http://127.0.0.1:9/v1 (Connection refused)" in _line(capsys)


def test_refused_key_is_one_line_and_exit_code_2(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    refused = EndpointError("Incorrect API key provided.", status_code=401)
    assert _ask(serve, [refused] * 8) == 2
    assert "Incorrect API key provided." in _line(capsys)


def test_budget_too_small_for_one_call_is_one_line_and_exit_code_2(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _ask(serve, [CLEAR], "--budget-tokens", "1") == 2
    assert "Raise --budget-tokens." in _line(capsys)


def test_what_one_program_spends_counts_for_the_next_of_the_same_tenant(
    serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sqlalchemy", reason="the extra `budgets` is not installed")
    budget = [
        "--json",
        "--budget-tokens",
        "5000",
        "--budget-per",
        "day",
        "--ledger",
        str(tmp_path / "l.sqlite"),
    ]
    used = []
    for tenant in ("anna", "anna", "bob"):
        assert _ask(serve, [CLEAR], *budget, "--tenant", tenant) == 0
        accounts = json.loads(capsys.readouterr().out)["report"]["budget"]["accounts"]
        used.append(sum(account["tokens"] for account in accounts.values()))
    assert used[1] == 2 * used[0] > 0
    assert used[2] == used[0]


def test_a_ledger_that_cannot_be_opened_is_one_line(
    serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sqlalchemy", reason="the extra `budgets` is not installed")
    budget = ["--budget-tokens", "5000", "--budget-per", "day", "--ledger", "mysql://nobody@here/there"]
    assert _ask(serve, [CLEAR], *budget) == 2
    assert "ledger" in capsys.readouterr().err


def test_a_rationale_is_shown_after_its_answer_and_only_with_the_thoughts(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "Answer: 43\nBecause: 3 * 7 = 21; 21 + 22 = 43.\nResult: 43"
    explained = Reply(tokens=[(piece, 0.999) for piece in re.findall(r"\s*\S+", text)])
    assert _ask(serve, [explained], "--answer-order", "answer_first", "--show-thoughts") == 0
    printed = capsys.readouterr().out
    assert printed.index("   Answer: 43\n") < printed.index("   because: 3 * 7 = 21;")
    assert "\nAnswer: 43\naccepted; " in printed
    assert _ask(serve, [explained], "--answer-order", "answer_first") == 0
    assert "because" not in capsys.readouterr().out
