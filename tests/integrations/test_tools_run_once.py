"""No tool runs twice: not after a kill, not after a resume, not after a person's answer; each in its own process."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("langgraph.checkpoint.sqlite", reason="the extra `sqlite` is not installed")

ASKED = {"given": {"messages": "Pay 42."}}
CALL = {"tool_calls": [{"name": "pay", "args": {"amount": 42}}]}
DOUBTED = {**CALL, "probability": 0.3}
BOTH = {
    "tool_calls": [
        {"name": "pay", "args": {"amount": 41}, "id": "a"},
        {"name": "pay", "args": {"amount": 42}, "id": "b"},
    ]
}
UNKNOWN = "It is unknown whether pay was run"
REVIEW = {"review": "low_confidence"}


@pytest.fixture(params=["graph", "middleware"])
def home(request):
    return request.param


@pytest.fixture(scope="module")
def program():
    """The program that does the jobs, see paying_program.py."""
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("paying_program.py"))],
        env={**os.environ, "LANGGRAPH_STRICT_MSGPACK": "true"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.stdin.close()


@pytest.fixture
def run(program, tmp_path, home):
    """A function that does one job with the thread in a process of its own, and gives what it came to."""

    def run(**job):
        said = tmp_path / "said.json"
        said.unlink(missing_ok=True)
        program.stdin.write(json.dumps([str(tmp_path), {"home": home, **job}]) + "\n")
        program.stdin.flush()
        is_killed = "killed" in job or "die" in job.get("steps", ())
        assert int(program.stdout.readline()) == (-signal.SIGKILL if is_killed else 0)
        return None if is_killed else json.loads(said.read_text())

    return run


@pytest.fixture
def paid(tmp_path):
    """What was paid so far, by whatever process."""

    def read():
        file = tmp_path / "paid"
        return file.read_text().split() if file.exists() else []

    return read


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(("killed", "expected"), [("after", ["42"]), ("before", [])])
def test_a_tool_that_was_killed_in_the_middle_is_not_run_again(run, paid, killed, expected, is_async):
    run(**ASKED, steps=[CALL], killed=killed, **{"async": is_async})
    texts, _ = run(steps=["I will find out."], **{"async": is_async})
    assert paid() == expected
    assert texts[0].startswith(UNKNOWN)
    assert texts[1] == "I will find out."


def test_a_kill_after_the_tools_checkpoint_loses_and_repeats_nothing(run, paid):
    run(**ASKED, steps=[CALL, "die"])
    texts, _ = run(steps=["Done."])
    assert (paid(), texts) == (["42"], ["paid 42", "Done."])


def test_resuming_again_and_again_runs_nothing_again(run, paid):
    run(**ASKED, steps=[CALL], killed="after")
    run(steps=["die"])
    texts, _ = run(steps=["I will find out."])
    again, _ = run()
    assert paid() == ["42"]
    assert texts == again


def test_of_calls_at_once_none_is_run_again(run, paid):
    run(**ASKED, steps=[BOTH], killed="after", victim=42)
    texts, _ = run(steps=["I will find out."])
    assert sorted(paid()) in (["41", "42"], ["42"])  # whether 41 came before the kill is chance
    assert texts[0].startswith(UNKNOWN) or (texts[0] == "paid 41" and "41" in paid())
    assert texts[1].startswith(UNKNOWN)


def test_a_call_at_once_with_one_that_asks_a_person_is_not_run_again(run, paid):
    _, waits = run(**ASKED, steps=[BOTH], asks=[42])
    assert (waits, paid()) == (["How much?"], ["41"])
    texts, _ = run(resume=40, steps=["Done."], asks=[42])
    assert paid() == ["41", "40"]
    assert texts == ["paid 41", "paid 40", "Done."]


def test_a_doubted_call_that_a_person_approved_elsewhere_runs_once(run, paid):
    run(**ASKED, **REVIEW, steps=[DOUBTED, DOUBTED])
    texts, waits = run(resume="approve", steps=["Paid."], **REVIEW)
    assert (paid(), texts, waits) == (["42"], ["paid 42", "Paid."], [])


def test_a_doubted_call_that_was_approved_and_then_killed_is_not_run_again(run, paid):
    run(**ASKED, **REVIEW, steps=[DOUBTED, DOUBTED])
    run(resume="approve", killed="after", **REVIEW)
    texts, _ = run(steps=["I will find out."], **REVIEW)
    assert paid() == ["42"]
    assert texts[0].startswith(UNKNOWN)


def test_a_call_that_a_person_put_right_elsewhere_runs_once_as_it_was_put(run, paid):
    run(**ASKED, **REVIEW, steps=[DOUBTED, DOUBTED])
    edit = {"action": "edit", "tool_calls": [{"name": "pay", "args": {"amount": 24}}]}
    run(resume=edit, killed="after", **REVIEW)
    texts, _ = run(steps=["I will find out."], **REVIEW)
    assert paid() == ["24"]
    assert texts[0].startswith(UNKNOWN)


def test_a_call_that_a_person_rejected_elsewhere_is_never_run(run, paid):
    run(**ASKED, **REVIEW, steps=[DOUBTED, DOUBTED])
    texts, _ = run(resume="reject", **REVIEW)
    again, _ = run(**REVIEW)
    assert paid() == []
    assert texts == again == ["A person reviewed the answer and withheld it."]


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_tool_that_asks_a_person_itself_goes_on_in_another_process(run, paid, is_async):
    _, waits = run(**ASKED, steps=[CALL], asks=[42], **{"async": is_async})
    assert waits == ["How much?"]
    texts, _ = run(resume=41, steps=["Paid."], asks=[42], **{"async": is_async})
    assert (paid(), texts) == (["41"], ["paid 41", "Paid."])


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("again", [{}, {"resume": 41}], ids=["goes on", "is answered again"])
def test_a_tool_that_was_killed_after_the_answer_is_not_run_again(run, paid, again, is_async):
    run(**ASKED, steps=[CALL], asks=[42], **{"async": is_async})
    run(resume=41, asks=[42], killed="after", **{"async": is_async})
    texts, _ = run(steps=["I will find out."], asks=[42], **{"async": is_async}, **again)
    assert paid() == ["41"]
    assert texts[0].startswith(UNKNOWN)


@pytest.mark.parametrize("home", ["middleware"])
def test_a_call_that_langchains_middleware_had_approved_elsewhere_runs_once(run, paid):
    _, [waiting] = run(**ASKED, steps=[CALL], approved=True)
    assert "pay" in waiting
    assert paid() == []
    run(resume={"decisions": [{"type": "approve"}]}, approved=True, killed="after")
    texts, _ = run(steps=["I will find out."], approved=True)
    assert paid() == ["42"]
    assert texts[0].startswith(UNKNOWN)
