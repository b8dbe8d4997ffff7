"""However a call ends, its budget is right: errors, deadlines, cancellations, a ledger that fails, kill -9."""

import asyncio
import json
import os
import signal
import subprocess
import sys

import pytest
from budget_runs import ACME, used
from graph_ways import sure

from adaptive_reasoner import Budget, ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.budget import Ledger, Spent
from adaptive_reasoner.errors import ConfigurationError, LedgerError, UnknownTenantError
from adaptive_reasoner.testing import Reply

pytest.importorskip("sqlalchemy", reason="the extra `budgets` is not installed")


@pytest.mark.parametrize("step", [ValueError("no"), Reply(text="late", delay_seconds=10)])
def test_an_error_and_a_deadline_give_the_rest_back(shared, ledger, scripted, step):
    graph = shared(Budget(max_tokens=1000, per="tenant"), model=scripted(step), model_timeout_seconds=0.2)
    report = graph.invoke({"messages": "How much?"}, context={**ACME, "thinking": "off"})["reasoning"]
    assert used(ledger).held == Spent()
    assert used(ledger).settled.model_calls == 1
    assert used(ledger).settled.tokens == report["usage"]["total_tokens"] < 50
    assert used(ledger).settled.seconds <= 0.2


def test_a_cancelled_call_gives_the_rest_back(shared, ledger, scripted):
    graph = shared(
        Budget(max_tokens=1000, per="tenant"), model=scripted(Reply(text="late", delay_seconds=30))
    )

    async def cancel():
        task = asyncio.create_task(graph.ainvoke({"messages": "How much?"}, context=ACME))
        while not graph.model.calls:  # noqa: ASYNC110 - the model is not asyncio's
            await asyncio.sleep(0.01)
        assert used(ledger).held.model_calls == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert used(ledger).held == Spent()
    assert used(ledger).settled.model_calls == 1
    assert 0 < used(ledger).settled.tokens < 50


def test_a_ctrl_c_gives_the_rest_back(shared, ledger, scripted):
    graph = shared(Budget(max_tokens=1000, per="tenant"), model=scripted(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        graph.invoke({"messages": "How much?"}, context=ACME)
    assert (used(ledger).held, used(ledger).settled.model_calls) == (Spent(), 1)


@pytest.mark.parametrize(
    ("config", "context", "error", "said"),
    [
        ({"budget": Budget(max_tokens=9, per="tenant")}, {}, UnknownTenantError, "the call names none"),
        ({"tenants": {"acme": ()}}, {}, UnknownTenantError, "the call names none"),
        ({"tenants": {"acme": ()}}, {"tenant": "other"}, UnknownTenantError, "'other' is not in"),
        ({}, {"tenant": 7}, ConfigurationError, "tenant is 7"),
        ({}, {"tenant": ""}, ConfigurationError, "tenant is ''"),
        ({}, {"budget": {"max_tokens": 5, "per": "tenant"}}, UnknownTenantError, "the call names none"),
    ],
)
def test_a_tenant_that_is_needed_and_not_known_is_refused_before_anything_is_spent(
    scripted, ledger, config, context, error, said
):
    model = scripted(sure("42"))
    graph = build_reasoning_graph(model, config=ReasonerConfig(ledger=ledger, **config))
    with pytest.raises(error, match=said):
        graph.invoke({"messages": "How much?"}, context=context)
    assert model.calls == []


def test_a_ledger_that_fails_before_a_call_is_one_error_and_nothing_is_spent(shared, ledger, monkeypatch):
    def fail(_claim):
        raise LedgerError("The ledger cannot be used: gone.")

    monkeypatch.setattr(ledger, "reserve", fail)
    graph = shared(Budget(max_tokens=900, per="tenant"))
    with pytest.raises(LedgerError, match="gone"):
        graph.invoke({"messages": "How?"}, context=ACME)
    assert graph.model.calls == []


def test_a_ledger_that_fails_after_a_call_keeps_the_answer_and_the_worst_case(shared, ledger, monkeypatch):
    def fail(_reservation, _spent):
        raise LedgerError("The ledger cannot be used: gone.")

    monkeypatch.setattr(ledger, "settle", fail)
    graph = shared(Budget(max_tokens=900, per="tenant"))
    assert graph.invoke({"messages": "How?"}, context=ACME)["messages"][-1].text == "42"
    assert used(ledger).held.tokens > 60


# One process a turn; the first is killed in the middle of its call, the second resumes the same thread.
TURN = """
import json, sys
from langgraph.checkpoint.sqlite import SqliteSaver
from adaptive_reasoner import Budget, ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.budget import Ledger
from adaptive_reasoner.testing import Reply, ScriptedChatModel

folder, seconds = sys.argv[1], float(sys.argv[2])
usage = {"input_tokens": 10, "output_tokens": 20, "total_tokens": 30}

def answer(call):
    print("called", flush=True)
    return Reply(text="42", probability=0.999, delay_seconds=seconds, usage=usage)

ledger = Ledger.open(f"{folder}/ledger.sqlite")
config = ReasonerConfig(triage="off", max_refinements=0, ledger=ledger, budget=Budget(max_tokens=1000, per="tenant"))
with SqliteSaver.from_conn_string(f"{folder}/threads.sqlite") as saver:
    graph = build_reasoning_graph(ScriptedChatModel([answer], max_tokens=60), config=config, checkpointer=saver)
    thread = {"configurable": {"thread_id": "monday"}}
    given = {"messages": "How much?"} if seconds else None
    state = graph.invoke(given, thread, context={"tenant": "acme"}, durability="sync")
print(json.dumps({"answer": state["messages"][-1].text, "accounts": state["reasoning"]["budget"]["accounts"]}))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no kill -9")
def test_kill_9_in_the_middle_and_restart_neither_lose_nor_repeat_spend(tmp_path):
    pytest.importorskip("langgraph.checkpoint.sqlite", reason="the extra `sqlite` is not installed")
    environment = {**os.environ, "LANGGRAPH_STRICT_MSGPACK": "true"}
    first = subprocess.Popen(
        [sys.executable, "-c", TURN, str(tmp_path), "60"], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert first.stdout.readline() == "called\n"
    first.kill()
    first.communicate()

    ledger = Ledger.open(str(tmp_path / "ledger.sqlite"))
    orphan = used(ledger)
    assert (orphan.settled.model_calls, orphan.held) == (1, Spent())
    assert (
        60 < orphan.settled.tokens < 100
    )  # the prompt, and all of the 60 tokens that the answer might have had

    second = subprocess.run(
        [sys.executable, "-c", TURN, str(tmp_path), "0"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env=environment,
    )
    answer = json.loads(second.stdout.splitlines()[-1])
    assert answer["answer"] == "42"
    assert (
        answer["accounts"]["tenant:acme"]["tokens"],
        answer["accounts"]["tenant:acme"]["model_calls"],
    ) == (30, 1)
    assert (used(ledger).settled.tokens, used(ledger).settled.model_calls, used(ledger).held) == (
        30,
        1,
        Spent(),
    )
    ledger.close()
