"""No tool runs twice: not after a kill, not after a resume, not after a person's answer."""

import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest
from graph_ways import sure
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware, ToolRetryMiddleware
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, interrupt

from adaptive_reasoner import AdaptiveReasoningMiddleware
from adaptive_reasoner.testing import Reply, ScriptedChatModel

THREAD = {"configurable": {"thread_id": "1"}}
PAY = Reply(tool_calls=[{"name": "pay", "args": {"amount": 42}}])

# A process of its own: what it does to the tool, and whether it is killed in the middle, stand on its command line.
PROGRAM = """
    import json, os, signal, sys
    from langchain.agents import create_agent
    from langchain.agents.middleware import HumanInTheLoopMiddleware
    from langchain_core.tools import tool
    from langgraph.checkpoint.sqlite import SqliteSaver
    from langgraph.types import Command, interrupt
    from adaptive_reasoner import AdaptiveReasoningMiddleware, ReasonerConfig
    from adaptive_reasoner.testing import Reply, ScriptedChatModel

    folder, job = sys.argv[1], json.loads(sys.argv[2])

    @tool
    def pay(amount: int) -> str:
        '''Pay.'''
        if job.get("asks"):
            amount = interrupt("How much?")
        with open(os.path.join(folder, "paid"), "a") as file:
            file.write(f"{amount}\\n")
        if job.get("killed"):
            os.kill(os.getpid(), signal.SIGKILL)
        return "paid"

    def reply(one):
        return Reply(**one) if isinstance(one, dict) else one

    given = Command(resume=job["resume"]) if "resume" in job else job.get("given")
    config = ReasonerConfig(review=job.get("review", "never"), max_refinements=0)
    middleware = [AdaptiveReasoningMiddleware(config=config)]
    if job.get("approved"):
        middleware.append(HumanInTheLoopMiddleware(interrupt_on={"pay": True}))
    model = ScriptedChatModel([reply(one) for one in job.get("steps", [])])
    with SqliteSaver.from_conn_string(os.path.join(folder, "threads.sqlite")) as saver:
        agent = create_agent(model, [pay], middleware=middleware, checkpointer=saver)
        state = agent.invoke(given, {"configurable": {"thread_id": "1"}}, durability="sync")
    waits = [str(one.value) for one in state.get("__interrupt__", ())]
    print(json.dumps([[m.text for m in state["messages"] if m.type in ("tool", "ai") and m.text], waits]))
"""
ASKED = {"given": {"messages": "Pay 42."}}
CALL = {"tool_calls": [{"name": "pay", "args": {"amount": 42}}]}
DOUBTED = {**CALL, "probability": 0.3}


