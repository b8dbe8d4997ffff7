"""Which turns lean on what was said before."""

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from adaptive_reasoner.triage import is_follow_up, question_in_thread

LEANING = [
    "yes", "Yes, please.", "no", "ok", "okay!", "sure", "go on", "continue", "and then?", "and in euros?", "why?",
    "why not?", "what about Oslo?", "how about now?", "same for Rome", "again", "do it", "commit it", "run that",
    "thanks", "are you sure?", "but why?", "  yes  ", "more", "explain it", "So what is it?",
    "in euros?", "the second one", "try again", "can you elaborate?", "make it shorter", "oui", "はい", "which one?",
]  # fmt: skip
STANDING = [
    "", "   ", "What is 3 + 4?", "How much is it?", "Prove that there are infinitely many primes.", "3 + 4",
    "Andreas has 3 apples. How many has he?", "Nobel prize of 1921?", "Norway's capital?", "Soup of the day?",
    "and what would it be if we took the other road to Rome instead?", "Yesterday's weather?",
    "In which year did he die?", "Making bread?", "Sigma of 3?", "Explain photosynthesis.", "Check x = 3",
]  # fmt: skip


@pytest.mark.parametrize("text", LEANING)
def test_a_short_turn_that_refers_back_is_a_follow_up(text):
    assert is_follow_up(text)


@pytest.mark.parametrize("text", STANDING)
def test_a_question_of_its_own_is_none(text):
    assert not is_follow_up(text)


PLAN = HumanMessage("Plan the move of our database to Oslo.")


@pytest.mark.parametrize(
    ("thread", "question"),
    [
        ([], ""),
        ([AIMessage("Hello!")], ""),
        ([HumanMessage("yes")], "yes"),
        ([HumanMessage("ok"), AIMessage("?"), HumanMessage("yes")], "yes"),
        ([PLAN, AIMessage("Shall I?"), HumanMessage("yes")], f"{PLAN.text}\nyes"),
        (
            [PLAN, AIMessage("1?"), HumanMessage("yes"), AIMessage("2?"), HumanMessage("no")],
            f"{PLAN.text}\nno",
        ),
        ([PLAN, AIMessage("Done."), HumanMessage("What is 2 + 3?")], "What is 2 + 3?"),
        ([SystemMessage("Be brief."), PLAN], PLAN.text),
        ([PLAN, AIMessage("Done."), HumanMessage("")], ""),
    ],
)
def test_the_question_of_a_thread_is_its_newest_with_what_leans_on_it(thread, question):
    assert question_in_thread(thread) == question
