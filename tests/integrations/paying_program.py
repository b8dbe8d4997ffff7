"""Jobs for processes of their own that go on with one thread, each killed for real where the job says so.

It reads a folder and a job, as JSON, from each line of its input, does the job in a fork (which spares it the
imports), and answers with the fork's exit code. What the tools and the model said, and what the thread waits for, then
stands in said.json.
"""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path

from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.tools import tool
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.types import Command, interrupt

from adaptive_reasoner import AdaptiveReasoningMiddleware, ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.testing import Reply, ScriptedChatModel

THREAD = {"configurable": {"thread_id": "1"}}


def main():
    for line in sys.stdin:
        folder, job = json.loads(line)
        if not (child := os.fork()):
            do(Path(folder), job)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def do(folder, job):
    state = asyncio.run(_ago_on(folder, job)) if job.get("async") else _go_on(folder, job)
    waits = [str(one.value) for one in state.get("__interrupt__", ())]
    said = [message.text for message in state["messages"] if message.type in ("tool", "ai") and message.text]
    (folder / "said.json").write_text(json.dumps([said, waits]))


def _go_on(folder, job):
    with SqliteSaver.from_conn_string(str(folder / "threads.sqlite")) as saver:
        return _built(folder, job, saver).invoke(_given(job), THREAD, durability="sync")


async def _ago_on(folder, job):
    async with AsyncSqliteSaver.from_conn_string(str(folder / "threads.sqlite")) as saver:
        return await _built(folder, job, saver).ainvoke(_given(job), THREAD, durability="sync")


def _built(folder, job, saver):
    model = ScriptedChatModel([_step(one) for one in job.get("steps", [])])
    config = ReasonerConfig(review=job.get("review", "never"), max_refinements=0)
    pay = _tool(folder / "paid", job)
    if job["home"] == "graph":
        return build_reasoning_graph(model, tools=[pay], config=config, checkpointer=saver)
    middleware = [AdaptiveReasoningMiddleware(config=config)]
    if job.get("approved"):
        middleware.append(HumanInTheLoopMiddleware(interrupt_on={"pay": True}))
    return create_agent(model, [pay], middleware=middleware, checkpointer=saver)


def _tool(paid, job):
    @tool
    def pay(amount: int) -> str:
        """Pay."""
        if amount in job.get("asks", ()):
            amount = interrupt("How much?")
        is_victim = amount == job.get("victim", amount)
        if job.get("killed") == "before" and is_victim:
            _die()
        while "victim" in job and is_victim and not paid.exists():
            time.sleep(0.01)  # the other call goes first
        with paid.open("a") as file:
            file.write(f"{amount}\n")
        if job.get("killed") == "after" and is_victim:
            _die()
        return f"paid {amount}"

    return pay


def _step(one):
    if one == "die":
        return lambda _call: _die()
    return Reply(**one) if isinstance(one, dict) else one


def _given(job):
    return Command(resume=job["resume"]) if "resume" in job else job.get("given")


def _die():
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
