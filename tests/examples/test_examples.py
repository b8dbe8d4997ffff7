"""Every example runs as it stands and prints what it promises."""

import os
import re
import subprocess
import sys

import pytest

# A fresh process with a graph and a server in it, on a busy machine.
TIMEOUT_SECONDS = 120


@pytest.fixture
def run_example(repository):
    """A function that runs an example in a process of its own and gives what it printed, line by line."""

    def run(name):
        environment = {
            **os.environ,
            "PYTHONPATH": str(repository),
            "PYTHONWARNINGS": "error::ResourceWarning",
        }
        done = subprocess.run(
            [sys.executable, str(repository / "examples" / name)],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            env=environment,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return [line.strip() for line in done.stdout.splitlines()]

    return run


def test_every_example_is_run_here(repository):
    examples = {path.name for path in (repository / "examples").glob("*.py")}
    assert examples == {
        "hand_to_a_person.py",
        "map_reduce.py",
        "plug_in_your_endpoint.py",
        "research_agent.py",
        "support_bot.py",
        "thinking_share.py",
        "with_tools.py",
    }


def test_plug_in_your_endpoint(run_example, shipped_weights):
    lines = run_example("plug_in_your_endpoint.py")
    assert lines[0] == "What is 17 + 25?"
    assert sum(bool(re.fullmatch(r"Answer: \d+", line)) for line in lines) == 2
    assert sum(line.startswith("route ") for line in lines) == 2
    assert sum(bool(re.fullmatch(r"[1-9]\d* tokens generated", line)) for line in lines) == 2


def test_with_tools_thinks_before_it_runs_an_uncertain_call(run_example):
    lines = run_example("with_tools.py")
    assert lines[:3] == ["What do 3 pens cost?", "tool price('pen') runs", "downstream gets 'Answer: 21'"]
    assert [line.split(":")[0] for line in lines[3:6]] == [
        "fast_answer -> escalate",
        "deep_think -> accept",
        "deep_think -> accept",
    ]
    assert lines[6] == "Answer: 21"


def test_thinking_share_keeps_to_its_share_and_says_why(run_example, shipped_weights):
    lines = run_example("thinking_share.py")
    assert int(lines[0].split()[0]) <= 9  # of 60, where 6 are a tenth
    assert re.fullmatch(r"a thinking call costs 0\.\d\d right answers by now", lines[1])
    assert "<= price" in lines[2]


def test_hand_to_a_person_keeps_what_is_sure_from_the_person(run_example, shipped_weights):
    first, seen, second = run_example("hand_to_a_person.py")
    assert first == "What is 17 * 6 - 4? Answer: 98 (model)"
    assert seen.startswith("a person sees the draft 'Answer: ")
    assert second == "A pen costs 7 euros. How much do 6 pens cost? Answer: 42 (person)"


def test_map_reduce_adds_up_what_holds_and_names_the_rest(run_example, shipped_weights):
    lines = run_example("map_reduce.py")
    assert lines[0] == "45 + 105 + 187 = 337 dollars"
    assert [line.startswith("left out: Answer: ") for line in lines[1:]] == [True]


def test_research_agent_reasons_over_what_it_looked_up(run_example, shipped_weights):
    lines = run_example("research_agent.py")
    assert lines[:3] == ["calls look_up: Max", "calls look_up: Vera", "calls look_up: Kim"]
    assert lines[3].startswith("calls reason: Max has 15 hats.")
    assert lines[-2].startswith("refine -> accept") or lines[-2].startswith("deep_think -> accept")
    assert lines[-1] == "From the notes: Answer: 28"


def test_support_bot_refunds_what_is_sure_or_approved(run_example):
    assert run_example("support_bot.py") == [
        "Please refund A-17.",
        "refund('A-17') runs",
        "fast_answer -> refine",
        "refine -> accept",
        "Your order A-17 is refunded.",
        "Please refund B, the second one.",
        "a person is asked about {'order': 'B-02'}",
        "refund('B-02') runs",
        "fast_answer -> escalate",
        "deep_think -> refine",
        "refine -> review",
        "Your order B-02 is refunded.",
    ]
