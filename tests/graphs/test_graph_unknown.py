"""Signals that say nothing: unknown is never confident."""

import pytest
from graph_ways import sure

from adaptive_reasoner import ReasonerConfig
from adaptive_reasoner.testing import Reply, logprobs_of

LAST = logprobs_of([(" euros", 0.99)])
SILENT = {
    "none at all": Reply(text="It is 42 euros", drop_logprobs=True),
    "of another text": Reply(text="It is 42 euros", tokens=[("No", 0.99), (" idea", 0.99)]),
    "of the last token only": Reply(text="It is 42 euros", logprobs=LAST),
    "an empty list": Reply(text="It is 42 euros", logprobs={"content": []}),
    "a list of nothing known": Reply(text="It is 42 euros", logprobs={"content": [{"p": 1}]}),
    "no shape at all": Reply(text="It is 42 euros", logprobs={"tokens": 5}),
    "certainty everywhere": Reply(text="It is 42", logprobs=logprobs_of([("It is 42", 0.0)])),
}


@pytest.mark.parametrize("kind", SILENT)
def test_a_fast_answer_without_a_signal_is_never_accepted(ask_few, build, kind):
    run = ask_few(build(SILENT[kind], sure("42")))
    assert run.steps == [("fast_answer", "escalate"), ("deep_think", "accept")]
    assert run.report["rounds"][0]["signal"]["kind"] == "unknown"
    assert run.report["rounds"][0]["signal"]["reason"]


def test_a_deep_answer_without_a_signal_is_handed_on_as_unsure(ask, build):
    run = ask(build(SILENT["none at all"], SILENT["none at all"]))
    assert run.steps == [("fast_answer", "escalate"), ("deep_think", "give_up")]
    assert run.answer == "It is 42 euros"
    assert (run.report["accepted_round"], run.report["signal"]["kind"]) == (1, "unknown")


def test_a_deep_answer_without_a_signal_may_be_accepted_on_request(ask, build):
    graph = build(
        SILENT["none at all"],
        Reply(text="43", drop_logprobs=True),
        config=ReasonerConfig(accept_unknown=True),
    )
    run = ask(graph)
    assert run.steps == [("fast_answer", "escalate"), ("deep_think", "accept")]
    assert (run.answer, run.report["accepted_round"]) == ("43", 1)


def test_an_accepted_unknown_answer_stands_before_a_measured_one_that_was_escalated(build):
    fast = Reply(text="41", probability=0.75, logprobs=None)
    graph = build(
        fast,
        Reply(text="42", drop_logprobs=True),
        config=ReasonerConfig(accept_unknown=True, max_refinements=0),
    )
    state = graph.invoke({"messages": "How much?"})
    assert (state["messages"][-1].text, state["reasoning"]["accepted_round"]) == ("42", 1)


def test_accepting_the_unknown_does_not_hold_for_fast_answers(build):
    graph = build(SILENT["none at all"], config=ReasonerConfig(accept_unknown=True))
    report = graph.invoke({"messages": "How much?"}, context={"thinking": "off"})["reasoning"]
    assert [one["verdict"] for one in report["rounds"]] == ["give_up"]


def test_a_person_is_asked_where_a_deep_answer_has_no_signal(ask_few, build):
    from langgraph.checkpoint.memory import InMemorySaver

    silent = SILENT["none at all"]
    graph = build(
        silent, silent, config=ReasonerConfig(review="low_confidence"), checkpointer=InMemorySaver()
    )
    run = ask_few(graph, config={"configurable": {"thread_id": "1"}})
    assert run.interrupts[0].value["report"]["rounds"][-1]["verdict"] == "review"
