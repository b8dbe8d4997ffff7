"""What a recorder gets of a run, and what a recorder that fails does to it."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from graph_ways import disbelieved, doubted, sure
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from adaptive_reasoner import ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.testing import Reply
from adaptive_reasoner.traces import JsonlRecorder
from adaptive_reasoner.traces.runs import load_runs

THREAD = {"configurable": {"thread_id": "1"}}


class Keeping:
    """Keeps what it gets."""

    def __init__(self):
        self.records = []

    def record(self, record):
        self.records.append(record)


class Failing:
    """Raises what it was made with."""

    def __init__(self, error):
        self.error = error

    def record(self, record):
        raise self.error


class OddError(Exception):
    """What a user's own store raises."""


@pytest.mark.parametrize(
    "error", [OddError("disk on fire {}%"), OSError(28, "No space left"), StopIteration()]
)
def test_a_recorder_that_raises_costs_nobody_the_answer(ask, build, error):
    run = ask(build(doubted("41"), sure("42"), recorder=Failing(error)))
    assert run.answer == "42"
    assert run.report["recording"].startswith(f"failed: {type(error).__name__}")
    assert run.message.response_metadata["adaptive_reasoning"] == run.report
    assert run.steps == [("fast_answer", "refine"), ("refine", "accept")]


def test_a_failed_recording_is_logged(ask_few, build, caplog):
    ask_few(build(sure("42"), recorder=Failing(OddError("no"))))
    assert "was not recorded, its answer was handed on: failed: OddError: no" in caplog.text


def test_the_thread_goes_on_and_downstream_is_reached_after_a_failed_recording(build):
    got = []
    options = {"downstream": got.append, "checkpointer": InMemorySaver()}
    graph = build(sure("42"), sure("43"), recorder=Failing(OddError("no")), **options)
    for question in ("How much?", "And more?"):
        graph.invoke({"messages": question}, THREAD)
    assert [one["answer"] for one in got] == ["42", "43"]


def test_a_kept_run_says_nothing_of_recording(ask_few, build):
    assert "recording" not in ask_few(build(sure("42"), recorder=Keeping())).report


def test_the_record_holds_each_rounds_answer_and_who_gave_it(scripted):
    keeping = Keeping()
    fast, deep = scripted(disbelieved("41"), model_name="small"), scripted(sure("42"), model_name="large")
    build_reasoning_graph(fast, deep, recorder=keeping).invoke({"messages": "How much?"})
    [record] = keeping.records
    assert record["answers"] == ["41", "42"]
    assert record["models"] == ["small", "large"]
    assert record["question"] == "How much?"
    age = datetime.now(UTC) - datetime.fromisoformat(record["recorded_at"])
    assert timedelta() <= age < timedelta(minutes=1)


def test_a_persons_edit_is_the_answer_and_no_round(build):
    keeping, config = Keeping(), ReasonerConfig(review="low_confidence", max_refinements=0)
    graph = build(
        disbelieved("41"), doubted("42"), recorder=keeping, config=config, checkpointer=InMemorySaver()
    )
    graph.invoke({"messages": "How much?"}, THREAD)
    graph.invoke(Command(resume={"action": "edit", "answer": "43"}), THREAD)
    [record] = keeping.records
    assert (record["answer"], record["answers"]) == ("43", ["41", "42"])


def test_runs_have_ids_of_their_own_and_a_repeated_hand_off_the_same(build):
    keeping = Keeping()
    graph = build(sure("42"), sure("42"), recorder=keeping, checkpointer=InMemorySaver())
    graph.invoke({"messages": "How much?"}, THREAD)
    graph.invoke({"messages": "How much?"}, THREAD)
    handing = next(one for one in graph.get_state_history(THREAD) if one.next == ("hand_off",))
    graph.invoke(None, handing.config)
    first, second, again = (record["run_id"] for record in keeping.records)
    assert first != second
    assert again == second


def test_runs_of_every_kind_are_read_back(scripted, tmp_path):
    @tool
    def look_up(word: str) -> str:
        """Look it up."""
        return word

    call = Reply(tool_calls=[{"name": "look_up", "args": {"word": "x"}}])
    path = tmp_path / "runs.jsonl"
    for steps in (
        [sure("42")],
        [call, sure("42")],
        [OddError("no")] * 2,
        [Reply(text="42", drop_logprobs=True)] * 2,
    ):
        graph = build_reasoning_graph(scripted(*steps), tools=[look_up], recorder=JsonlRecorder(path))
        graph.invoke({"messages": "How much?"})
    runs = load_runs(path).runs
    assert [len(run.record["report"]["rounds"]) for run in runs] == [1, 2, 2, 2]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_costs_nobody_the_answer(ask_few, build):
    run = ask_few(build(sure("42"), recorder=JsonlRecorder("/dev/full")))
    assert run.answer == "42"
    assert "RecordError: Cannot record to /dev/full: No space left" in run.report["recording"]


def test_a_recorder_that_hangs_is_given_up_on(build, monkeypatch):
    class Hanging:
        def record(self, record):
            time.sleep(5)

    monkeypatch.setattr("adaptive_reasoner.nodes.run_record._TIMEOUT_SECONDS", 0.05)
    state = build(sure("42"), recorder=Hanging()).invoke({"messages": "How much?"})
    assert state["messages"][-1].text == "42"
    assert state["reasoning"]["recording"] == "failed: the recorder did not end within 0.05 seconds"


def test_thoughts_and_the_seed_are_recorded_as_the_policy_leaves_them(tmp_path):
    recorded = {}
    for policy in ("keep", "drop"):
        path = tmp_path / f"{policy}.jsonl"
        config = ReasonerConfig(triage="off", thoughts=policy)
        graph = build_reasoning_graph("embedded", config=config, recorder=JsonlRecorder(path))
        context = {"thinking": "on", "model_kwargs": {"seed": 7}}
        graph.invoke({"messages": "What is 3 * 7 + 22?"}, context=context)
        recorded[policy] = load_runs(path).runs[0].record
    assert recorded["keep"]["thoughts"][0]
    assert "thoughts" not in recorded["drop"]
    assert recorded["keep"]["seed"] == recorded["drop"]["seed"] == 7