@pytest.fixture
def run(tmp_path):
    """A function that does one job with the thread in a process of its own, and gives what it printed."""

    def run(**job):
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(PROGRAM), str(tmp_path), json.dumps(job)],
            env={**os.environ, "LANGGRAPH_STRICT_MSGPACK": "true"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        expected = -signal.SIGKILL if job.get("killed") else 0
        assert (done.returncode, done.stderr) == (expected, "")
        return None if job.get("killed") else json.loads(done.stdout)

    return run


@pytest.fixture
def paid(tmp_path):
    """What was paid so far, by whatever process."""

    def read():
        file = tmp_path / "paid"
        return file.read_text().split() if file.exists() else []

    return read


def test_a_tool_that_was_killed_in_the_middle_is_not_run_again(run, paid):
    run(**ASKED, steps=[CALL], killed=True)
    texts, _ = run(steps=["I will find out."])
    assert paid() == ["42"]
    assert texts[0].startswith("It is unknown whether pay was run")
    assert texts[1] == "I will find out."


def test_a_call_that_a_person_approved_elsewhere_runs_once(run, paid):
    _, [waiting] = run(**ASKED, steps=[CALL], approved=True)
    assert "pay" in waiting
    assert paid() == []
    run(resume={"decisions": [{"type": "approve"}]}, approved=True, killed=True)
    texts, _ = run(steps=["I will find out."], approved=True)
    assert paid() == ["42"]
    assert texts[0].startswith("It is unknown")


def test_a_doubted_call_that_a_person_approved_elsewhere_runs_once(run, paid):
    run(**ASKED, steps=[DOUBTED, DOUBTED], review="low_confidence")
    texts, waits = run(resume="approve", steps=["Paid."], review="low_confidence")
    assert (paid(), texts, waits) == (["42"], ["paid", "Paid."], [])


def test_a_doubted_call_that_was_approved_and_then_killed_is_not_run_again(run, paid):
    run(**ASKED, steps=[DOUBTED, DOUBTED], review="low_confidence")
    run(resume="approve", review="low_confidence", killed=True)
    texts, _ = run(steps=["I will find out."], review="low_confidence")
    assert paid() == ["42"]
    assert texts[0].startswith("It is unknown")


def test_a_tool_that_asks_a_person_itself_goes_on_in_another_process(run, paid):
    _, waits = run(**ASKED, steps=[CALL], asks=True)
    assert waits == ["How much?"]
    texts, _ = run(resume=41, steps=["Paid."], asks=True)
    assert (paid(), texts) == (["41"], ["paid", "Paid."])


@pytest.fixture
def agent():
    """A function from a tool to an agent that calls it once, with a thread of its own."""

    def make(pay, *more):
        model = ScriptedChatModel([PAY, sure("Paid.")])
        middleware = [AdaptiveReasoningMiddleware(), *more]
        return create_agent(model, [pay], middleware=middleware, checkpointer=InMemorySaver())

    return make


def test_resuming_after_the_end_runs_nothing_again(agent):
    paid = []

    @tool
    def pay(amount: int) -> str:
        """Pay."""
        paid.append(amount)
        return "paid"

    made = agent(pay)
    made.invoke({"messages": "Pay 42."}, THREAD)
    made.invoke(None, THREAD)
    made.invoke(Command(resume="approve"), THREAD)
    assert paid == [42]


def test_a_tool_that_was_broken_off_is_not_run_again_in_the_same_process(agent):
    paid = []

    @tool
    def pay(amount: int) -> str:
        """Pay."""
        paid.append(amount)
        raise KeyboardInterrupt

    made = agent(pay)
    with pytest.raises(KeyboardInterrupt):
        made.invoke({"messages": "Pay 42."}, THREAD)
    state = made.invoke(None, THREAD)
    assert paid == [42]
    assert state["messages"][2].status == "error"


def test_a_tool_that_fails_by_itself_may_be_tried_again(agent):
    paid = []

    @tool
    def pay(amount: int) -> str:
        """Pay."""
        paid.append(amount)
        if len(paid) == 1:
            raise OSError("line is busy")
        return "paid"

    made = agent(pay)
    with pytest.raises(OSError, match="line is busy"):
        made.invoke({"messages": "Pay 42."}, THREAD)
    assert made.invoke(None, THREAD)["messages"][2].text == "paid"
    again = agent(pay, ToolRetryMiddleware(max_retries=1, initial_delay=0.0))
    paid.clear()
    assert again.invoke({"messages": "Pay 42."}, THREAD)["messages"][2].text == "paid"
    assert paid == [42, 42]


def test_a_tool_that_asks_a_person_itself_runs_once_after_the_answer(agent):
    paid = []

    @tool
    def pay(amount: int) -> str:
        """Pay."""
        amount = interrupt("How much?")
        paid.append(amount)
        return "paid"

    made = agent(pay)
    made.invoke({"messages": "Pay 42."}, THREAD)
    state = made.invoke(Command(resume=41), THREAD)
    assert (paid, state["messages"][2].text) == ([41], "paid")


def test_an_approved_call_runs_once(agent):
    paid = []

    @tool
    def pay(amount: int) -> str:
        """Pay."""
        paid.append(amount)
        return "paid"

    made = agent(pay, HumanInTheLoopMiddleware(interrupt_on={"pay": True}))
    made.invoke({"messages": "Pay 42."}, THREAD)
    assert paid == []
    made.invoke(Command(resume={"decisions": [{"type": "approve"}]}), THREAD)
    assert paid == [42]
