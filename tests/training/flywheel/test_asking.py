"""The real graph is asked, and its runs come back labelled."""

from langchain_core.language_models.fake_chat_models import FakeListChatModel

from adaptive_reasoner.embedded.chat_model import EmbeddedChatModel
from adaptive_reasoner.gate.shipped import profile_for
from adaptive_reasoner.training.flywheel.asking import AlwaysThinks, System, ask, outcomes_seen
from adaptive_reasoner.training.flywheel.known import KnownQuestion

QUESTIONS = [KnownQuestion("What is 2 + 3?", "5"), KnownQuestion("What is 4 + 5?", "7")]


def test_both_answers_are_seen_where_every_question_is_thought_through():
    runs = ask(System(EmbeddedChatModel(), None, AlwaysThinks()), QUESTIONS)
    assert [[one["node"] for one in run.record["report"]["rounds"]] for run in runs] == [
        ["fast_answer", "deep_think"]
    ] * 2
    assert [run.rounds_correct for run in runs] == [(True, True), (False, False)]
    assert runs[0].record["thoughts"][1].strip().startswith("plan:")


def test_runs_come_in_the_order_of_the_questions_and_cost_what_the_report_says():
    shipped = profile_for("adaptive-reasoner-embedded")
    runs = ask(System(EmbeddedChatModel(), None, shipped), QUESTIONS * 3)
    assert [run.record["question"] for run in runs] == [one.question for one in QUESTIONS * 3]
    made = outcomes_seen(runs)
    assert made.errors.tolist() == [0.0, 1.0] * 3
    assert made.tokens.tolist() == [run.record["report"]["usage"]["total_tokens"] for run in runs]
    assert made.estimated.sum() == 0


def test_a_system_that_is_always_wrong_is_seen_to_be():
    system = System(FakeListChatModel(responses=["Answer: 0"]), None, profile_for("unknown"))
    assert outcomes_seen(ask(system, QUESTIONS)).errors.tolist() == [1.0, 1.0]
