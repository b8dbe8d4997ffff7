"""An answer that its own work contradicts: checked on a share, sent to review, labelled, and learnt from."""

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from recorded_runs import judged, run

from adaptive_reasoner import ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.gate.calibration import CalibrationTarget
from adaptive_reasoner.nodes.second_opinion import is_drawn
from adaptive_reasoner.testing import Reply, ScriptedChatModel
from adaptive_reasoner.traces.overview import overview
from adaptive_reasoner.traces.refit import calibrate_runs
from adaptive_reasoner.traces.runs import load_runs
from adaptive_reasoner.traces.store import TraceStore

THREAD = {"configurable": {"thread_id": "1"}}
ASKED = {"messages": [("user", "What is 6 * 7?")]}
SURE_AND_CONTRADICTED = Reply(text="41", probability=0.99, reasoning="Six sevens are forty-two.")


def graph_of(*replies, share=1.0, **given):
    model = ScriptedChatModel(list(replies))
    config = ReasonerConfig(triage="off", max_model_calls=2, agreement_share=share, **given)
    return model, config


def other_run(index):
    """Of another day: its work contradicts each third answer, which is wrong then."""
    agreement = float(index % 3 != 0)
    answer, one = judged("fast", "review", "42" if agreement else "41", p=0.9)
    one["signal"]["rationale_agreement"] = agreement
    record = run(index, (answer, one), rationale_agreement=agreement)
    return {
        **record,
        "report": {**record["report"], "review": {"action": "approve" if agreement else "reject"}},
    }


def test_from_a_contradiction_by_way_of_a_person_into_the_next_calibration(tmp_path):
    url = f"sqlite:///{tmp_path / 'runs.sqlite'}"
    model, config = graph_of(SURE_AND_CONTRADICTED, Reply(text="42"), review="low_confidence")
    with TraceStore(url) as store:
        graph = build_reasoning_graph(model, config=config, recorder=store, checkpointer=InMemorySaver())
        asked = graph.invoke(ASKED, THREAD)["__interrupt__"][0].value
        assert asked["report"]["rounds"][0]["signal_calls"] == 1
        report = graph.invoke(Command(resume={"action": "edit", "answer": "42"}), THREAD)["reasoning"]
        assert report["rounds"][0]["signal"]["rationale_agreement"] == 0.0
        for index in range(240):
            store.record(other_run(index))
        store.flush()
        rationale = overview(store.database)["rationale"]
    assert (rationale["error_where_not"]["events"], rationale["error_where_agreed"]["events"]) == (80, 0)
    runs = load_runs(url).runs
    assert [one.rounds_correct for one in runs if one.record["question"] == "What is 6 * 7?"] == [(False,)]
    profile = calibrate_runs(runs, CalibrationTarget(0.5, None))
    assert profile.provenance["examples"] == 241
    assert "contradicted" in profile.modes["fast"].features


def test_work_that_leads_to_the_answer_is_told_in_the_report():
    model, config = graph_of(Reply(text="42", probability=0.99, reasoning="6 * 7 = 42."))
    report = build_reasoning_graph(model, config=config).invoke(ASKED)["reasoning"]
    assert report["rationale_agreement"] == 1.0
    assert report["rounds"][0]["verdict"] == "accept"
    assert len(model.calls) == 1


def test_without_the_share_nothing_is_checked():
    model, config = graph_of(SURE_AND_CONTRADICTED, share=0.0)
    report = build_reasoning_graph(model, config=config).invoke(ASKED)["reasoning"]
    assert (report["rationale_agreement"], report["rounds"][0]["verdict"]) == (None, "accept")
    with pytest.raises(ConfigurationError):
        ReasonerConfig(agreement_share=1.5)


def test_a_share_of_the_runs_is_drawn_and_a_resumed_one_as_before():
    drawn = [is_drawn({"turn": {"started_at": 1.7e9 + index}}, THREAD, 0.2) for index in range(2000)]
    assert 340 < sum(drawn) < 460
    assert drawn == [is_drawn({"turn": {"started_at": 1.7e9 + index}}, THREAD, 0.2) for index in range(2000)]
