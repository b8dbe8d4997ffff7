"""What a person decides in review becomes the run's label, in the store and in the next calibration."""

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from recorded_runs import judged, run

from adaptive_reasoner import ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.gate.calibration import CalibrationTarget
from adaptive_reasoner.testing import Reply, ScriptedChatModel
from adaptive_reasoner.traces.labels import label_runs
from adaptive_reasoner.traces.refit import calibrate_runs
from adaptive_reasoner.traces.runs import load_runs
from adaptive_reasoner.traces.store.trace_store import TraceStore


def reviewed(index, action, *, fast="41", deep="42", **said):
    rounds = judged("fast", "escalate", fast, p=0.6), judged("deep", "review", deep)
    return decided(run(index, *rounds, accepted_round=1), action, **said)


def decided(record, action, **said):
    return {**record, "report": {**record["report"], "review": {"action": action, **said}}}


def rounds_of(record, *labels):
    [labelled] = label_runs([record], labels)
    return labelled.correct, labelled.rounds_correct


def test_approved_is_right_and_says_nothing_of_other_texts():
    assert rounds_of(reviewed(1, "approve")) == (True, (None, True))


def test_edited_tells_of_every_round():
    record = {
        **reviewed(1, "edit", fast="Answer: 41", deep="42", answer="Answer: 41"),
        "answer": "Answer: 41",
    }
    assert rounds_of(record) == (True, (True, False))


def test_rejected_is_wrong_although_another_text_was_handed_on():
    record = {**reviewed(1, "reject"), "answer": "This answer was withheld."}
    assert rounds_of(record) == (False, (None, False))


def test_a_label_that_came_later_counts_more():
    assert rounds_of(reviewed(1, "approve"), {"run_id": "run-1", "answer": "41"}) == (False, (True, False))


def test_a_reviewed_call_of_tools_labels_nothing():
    rounds = judged("fast", "review", "", tool_calls=["pay"])
    assert rounds_of(decided(run(1, rounds, accepted_round=0), "approve")) == (None, (None,))


@pytest.mark.parametrize("reply", [{"action": "edit", "answer": "42"}, {"action": "reject"}])
def test_a_decision_flows_through_graph_and_store_into_calibration(tmp_path, reply):
    url = f"sqlite:///{tmp_path / 'runs.sqlite'}"
    with TraceStore(url) as store:
        graph = build_reasoning_graph(
            ScriptedChatModel([Reply(text="41", probability=0.5)]),
            config=ReasonerConfig(review="low_confidence", triage="off", max_model_calls=1),
            recorder=store,
            checkpointer=InMemorySaver(),
        )
        thread = {"configurable": {"thread_id": "1"}}
        assert "__interrupt__" in graph.invoke({"messages": [("user", "What is 6 * 7?")]}, thread)
        graph.invoke(Command(resume=reply), thread)
        for index in range(200):  # runs of other days, which a person looked at, too
            p = 0.95 if index % 2 else 0.55
            answer = "41" if index % 7 == 0 or (p < 0.9 and index % 3) else "42"
            made = decided(run(index, judged("fast", "review", answer, p=p)), "edit", answer="42")
            store.record({**made, "answer": "42"})
        store.flush()
    runs = load_runs(url).runs
    assert [one.rounds_correct for one in runs if one.record["question"] == "What is 6 * 7?"] == [(False,)]
    profile = calibrate_runs(runs, CalibrationTarget(0.5, None))
    assert profile.provenance["examples"] == 201
    assert profile.modes["fast"].risk(judged("fast", "accept", p=0.55)[1]["signal"]) > 0.4
