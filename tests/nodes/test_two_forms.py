"""Where a node runs: a quick one on the event loop, whatever may wait in a thread."""

import asyncio
import threading

import pytest
from langchain_core.messages import HumanMessage

from adaptive_reasoner import Budget, GateProfile, ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.nodes import confidence_gate, hand_off, triage
from adaptive_reasoner.testing import Reply, ScriptedChatModel

BODIES = {"triage": triage._Triage, "gate": confidence_gate._ConfidenceGate, "hand_off": hand_off._HandOff}


class Cautious:
    """A gate of somebody else's."""

    def decide(self, signal, situation):
        return GateProfile.default().decide(signal, situation)


class Keeping:
    """A recorder."""

    def record(self, record):
        pass


@pytest.fixture
def threads(monkeypatch):
    """By body, whether it ran in the event loop's thread."""
    seen = {}

    def watched(name, body):
        original = body.run

        def run(self, *arguments):
            seen[name] = threading.current_thread() is threading.main_thread()
            return original(self, *arguments)

        monkeypatch.setattr(body, "run", run)

    for name, body in BODIES.items():
        watched(name, body)
    return seen


def run(text="Answer: 42", recorder=None, **settings):
    model = ScriptedChatModel([Reply(text=text, probability=0.999)], cycle=True)
    graph = build_reasoning_graph(model, config=ReasonerConfig(**settings), recorder=recorder)
    return asyncio.run(graph.ainvoke({"messages": [HumanMessage("How much?")]}))


def test_a_plain_run_needs_no_thread(threads):
    run()
    assert threads == {"triage": True, "gate": True, "hand_off": True}


def test_a_ledger_is_not_asked_on_the_event_loop(threads, tmp_path):
    pytest.importorskip("sqlalchemy", reason="the extra `budgets` is not installed")
    run(budget=Budget(max_model_calls=9, per="day"), ledger=f"sqlite:///{tmp_path / 'budgets.sqlite'}")
    assert threads == {"triage": False, "gate": False, "hand_off": False}


def test_a_long_answer_is_judged_in_a_thread(threads):
    run(text="word " * 200 + "Answer: 42")
    assert threads == {"triage": True, "gate": False, "hand_off": True}


def test_other_peoples_code_runs_in_a_thread(threads):
    run(gate=Cautious())
    assert threads == {"triage": True, "gate": False, "hand_off": True}
    run(recorder=Keeping())
    assert threads == {"triage": True, "gate": True, "hand_off": False}
