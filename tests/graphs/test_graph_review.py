"""Review: the graph waits for a person where nothing is left to try."""

import time

import pytest
from graph_ways import disbelieved, doubted, sure
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from adaptive_reasoner import ReasonerConfig

THREAD = {"configurable": {"thread_id": "1"}}
ASKING = ReasonerConfig(review="low_confidence", max_refinements=0)


@pytest.fixture
def doubting(build):
    """A function from further steps to a graph that asks a person about the answer 42."""

    def make(*more, **options):
        return build(
            disbelieved("41"), doubted("42"), *more, config=ASKING, checkpointer=InMemorySaver(), **options
        )

    return make


def test_a_person_sees_the_best_answer_and_the_report(ask, doubting):
    run = ask(doubting(), config=THREAD)
    [interrupt] = run.interrupts
    assert interrupt.value["kind"] == "review"
    assert interrupt.value["answer"] == "42"
    assert interrupt.value["actions"] == ["approve", "edit", "reject"]
    rounds = interrupt.value["report"]["rounds"]
    assert [one["verdict"] for one in rounds] == ["escalate", "review"]
    assert interrupt.value["report"]["accepted_round"] == 1


@pytest.mark.parametrize("reply", ["approve", {"action": "approve", "comment": "Right.", "reviewer": "Ada"}])
def test_approving_hands_the_answer_on(ask, doubting, reply):
    graph = doubting()
    ask(graph, config=THREAD)
    run = ask(graph, Command(resume=reply), config=THREAD)
    assert run.answer == "42"
    assert run.report["review"] == ({"action": "approve"} if reply == "approve" else reply)
    assert run.report["rounds"][-1]["verdict"] == "review"
    graph.model.assert_exhausted()


def test_editing_replaces_the_answer(ask, doubting):
    graph = doubting()
    ask(graph, config=THREAD)
    run = ask(graph, Command(resume={"action": "edit", "answer": "43"}), config=THREAD)
    assert run.answer == "43"
    assert run.report["review"] == {"action": "edit", "answer": "43"}
    assert [message.type for message in run.state["messages"]] == ["human", "ai"]


def test_rejecting_withholds_the_answer(ask, doubting):
    graph = doubting()
    ask(graph, config=THREAD)
    run = ask(graph, Command(resume="reject"), config=THREAD)
    assert "withheld" in run.answer
    assert "42" not in str(run.message.content)
    assert run.report["review"] == {"action": "reject"}


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        ("perhaps", "perhaps"),
        ({"comment": "Right."}, "None"),
        (["approve"], "approve"),
        ({"action": "edit"}, "answer"),
        ({"action": "edit", "answer": " "}, "answer"),
        ({"action": "edit", "answer": 42}, "answer"),
    ],
)
def test_a_reply_that_is_none_is_asked_for_again(ask_few, doubting, reply, problem):
    graph = doubting()
    ask_few(graph, config=THREAD)
    again = ask_few(graph, Command(resume=reply), config=THREAD)
    [interrupt] = again.interrupts
    assert problem in interrupt.value["problem"]
    assert interrupt.value["answer"] == "42"
    run = ask_few(graph, Command(resume="approve"), config=THREAD)
    assert run.answer == "42"
    graph.model.assert_exhausted()


def test_a_settled_review_does_not_colour_the_next_turn(ask_few, doubting):
    graph = doubting(sure("7"))
    ask_few(graph, config=THREAD)
    ask_few(graph, Command(resume="reject"), config=THREAD)
    run = ask_few(graph, "A new question: how many?", config=THREAD)
    assert run.answer == "7"
    assert "review" not in run.report


def test_a_new_question_instead_of_a_reply_starts_a_new_turn(ask_few, doubting):
    graph = doubting(sure("7"))
    ask_few(graph, config=THREAD)
    run = ask_few(graph, "A new question: how many?", config=THREAD)
    assert run.answer == "7"
    assert not run.interrupts
    totals = graph.get_state(THREAD).values["thread_totals"]
    assert totals["model_calls"] == 3  # the two of the turn that was left hanging are not forgotten


def test_nobody_is_asked_without_a_doubt(ask_few, build):
    run = ask_few(build(sure("42"), config=ASKING, checkpointer=InMemorySaver()), config=THREAD)
    assert not run.interrupts


def test_an_accepted_unknown_answer_asks_first_where_a_person_may_be_asked(build):
    from adaptive_reasoner.testing import Reply

    silent = Reply(text="42", drop_logprobs=True)
    config = ReasonerConfig(review="low_confidence", accept_unknown=True)
    state = build(silent, silent, config=config, checkpointer=InMemorySaver()).invoke(
        {"messages": "How?"}, THREAD
    )
    assert state["__interrupt__"]


def test_the_time_that_a_person_takes_is_not_the_querys(doubting):
    graph = doubting()
    context = {"budget": {"max_seconds": 60.0, "per": "thread"}}
    graph.invoke({"messages": "How much?"}, THREAD, context=context)
    days_ago = graph.get_state(THREAD).values["turn"] | {"started_at": time.time() - 200_000}
    graph.update_state(THREAD, {"turn": days_ago}, as_node="confidence_gate")
    state = graph.invoke(None, THREAD, context=context)
    assert state["__interrupt__"]
    report = graph.invoke(Command(resume="approve"), THREAD, context=context)["reasoning"]
    assert report["budget"]["used_seconds"] < 60
    assert graph.get_state(THREAD).values["thread_totals"]["seconds"] < 60
